//! Forgetting: what is personal is gone from the bytes of the checkpoint, and nothing comes twice or comes back.

use std::{fmt::Write, fs, time::Duration};

use serde_json::{Value, json};

use crate::{
    desk::{Desk, Ended, Running},
    door::Door,
    served::Served,
};

/// People who are known by e-mail and number, and people who are known by their number alone, in turn.
const PEOPLE: usize = 6;

/// The calls with these numbers, one of each person in turn.
fn export(calls: std::ops::Range<usize>) -> String {
    let heading = "id,started_at,duration,direction,from,to,customer.email,customer.first_name,notes\n";
    calls.fold(heading.to_owned(), |mut text, call| {
        let person = call % PEOPLE;
        let email = if person.is_multiple_of(2) { email(person) } else { String::new() };
        let (at, number) = (crate::call_log::started_at(call), number(person));
        writeln!(
            text,
            "crm-{call:05},{at},60,inbound,{number},+15550199,{email},Firstname{person},note about gout {call}"
        )
        .unwrap();
        text
    })
}

fn email(person: usize) -> String {
    format!("Person{person}@Example.com")
}

fn number(person: usize) -> String {
    format!("+1555013{person:02}")
}

/// What tells something of somebody, whoever it is.
const PERSONAL: [&str; 6] = ["@example.com", "person", "+1555013", "firstname", "gout", "crm-0"];

/// Which of `words` the files of the desk hold, whatever the letter case, but for those that the user put there.
fn found(desk: &Desk, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for name in desk.files().into_iter().filter(|name| !has_ending(name, "csv")) {
        let bytes = fs::read(desk.path(&name)).unwrap();
        for word in words {
            if bytes.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word.as_bytes())) {
                found.push(format!("{word} in {name}"));
            }
        }
    }
    found
}

fn has_ending(name: &str, ending: &str) -> bool {
    std::path::Path::new(name).extension().is_some_and(|found| found == ending)
}

fn figures<const N: usize>(sheet: &Value, names: [&str; N]) -> [u64; N] {
    names.map(|name| sheet[name].as_u64().unwrap_or_else(|| panic!("no {name} in {sheet}")))
}

/// An import by an address that can lead nowhere.
fn import_by(door: &Door, desk: &Desk, arguments: &[&str]) -> Ended {
    let mut command = desk.command(&["import"]);
    command.args(arguments).args(["--api-url", door.address()]).env("HELPSCOUT_ACCESS_TOKEN", "t");
    Ended::of(&mut command)
}

/// Stages a file whose calls are not sent, because nothing answers there.
fn stage_only(door: &Door, desk: &Desk, file: &str) {
    door.lead_to("http://127.0.0.1:9");
    import_by(door, desk, &[file, "--set", "limits.give_up=1s"]).with(4);
}

/// A desk where the calls of `a.csv` are imported and those of `b.csv` wait.
fn imported_and_staged() -> (Desk, Served, Door) {
    let (desk, served) = (Desk::new(), Served::start(&[]));
    let door = Door::to(served.address());
    desk.write("a.csv", export(0..12));
    import_by(&door, &desk, &["a.csv"]).with(0);
    desk.write("b.csv", export(12..24));
    stage_only(&door, &desk, "b.csv");
    door.lead_to(served.address());
    (desk, served, door)
}

#[test]
fn what_was_imported_leaves_no_byte_and_a_later_export_goes_on_with_the_same_people() {
    let (desk, served) = (Desk::new(), Served::start(&[]));
    desk.write("a.csv", export(0..60));
    let first = desk.import(&served, &["a.csv", "--json"]).with(0).json();
    assert_eq!(figures(&first, ["imported", "conversations_created", "customers_created"]), [60, 6, 3]);
    assert!(!found(&desk, &["@example.com", "crm-0"]).is_empty(), "there is something to forget");

    let forgotten = desk.run(&["forget", "--imported", "--json"]).with(0).json();
    let expected = json!({
        "imported": 60, "dropped": 0, "dropped_refused": 0, "dropped_beside": 0, "in_flight": 0, "customers": 6, "barred": 0,
        "kept": {"staged": 0, "undecided": 0, "rejected": 0},
    });
    assert_eq!(forgotten, expected);
    assert_eq!(found(&desk, &PERSONAL), Vec::<String>::new());
    assert_eq!(desk.files(), ["a.csv", "callport.checkpoint"]);

    let again = desk.import(&served, &["a.csv", "--json"]).with(0).json();
    assert_eq!(figures(&again, ["requests", "imported", "changed", "already_imported"]), [0, 0, 0, 60]);
    assert_eq!(found(&desk, &PERSONAL), Vec::<String>::new(), "nor does it come back");
    let status = desk.run(&["status", "--json"]).with(0).json();
    assert_eq!((&status["calls"]["imported"], &status["conversations"]), (&json!(60), &json!(6)));

    desk.write("b.csv", export(0..72));
    let delta = desk.import(&served, &["b.csv", "--json"]).with(0).json();
    let names = ["imported", "already_imported", "conversations_created", "customers_created", "undecided"];
    assert_eq!(figures(&delta, names), [12, 60, 0, 0, 0]);
    let sizes: Vec<usize> = served.world().values().map(|one| one.threads.len()).collect();
    assert_eq!(sizes, [12; 6], "each person's calls are in that person's conversation");
    assert_eq!(desk.run(&["forget", "--imported", "--json"]).with(0).json()["imported"], 12);
    assert_eq!(found(&desk, &PERSONAL), Vec::<String>::new());
}

#[test]
fn a_lost_checkpoint_that_was_rebuilt_and_one_that_was_forgotten_know_the_same() {
    let (desk, served) = (Desk::new(), Served::start(&[]));
    // Without an id, a call's reference is made of what it is known by.
    desk.write("a.csv", export(0..12).replace("id,", "number,"));
    desk.import(&served, &["a.csv"]).with(0);
    desk.run(&["forget", "--imported"]).with(0);
    let recover = |name: &str| {
        let mut command =
            desk.command(&["recover", "--json", "--checkpoint", name, "--set", "limits.settle=100ms"]);
        command.args(["--api-url", served.address()]).env("HELPSCOUT_ACCESS_TOKEN", "t");
        Ended::of(&mut command).with(0)
    };
    recover("callport.checkpoint");
    let again = desk.import(&served, &["a.csv", "--json"]).with(0).json();
    assert_eq!(figures(&again, ["requests", "already_imported"]), [0, 12]);
    recover("rebuilt");
    desk.run(&["forget", "--imported", "--checkpoint", "rebuilt"]).with(0);
    let rebuilt = desk.import(&served, &["a.csv", "--json", "--checkpoint", "rebuilt"]).with(0).json();
    assert_eq!(figures(&rebuilt, ["imported", "already_imported"]), [0, 12]);
    assert_eq!(served.references().len(), 12);
}

#[test]
fn a_person_is_gone_at_once_and_is_left_out_of_later_imports() {
    let (desk, _served, door) = imported_and_staged();

    let people = ["--email", "person0@EXAMPLE.com", "--number", "+1 (555) 013-01"];
    let forgotten = desk.run(&[&["forget", "--json"], &people[..]].concat()).with(0).json();
    assert_eq!(figures(&forgotten, ["imported", "dropped", "customers", "barred"]), [4, 4, 2, 2]);
    let gone = ["person0@", "firstname0", "+155501300", "+155501301", "firstname1"];
    assert_eq!(found(&desk, &gone), Vec::<String>::new());
    assert!(!found(&desk, &["person2@", "+155501303"]).is_empty(), "the others wait");

    desk.write("c.csv", export(0..36) + "crm-x,never,1,inbound,,,person0@example.com,,\n");
    let ended = import_by(&door, &desk, &["b.csv", "c.csv", "--json"]).with(0);
    let sheet = ended.json();
    let names = ["rows", "imported", "already_imported", "skipped", "rejected", "pending"];
    // Of 12 + 36 + 1 rows 4, 12 and 1 are the two people's; 8 landed before, and 8 are told of twice.
    assert_eq!(figures(&sheet, names), [49, 16, 16, 17, 0, 0]);
    let warnings: Vec<&Value> = sheet["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|warning| warning["reason"].as_str().unwrap().contains("barred"))
        .collect();
    assert_eq!(warnings.len(), 1);
    assert_eq!(
        (&warnings[0]["count"], &warnings[0]["file"], &warnings[0]["line"]),
        (&json!(17), &json!("b.csv"), &json!(2))
    );
    assert_eq!(found(&desk, &gone), Vec::<String>::new());
    assert!(!desk.files().contains(&"rejects.csv".to_owned()), "nor among the rejected rows");
    let checked = desk.run(&["check", "c.csv", "--json"]).json();
    assert_eq!(figures(&checked, ["skipped", "calls"]), [13, 0]);
}

/// A rejected row names somebody by the columns of the far end, or by a column that feeds nothing.
#[test]
fn a_rejected_row_is_left_out_only_where_it_can_name_the_barred_person() {
    let desk = Desk::new();
    desk.write("callport.toml", "[customer]\ncountry = \"US\"\n");
    let heading = "id,started_at,duration,direction,from,to,customer.email,agent,extra\n";
    let rejected = [
        "2125550130,never,1,inbound,+12125550101,+12125550199,,,",
        "r-2,never,1,inbound,+12125550101,+12125550199,,person0@example.com,2125550130",
        "r-3,never,1,inbound,(212) 555-0130,+12125550199,,,",
        "r-4,never,1,outbound,+12125550199,2125550130,,,",
        "r-5,never,1,inbound,,,Person0@example.com,,",
        "r-6,never,1,inbound,,,,,+1 212 555 0130",
    ];
    desk.write("seen.csv", export(0..6));
    stage_only(&Door::to("http://127.0.0.1:9"), &desk, "seen.csv");
    desk.run(&["forget", "--number", "+12125550130", "--email", "person0@example.com"]).with(0);
    desk.write("a.csv", format!("{heading}{}\n", rejected.join("\n")));
    let checked = desk.run(&["check", "a.csv", "--json"]).with(3).json();
    assert_eq!(figures(&checked, ["rows", "skipped", "rejected"]), [6, 4, 2], "{checked}");
    let lines: Vec<&Value> =
        checked["problems"].as_array().unwrap().iter().map(|problem| &problem["line"]).collect();
    assert_eq!(lines, [&json!(2), &json!(3)]);
}

#[test]
fn a_number_without_a_country_code_is_read_as_the_configuration_says() {
    let desk = Desk::new();
    desk.write("callport.toml", "[customer]\ncountry = \"US\"\nunknown = \"create\"\n");
    desk.write("a.csv", export(0..6).replace("+1555013", "+1212555013"));
    stage_only(&Door::to("http://127.0.0.1:9"), &desk, "a.csv");
    let forgotten = desk.run(&["forget", "--json", "--number", "(212) 555-01301"]).with(0).json();
    assert_eq!(figures(&forgotten, ["dropped"]), [0], "another number");
    let forgotten = desk.run(&["forget", "--json", "--number", "(212) 555-0130"]).with(0).json();
    assert_eq!(forgotten["barred"], 1);
    desk.run(&["forget", "--number", "anonymous"]).with(2).saying("`anonymous` is no phone number");
    desk.run(&["forget", "--email", "jo"]).with(2).saying("`jo` is no e-mail address");
}

#[test]
fn a_file_that_was_staged_by_mistake_is_dropped_and_what_was_sent_stays() {
    let (desk, _served, door) = imported_and_staged();
    let forgotten = desk.run(&["forget", "--file", "b.csv", "--json"]).with(0).json();
    assert_eq!((&forgotten["dropped"], &forgotten["kept"]["staged"]), (&json!(12), &json!(0)));
    assert_eq!(found(&desk, &["crm-00012", "gout 23"]), Vec::<String>::new());
    desk.run(&["forget", "--file", "b.csv"])
        .with(2)
        .saying("holds no calls of the file `b.csv`, but of `a.csv`");
    assert_eq!(desk.run(&["forget", "--file", "./a.csv", "--json"]).with(0).json()["dropped"], 0);
    let again = import_by(&door, &desk, &["a.csv", "--json"]).with(0).json();
    assert_eq!(figures(&again, ["imported", "already_imported", "carried_over"]), [0, 12, 0]);
    let taken_back = import_by(&door, &desk, &["b.csv", "--json"]).with(0).json();
    assert_eq!(figures(&taken_back, ["imported", "already_imported"]), [12, 0]);
}

#[test]
fn what_it_cannot_do_it_says_with_exit_code_2() {
    let (desk, served) = (Desk::new(), Served::start(&["--latency", "100"]));
    desk.run(&["forget", "--imported"]).with(2).saying("there is no checkpoint `callport.checkpoint`");
    desk.run(&["forget"]).with(2);
    desk.run(&["forget", "--imported", "--file", "a.csv"]).with(2);
    desk.write("a.csv", export(0..60));
    let appended = ["a.csv", "--set", "conversation.pack=false", "--workers", "1"];
    let mut running = desk.begin_import(&served, &appended);
    assert!(served.wait_for_changes(served.changes() + 2, &mut running));
    desk.run(&["forget", "--imported"]).with(2).saying("in use by another run");
    running.kill();
    desk.run(&["forget", "--imported"]).with(0);
    desk.import(&served, &["a.csv", "--set", "limits.settle=300ms"]).with(0);
    assert_eq!(served.references().len(), 60, "what was in flight was found all the same");
}

#[test]
fn a_kill_in_the_middle_forgets_all_or_nothing() {
    const CALLS: usize = 3_000;
    let (desk, served) = (Desk::new(), Served::start(&[]));
    desk.write("a.csv", export(0..CALLS));
    desk.import(&served, &["a.csv"]).with(0);
    let before = fs::read(desk.path("callport.checkpoint")).unwrap();
    let (mut all, mut nothing) = (0, 0);
    for wait in (0..).step_by(12) {
        // It came to its end three times before it was killed.
        if all == 3 {
            break;
        }
        for name in desk.files().into_iter().filter(|name| name != "a.csv") {
            fs::remove_file(desk.path(&name)).unwrap();
        }
        desk.write("callport.checkpoint", &before);
        let running = Running::of(&mut desk.command(&["forget", "--imported"]));
        // Nothing is waited for: this is the moment in which it is killed.
        std::thread::sleep(Duration::from_millis(wait));
        running.kill();
        desk.run(&["status"]).with(0);
        match desk.run(&["forget", "--imported", "--json"]).with(0).json()["imported"].as_u64() {
            Some(0) => all += 1,
            Some(left) if left == CALLS as u64 => nothing += 1,
            other => panic!("{other:?} calls were left after {wait} ms"),
        }
        assert_eq!(found(&desk, &PERSONAL), Vec::<String>::new(), "after {wait} ms");
    }
    assert!(nothing > 0, "it was never killed before its end");
    let again = desk.import(&served, &["a.csv", "--json"]).with(0).json();
    assert_eq!(figures(&again, ["requests", "already_imported", "changed"]), [0, CALLS as u64, 0]);
}

/// Every file that runs leave behind, in whatever way they end.
#[test]
fn every_file_that_is_left_behind_is_in_the_page_on_privacy() {
    let (desk, served) = (Desk::new(), Served::start(&["--latency", "100"]));
    desk.write("a.csv", export(0..60) + "crm-x,never,1,inbound,,,jo@example.com,,\n");
    desk.run(&["init", "a.csv"]);
    let options = [
        "--set",
        "conversation.pack=false",
        "--set",
        "customer.unknown=create",
        "--set",
        "conversation.inbox=85",
    ];
    let mut running = desk.begin_import(&served, &[&["a.csv", "--workers", "1"], &options[..]].concat());
    assert!(served.wait_for_changes(served.changes() + 2, &mut running));
    running.kill();
    let rehearse =
        [&["import", "a.csv", "--sandbox", "--checkpoint", "rehearsal.checkpoint"], &options[..]].concat();
    desk.run(&rehearse).with(3);
    desk.write("rejects.csv", "mended");
    desk.run(&rehearse);
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/privacy.md")).unwrap();
    let left = desk.files();
    assert!(left.len() >= 8, "{left:?}");
    for name in left.iter().filter(|name| *name != "a.csv") {
        let known = name.replace("rehearsal.checkpoint", "callport.checkpoint");
        assert!(page.contains(&format!("| `{known}`")), "{known} is not in docs/privacy.md");
    }
}
