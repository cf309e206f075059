//! `check` with `account.json` says to the request what `import` will take, and what the other choice would cost.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::{desk::Desk, served::Served};

/// An account with so many users that their list has two pages.
fn account() -> Value {
    let users = (1..=60).map(|id| json!({"id": id, "email": format!("agent{id}@example.com"), "firstName": "Ada", "lastName": format!("{id}")}));
    json!({
        "limit": 100_000,
        "inboxes": [{"id": 85, "name": "Support", "email": "support@example.com"}],
        "users": users.collect::<Vec<_>>(),
        "customers": [{"id": 456, "emails": ["jo@example.com"], "firstName": "Jo", "lastName": "Doe", "phones": ["+15550199"]}],
    })
}

/// Calls of people by number, of each so many.
fn calls(groups: &[usize]) -> String {
    let mut rows = "id,started_at,duration,direction,from,agent,notes\n".to_owned();
    for (person, count) in groups.iter().enumerate() {
        for call in 0..*count {
            let (hour, minute) = (call / 60, call % 60);
            writeln!(
                rows,
                "{person}-{call},2024-03-01T{hour:02}:{minute:02}:00Z,60,inbound,+1555010{person},Ada {person},a call"
            )
            .unwrap();
        }
    }
    rows
}

/// What `check` predicts and what `import` takes: requests and units.
fn both(desk: &Desk, served: &Served, options: &[&str]) -> [(u64, u64); 2] {
    let figures =
        |result: &Value| (result["requests"].as_u64().unwrap(), result["rate_units"].as_u64().unwrap());
    let check = [&["check", "calls.csv", "--json"], options].concat();
    let import = [&["calls.csv", "--json"], options].concat();
    let predicted = figures(&desk.run(&check).with(0).json());
    [predicted, figures(&desk.import(served, &import).with(0).json())]
}

#[test]
fn what_check_predicts_is_what_an_import_takes() {
    let served = Served::with_seed(&account(), &[]);
    let desk = Desk::new();
    desk.write("callport.toml", "[agents]\ndirectory = \"agents.csv\"\n");
    let mut agents = "name,email\n".to_owned();
    for id in 0..8 {
        writeln!(agents, "Ada {id},agent{}@example.com", id + 1).unwrap();
    }
    desk.write("agents.csv", agents);
    let mut pull = desk.command(&["pull", "--api-url", served.address()]);
    assert!(pull.env("HELPSCOUT_ACCESS_TOKEN", "a-token").status().unwrap().success());

    let mut groups = [1, 7, 130, 60, 29, 100, 2, 3];
    desk.write("calls.csv", calls(&groups));
    let [predicted, taken] = both(&desk, &served, &[]);
    assert_eq!(predicted, taken);
    // Customers, conversations; who and where one is, what is there, the users; the first of a hundred, read back.
    assert_eq!(taken, (8 + 9 + 3 + 2 + 5, 2 * (8 + 9) + 3 + 2 + 5));

    groups[3] += 40;
    groups[1] += 1;
    desk.write("calls.csv", calls(&groups));
    let plan = desk.run(&["check", "calls.csv"]).with(0).out;
    let line = "appending to 1 conversation takes 81 of these units; with conversation.when_appending = \"cheap\" new ones \
                would be made for 2\n";
    assert!(plan.contains(line), "{plan}");
    let cheap = ["--set", "conversation.when_appending=cheap"];
    let plan = desk.run(&[&["check", "calls.csv"], &cheap[..]].concat()).with(0).out;
    let line = "with conversation.when_appending = \"fill\" appending would take 81\n";
    assert!(plan.contains(line), "{plan}");
    // One create; one look and one append, which is read back.
    let [predicted, taken] = both(&desk, &served, &cheap);
    assert_eq!(predicted, taken);
    assert_eq!(taken.0, 3 + 2 + 1 + (1 + 1 + 3));

    groups[2] += 30;
    groups[0] += 5;
    desk.write("calls.csv", calls(&groups));
    let [predicted, taken] = both(&desk, &served, &[]);
    assert_eq!(predicted, taken);
    assert_eq!(taken.0, 3 + 2 + (1 + 30) + (1 + 5));
}
