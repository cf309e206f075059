//! What the service refuses: the call at fault alone is rejected, or the run stops and rejects nothing.

use super::{Work, served};
use crate::{call_log::CallLog, desk::Ended};

/// Forty calls of one customer, one of them bad.
fn forty(script: &str) -> (crate::served::Served, Work) {
    (served(script), Work::of(&CallLog::of(40, 1)))
}

/// The call `c0007` is rejected with `words`, all others land.
fn only_the_bad_call_is_rejected(script: &str, words: &str) {
    let (served, mut work) = forty(script);
    let sheet = work.import(served.address()).with(3).json();
    assert_eq!((&sheet["imported"], &sheet["rejected"]), (&39.into(), &1.into()), "{sheet}");
    let rejects = work.desk.read("rejects.csv");
    assert!(rejects.contains("c0007") && rejects.contains(words), "{rejects}");
    work.references.retain(|reference| reference != "c0007");
    assert_eq!(served.references(), work.references);
}

#[test]
fn a_bad_call_that_the_service_names_is_rejected_alone() {
    let script = "[[fault]]\non = \"write\"\ndo = \"refuse_thread\"\ncontaining = \"note 7,\"";
    only_the_bad_call_is_rejected(script, "Help Scout refused it");
}

#[test]
fn a_bad_call_that_nobody_names_is_found_and_rejected_alone() {
    let script = "[[fault]]\non = \"write\"\ndo = \"refuse_thread\"\ncontaining = \"note 7,\"\nnamed = false";
    only_the_bad_call_is_rejected(script, "Help Scout refused it");
}

#[test]
fn a_fault_that_is_not_the_calls_stops_with_five_and_rejects_nothing() {
    let script = r#"
        [[fault]]
        on = "create"
        times = 1
        do = "refuse"
        status = 400
        body = '{"message":"Bad request","_embedded":{"errors":[{"path":"subject","message":"may not be empty"}]}}'"#;
    let (served, work) = forty(script);
    let sheet = work.import(served.address()).with(5).saying("subject").saying("may not be empty").json();
    assert_eq!((&sheet["rejected"], &sheet["pending"]), (&0.into(), &40.into()), "{sheet}");
    assert!(!work.desk.path("rejects.csv").exists());
    work.finishes(&served);
}

#[test]
fn a_request_that_is_too_large_is_made_smaller_and_a_call_too_large_alone_is_rejected() {
    let (served, work) = forty("[service]\nrequest_size = 4000");
    work.finishes(&served);
    let (served, work) = forty("[service]\nrequest_size = 200");
    let sheet = work.import(served.address()).with(3).json();
    assert_eq!(sheet["rejected"], 40);
    assert!(work.desk.read("rejects.csv").contains("too large"));
    assert_eq!(served.references().len(), 0);
}

#[test]
fn a_person_without_permission_ends_with_five_and_another_token_goes_on() {
    let script = "[[fault]]\non = \"create\"\ntimes = 1\ndo = \"refuse\"\nstatus = 403\nbody = '{\"message\":\"No access\"}'";
    let (served, work) = forty(script);
    let ended: Ended = work.import(served.address()).with(5).saying("denied access: No access");
    assert_eq!((&ended.json()["rejected"], &ended.json()["undecided"]), (&0.into(), &0.into()));
    work.finishes(&served);
}
