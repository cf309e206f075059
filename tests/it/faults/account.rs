//! Whom it works for and how fast: tokens that end, limits that change, clocks that were wrong.

use serde_json::json;

use super::{
    GO_ON, SETTLE, Work,
    peer::{Deed, Peer},
    served,
};
use crate::{
    call_log::{CallLog, seed},
    desk::{Desk, Ended},
    served::Served,
};

const REVOKED: &str = "[[fault]]\non = \"append\"\nat = [5]\ndo = \"expire_tokens\"";

#[test]
fn a_token_revoked_in_mid_run_is_renewed_where_the_application_can() {
    Work::new().finishes(&served(REVOKED));
}

#[test]
fn a_given_token_revoked_in_mid_run_ends_with_five_and_another_one_goes_on() {
    let (served, work) = (served(REVOKED), Work::new());
    let import = |token: &str| {
        let mut command =
            work.desk.command(&["import", "calls.csv", "--json", "--api-url", served.address()]);
        Ended::of(command.args(SETTLE).env("HELPSCOUT_ACCESS_TOKEN", token))
    };
    let sheet = import("the-first").with(5).saying("access token is invalid").saying(GO_ON).json();
    assert!(sheet["imported"].as_u64().unwrap() >= 4, "{sheet}");
    assert_eq!((&sheet["rejected"], &sheet["undecided"]), (&0.into(), &0.into()), "a 401 leaves no doubt");
    import("the-second").with(0);
    assert_eq!(served.references(), work.references);
}

#[test]
fn a_limit_lowered_in_mid_run_is_kept_to_from_the_next_answer_on() {
    let script = "[[fault]]\non = \"append\"\nat = [20]\ndo = \"set_limit\"\nunits = 3000";
    let served = Served::with_seed_and_faults(&seed(20, 2), script);
    let work = Work::of(&CallLog::into_existing(100, 20));
    let sheet = work.import(served.address()).with(0).json();
    assert_eq!(sheet["throttled"], 0, "it slowed down before it was told to");
    // 80 appends of 2 units, at 80% of 3,000 a minute: 4 s, but for the small burst that the pacer allows.
    assert!(sheet["seconds"].as_f64().unwrap() >= 2.5, "{sheet}");
    assert_eq!(served.references(), work.references);
}

#[test]
fn a_clock_that_was_wrong_when_a_request_was_sent_neither_loses_nor_doubles_it() {
    for moment in ["2099-01-01T00:00:00Z", "1971-01-01T00:00:00Z"] {
        for deed in ["drop_before", "drop_after"] {
            let (served, work) =
                (served(&format!("[[fault]]\non = \"append\"\nat = [5]\ndo = \"{deed}\"")), Work::new());
            let running =
                crate::desk::Running::of(work.command(served.address()).args(["--set", "limits.settle=1h"]));
            running.waits_to_say("was lost");
            running.kill();
            let at = callport::call::Moment::parse_api(moment).unwrap().epoch_seconds();
            let checkpoint = rusqlite::Connection::open(work.desk.path("callport.checkpoint")).unwrap();
            assert!(
                checkpoint
                    .execute("UPDATE requests SET sent_at = ?1 WHERE carried IS NOT NULL", [at])
                    .unwrap()
                    > 0
            );
            drop(checkpoint);
            work.finishes(&served);
        }
    }
}

/// Users as an account showed them that has lost one since.
const OLD_USERS: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/hal+json\r\nConnection: close\r\n\r\n\
    {\"_embedded\":{\"users\":[{\"id\":1,\"email\":\"owner@example.com\"},{\"id\":9,\"email\":\"ada@example.com\"}]},\
    \"page\":{\"totalPages\":1}}";

#[test]
fn a_user_deleted_in_mid_run_costs_no_call() {
    let account = json!({"users": [{"id": 1, "email": "owner@example.com"}]});
    let (served, desk) = (Served::with_seed(&account, &[]), Desk::new());
    let rows = "id,started_at,direction,customer.email,agent\n1,2024-05-01T10:00:00Z,in,jo@example.com,ada@example.com\n\
                2,2024-05-02T10:00:00Z,in,jo@example.com,ada@example.com\n";
    desk.write("calls.csv", rows);
    let peer = Peer::before(&served, "users", 1, Deed::Instead(OLD_USERS));
    let mut command = desk.command(&["import", "calls.csv", "--json", "--api-url", peer.address()]);
    let sheet = Ended::of(command.env("HELPSCOUT_ACCESS_TOKEN", "t")).with(0).json();
    assert_eq!((peer.struck(), &sheet["imported"], &sheet["rejected"]), (1, &2.into(), &0.into()), "{sheet}");
    let told = sheet["warnings"][0]["reason"].as_str().unwrap();
    assert!(
        told.starts_with("Help Scout does not take user 9") && told.contains("no such user any more"),
        "{told}"
    );
    let world = served.world();
    let made: Vec<_> = world.values().map(|one| (&one.shown["createdBy"]["id"], one.threads.len())).collect();
    assert_eq!(made, [(&json!(1), 2)], "both in one conversation, by the token's owner");
}
