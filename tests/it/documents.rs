//! The JSON documents: one on standard output, with the promised fields in the promised order.

use serde_json::Value;

use crate::{call_log::CallLog, desk::Desk, served::Served};

fn names(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

const SHEET: [&str; 20] = [
    "run",
    "rows",
    "imported",
    "already_imported",
    "skipped",
    "rejected",
    "undecided",
    "pending",
    "rejected_before",
    "changed",
    "carried_over",
    "conversations_created",
    "threads_created",
    "customers_created",
    "requests",
    "rate_units",
    "throttled",
    "seconds",
    "warnings",
    "rejects_file",
];

#[test]
fn each_command_prints_its_own() {
    let (desk, served) = (Desk::new(), Served::start(&[]));
    desk.write("calls.csv", CallLog::of(5, 2).csv() + "x,never,1,inbound,,,jo@example.com,,\n");

    let check = desk.run(&["check", "calls.csv", "--json"]).with(3).json();
    let plan = [
        "rows",
        "calls",
        "rejected",
        "skipped",
        "already_imported",
        "customers",
        "conversations",
        "requests",
        "rate_units",
        "seconds_at_limit",
        "limit_per_minute",
        "warnings",
        "problems",
    ];
    assert_eq!(names(&check), plan);
    assert_eq!(names(&check["problems"][0]), ["file", "line", "column", "value", "reason"]);
    assert_eq!(
        (check["problems"][0]["value"].as_str(), check["problems"][0]["line"].as_u64()),
        (Some("never"), Some(12))
    );

    let sheet = desk.import(&served, &["calls.csv", "--json"]).with(3).json();
    assert_eq!(names(&sheet), [&SHEET[..], &["checkpoint"]].concat());
    assert_eq!(sheet["checkpoint"], "callport.checkpoint");
    let becomes = ["imported", "already_imported", "skipped", "rejected", "undecided", "pending"];
    assert_eq!(
        becomes.iter().map(|name| sheet[name].as_u64().unwrap()).sum::<u64>(),
        sheet["rows"].as_u64().unwrap()
    );

    let status = desk.run(&["status", "--json"]).with(0).json();
    let fields = ["calls", "runs", "files", "conversations", "undecided", "checkpoint_bytes"];
    assert_eq!(names(&status), fields);
    assert_eq!(status["calls"]["imported"], 5);
    assert_eq!(status["runs"][0]["run"], sheet["run"]);
}

#[test]
fn a_rehearsal_prints_one_too_and_keeps_its_world_beside_the_checkpoint() {
    let desk = Desk::new();
    desk.write("calls.csv", CallLog::of(5, 2).csv());
    let sheet = desk.run(&["import", "calls.csv", "--sandbox", "--json"]).with(0).json();
    assert_eq!(sheet["imported"], 5);
    assert_eq!(desk.files(), ["calls.csv"], "a rehearsal leaves nothing behind");
    let kept = ["import", "calls.csv", "--sandbox", "--json", "--checkpoint", "try"];
    desk.run(&kept).with(0);
    assert_eq!(desk.run(&kept).with(0).json()["requests"], 0);
    assert_eq!(desk.files(), ["calls.csv", "try", "try.sandbox"]);
    assert!(
        desk.run(&["status", "--checkpoint", "try"]).with(0).out.starts_with("a rehearsal, in a sandbox\n")
    );
    let served = Served::start(&[]);
    desk.write("rejects.csv", "of an earlier run");
    let refused = desk.import(&served, &["calls.csv", "--checkpoint", "try"]);
    let refused = refused.with(2).saying("`try` is a rehearsal's");
    assert!(!refused.err.contains("rejects.csv"), "no row was read: {}", refused.err);
    desk.import(&served, &["calls.csv", "--checkpoint", "real"]).with(0);
    let real = ["import", "calls.csv", "--sandbox", "--checkpoint", "real"];
    desk.run(&real).with(2).saying("not to a sandbox");
    assert!(!desk.files().contains(&"real.sandbox".to_owned()), "refused before anything is made");
    let otherwise = ["check", "calls.csv", "--checkpoint", "try", "--set", "source.name=x"];
    desk.run(&otherwise).with(2).saying("since `try` was made").saying("begin a new rehearsal");
}
