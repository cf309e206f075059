//! The script that sets callport beside what an engineer would use instead still runs, and counts rightly.

use std::{collections::BTreeMap, path::Path, process::Command};

use crate::desk::{Desk, Ended};

const SCRIPT: &str = "benches/compare/run";

/// Between these two lines of a document stands the table.
const PLACE: [&str; 2] = ["<!-- compare: begin -->\n", "<!-- compare: end -->\n"];

/// Whether `program` can be started here; a test that needs it says that it was left out where it cannot.
fn is_there(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        println!("left out: `{program}` is not installed");
    }
    found
}

/// Runs the script without a network, with few calls, where each so-manieth answer is lost.
fn compare(desk: &Desk, lost_every: &str, arguments: &[&str]) -> Ended {
    let mut command = Command::new("python3");
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(SCRIPT)).arg("--offline").args(arguments);
    command.env("CALLPORT_BIN", env!("CARGO_BIN_EXE_callport")).env("TMPDIR", desk.path(""));
    let sizes =
        [("CALLS", "40"), ("CURLED", "8"), ("LOST_OF", "24"), ("LOST_EVERY", lost_every), ("STAGED", "40")];
    for (name, size) in sizes {
        command.env(format!("CALLPORT_COMPARE_{name}"), size);
    }
    Ended::of(&mut command)
}

/// The cells of the table by their headings, a row each.
fn rows(table: &str) -> Vec<BTreeMap<String, String>> {
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let mut lines = table.lines().filter(|line| line.starts_with('|'));
    let headings = cells(lines.next().expect("there is a table"));
    lines.skip(1).map(|line| headings.iter().cloned().zip(cells(line)).collect()).collect()
}

#[test]
fn the_readme_quotes_a_table_of_every_contender() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let (_, rest) = readme.split_once(PLACE[0]).expect("the table has a place");
    let (table, rest) = rest.split_once(PLACE[1]).expect("the table has an end");
    assert!(!rest.contains(PLACE[0]) && !rest.contains(PLACE[1]), "one place");
    let whats: Vec<String> = rows(table).into_iter().map(|row| row["what"].clone()).collect();
    for (what, begin) in
        whats.iter().zip(["callport", "callport, one", "asyncio", "GNU", "staging", "staging"])
    {
        assert!(what.starts_with(begin), "{what}");
    }
    assert_eq!(whats.len(), 6, "{whats:?}");
}

#[test]
fn both_ways_of_callport_stand_in_one_table_with_their_cost_and_what_was_lost() {
    if !is_there("python3") {
        return;
    }
    let desk = Desk::new();
    let table = compare(&desk, "3", &["--only", "packed,single,asyncio"]).with(0).out;
    let rows = rows(&table);
    let column = |name: &str| rows.iter().map(|row| row[name].as_str()).collect::<Vec<_>>();
    assert_eq!(column("calls")[..2], ["40", "40"], "{table}");
    // Five creates, or forty writes; and what the account is asked at first: who we are, its inboxes, what it holds of
    // earlier imports, and both proofs.
    assert_eq!(column("rate units")[..2], ["15", "88"], "{table}");
    assert_eq!(column("hours for 40 calls")[..2], ["0.00", "0.00"], "{table}");
    // Of three creates, or 24 writes, each third.
    assert_eq!(column("calls twice, for answers lost")[..2], ["0 of 1", "0 of 8"], "{table}");
    assert!(column("calls")[2].starts_with("skipped: its packages come from the network"), "{table}");
    assert_eq!(desk.files(), [""; 0], "it leaves nothing behind");
}

#[test]
fn others_are_measured_where_they_are_installed_and_a_table_in_a_document_is_replaced() {
    if !is_there("python3") {
        return;
    }
    let desk = Desk::new();
    desk.write("page.md", "before\n<!-- compare: begin -->\nold\n<!-- compare: end -->\nbehind\n");
    let page = desk.path("page.md");
    let into = ["--only", "parallel,staging", "--into", page.to_str().unwrap()];
    assert_eq!(compare(&desk, "12", &into).with(0).out, "");
    let page = desk.read("page.md");
    let (head, rest) = page.split_once(PLACE[0]).unwrap();
    assert_eq!((head, rest.ends_with("\n<!-- compare: end -->\nbehind\n")), ("before\n", true), "{page}");
    assert!(!page.contains("old\n") && page.contains(" cores, "), "{page}");
    let rows = rows(&page);
    let calls: Vec<&str> = rows.iter().map(|row| row["calls"].as_str()).collect();
    if is_there("parallel") && is_there("curl") {
        assert_eq!((calls[0], rows[0]["rate units"].as_str()), ("8", "16"), "{page}");
        assert_eq!(rows[0]["calls twice, for answers lost"], "2 of 2", "each is sent again: {page}");
    } else {
        assert!(calls[0].ends_with("is not installed (apt install parallel)"), "{page}");
    }
    if is_there("sqlite3") {
        assert_eq!(calls[1..], ["40", "40"], "{page}");
    } else {
        assert!(calls[1].ends_with("is not installed (apt install sqlite3)"), "{page}");
    }
}
