//! What can be read: standard input, compressed files, globs, other forms; and which of it is taken.

use std::{io::Write, process::Stdio};

use crate::{
    call_log::{CallLog, id},
    desk::{Desk, Ended},
    served::Served,
};

#[test]
fn standard_input_compressed_files_and_globs_are_read() {
    let (desk, served) = (Desk::new(), Served::start(&[]));
    let mut compressed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    compressed.write_all(CallLog::numbered(0..10, 3, |_| None).csv().as_bytes()).unwrap();
    desk.write("a.csv.gz", compressed.finish().unwrap());
    desk.write("more/b1.csv", CallLog::numbered(10..20, 3, |_| None).csv());
    desk.write("more/b2.csv", CallLog::numbered(20..30, 3, |_| None).csv());
    let piped = CallLog::numbered(30..40, 3, |_| None).csv();

    let ended = import_piped(&desk, &served, &["a.csv.gz", "more/*.csv", "-", "--json"], &piped);
    assert_eq!(ended.with(0).json()["imported"], 40);
    assert_eq!(served.references(), CallLog::of(40, 3).references());
}

fn import_piped(desk: &Desk, served: &Served, arguments: &[&str], input: &str) -> Ended {
    let mut command = desk.import_command(served, arguments);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    Ended {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn a_row_of_standard_input_that_another_contradicts_is_written_back_as_it_was() {
    let (desk, served) = (Desk::new(), Served::start(&[]));
    let rows = "id,started_at,direction,from,to,notes\n\
                a,2021-03-01T09:00:00Z,inbound,+15550101,+15550199,x\n\
                a,2021-03-01T09:00:00Z,inbound,+15550101,+15550199,other words\n";
    for imported in [1, 0] {
        let sheet = import_piped(&desk, &served, &["-", "--json"], rows)
            .with(if imported == 1 { 3 } else { 0 })
            .json();
        assert_eq!((&sheet["imported"], &sheet["rejected"]), (&imported.into(), &1.into()));
        assert!(
            desk.read("rejects.csv").contains("+15550199,other words,-,3,"),
            "{}",
            desk.read("rejects.csv")
        );
    }
}

#[test]
fn the_fixtures_in_other_forms_go_in_as_their_notes_say() {
    let (desk, served) = (Desk::with_fixtures(), Served::start(&[]));
    let import = |arguments: &[&str]| {
        let checkpoint = format!("{}.checkpoint", arguments[0].trim_start_matches("--"));
        desk.import(
            &served,
            &[arguments, &["--json", "--checkpoint", &checkpoint.replace('/', "-")]].concat(),
        )
    };
    let jsonl = import(&["--config", "fixtures/jsonl/callport.toml"]).with(3).json();
    assert_eq!((jsonl["imported"].as_u64(), jsonl["rejected"].as_u64()), (Some(5), Some(3)));
    assert!(jsonl["rejects_file"].as_str().unwrap().ends_with("rejects.jsonl"), "{jsonl}");
    let share = ["--set", "account.share_tag=true"];
    let sheet = import(&[&["fixtures/semicolon-crlf-bom/calls.csv"][..], &share].concat()).with(0).json();
    assert_eq!(sheet["imported"], 3);
    let pages = import(&[&["fixtures/json-envelope/calls.json"][..], &share].concat()).with(0).json();
    assert_eq!(pages["imported"], 4);
    let switch =
        ["fixtures/no-headings-utf-16/calls.txt", "--config", "fixtures/no-headings-utf-16/callport.toml"];
    let sheet = import(&[&switch[..], &share].concat()).with(0).json();
    assert_eq!((sheet["rows"].as_u64(), sheet["imported"].as_u64()), (Some(3), Some(3)));
    let clocks = ["fixtures/clock-changes/calls.csv", "--time-zone", "Europe/Berlin"];
    let sheet = import(&[&clocks[..], &share].concat()).with(3).json();
    assert_eq!((sheet["imported"].as_u64(), sheet["rejected"].as_u64()), (Some(5), Some(2)));
}

#[test]
fn a_span_leaves_rows_out_as_if_they_were_not_there() {
    let (desk, served) = (Desk::new(), Served::start(&[]));
    desk.write("calls.csv", CallLog::of(72, 5).csv());
    let span = ["calls.csv", "--json", "--since", "2019-01-02T00:00:00Z", "--until", "2019-01-03T00:00:00Z"];
    let sheet = desk.import(&served, &span).with(0).json();
    assert_eq!((sheet["rows"].as_u64(), sheet["imported"].as_u64()), (Some(24), Some(24)));
    assert_eq!(served.references(), (24..48).map(id).collect::<Vec<_>>());
    let by_date =
        ["check", "calls.csv", "--json", "--since", "2019-01-02", "--time-zone", "America/New_York"];
    let fresh = [&by_date[..], &["--checkpoint", "other"]].concat();
    assert_eq!(
        desk.run(&fresh).with(0).json()["rows"],
        72 - 24 - 5,
        "a date begins by the clock of its zone"
    );
    let checked = desk.run(&["check", "calls.csv", "--json"]).with(0).json();
    assert_eq!((checked["calls"].as_u64(), checked["already_imported"].as_u64()), (Some(48), Some(24)));
}

#[test]
fn a_sample_holds_whole_conversations() {
    let (desk, served) = (Desk::new(), Served::start(&[]));
    desk.write("calls.csv", CallLog::of(30, 6).csv());
    let sheet = desk.import(&served, &["calls.csv", "--json", "--limit", "13"]).with(0).json();
    assert_eq!((sheet["rows"].as_u64(), sheet["imported"].as_u64()), (Some(10), Some(10)), "{sheet}");
    let sizes: Vec<usize> = served.world().values().map(|one| one.threads.len()).collect();
    assert_eq!(sizes, [5, 5]);
    let all = desk.import(&served, &["calls.csv", "--json"]).with(0).json();
    assert_eq!((all["imported"].as_u64(), all["already_imported"].as_u64()), (Some(20), Some(10)));
}

#[test]
fn records_that_share_a_line_are_each_accounted_for() {
    let (desk, served) = (Desk::new(), Served::start(&[]));
    let call = |id: &str, notes: &str| {
        serde_json::json!({
            "id": id, "started_at": "2021-03-01T09:00:00Z", "direction": "inbound",
            "from": "+15550101", "to": "+15550199", "notes": notes,
        })
    };
    let write = |calls: &[serde_json::Value]| {
        desk.write("calls.json", serde_json::json!({ "calls": calls, "next_page": null }).to_string());
    };
    let mut calls = vec![call("a", "x"), call("a", "y"), call("a", "z"), call("b", "x")];
    write(&calls);
    let sheet = desk.import(&served, &["calls.json", "--json"]).with(3).json();
    assert_eq!((&sheet["rows"], &sheet["imported"], &sheet["rejected"]), (&4.into(), &2.into(), &2.into()));
    let rejects = desk.read("rejects.jsonl");
    for notes in ["y", "z"] {
        let row = rejects.lines().find(|line| line.contains(&format!("\"notes\":\"{notes}\""))).unwrap();
        assert!(row.contains("\"id\":\"a\"") && row.contains("told of in other words"), "{row}");
    }
    let again = desk.import(&served, &["calls.json", "--json"]).with(0).json();
    assert_eq!(again["rejected_before"], 2, "rejected alike by the run before");
    calls.push(call("b", "w"));
    write(&calls);
    let more = desk.import(&served, &["calls.json", "--json"]).with(3).json();
    assert_eq!((&more["rejected"], &more["rejected_before"]), (&3.into(), &2.into()), "one is new");
}

#[test]
fn of_two_lists_of_records_a_person_says_which_is_meant() {
    let desk = Desk::new();
    let call = "{\"id\":\"a\",\"started_at\":\"2021-03-01T09:00:00Z\",\"direction\":\"inbound\",\"from\":\"+15550101\"}";
    desk.write("calls.json", ["{\"users\":[{\"id\":1}],\n\"calls\":[", call, "]}"].concat());
    for command in ["init", "check"] {
        let told = desk.run(&[command, "calls.json"]).with(2).err;
        let words = "`calls.json` holds two lists of records, `users` and `calls` (line 1): set `source.records` to the one \
                     that is meant, `/users` or `/calls`";
        assert!(told.contains(words), "{told}");
    }
    let set = ["check", "calls.json", "--json", "--set", "source.records=/calls"];
    assert_eq!(desk.run(&set).with(0).json()["calls"], 1);
}
