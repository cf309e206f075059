//! Rows that are records of one call: it goes in once, with the others as lines of its text.

use std::{io::Write, process::Stdio};

use serde_json::Value;

use crate::{
    desk::{Desk, Ended},
    served::Served,
};

/// As Five9 writes it: every row of a call bears its id, the time is the segment's.
const FIVE9: &str = "CALL ID,TIMESTAMP,TYPE,ANI,DNIS,AGENT NAME,DISPOSITION,TALK\n\
    300000001,2024-05-01T14:05:00Z,Inbound,5550100,5550199,,Transferred,00:00:22\n\
    300000001,2024-05-01T14:05:31Z,Inbound,5550100,5550199,Ada Agent,answered,00:01:12\n\
    300000002,2024-05-01T15:00:00Z,Inbound,5550101,5550199,Bo Agent,answered,00:02:00\n\
    300000001,2024-05-01T14:07:00Z,Inbound,,,Ada Agent,Callback,\n";

const FIVE9_CONFIG: &str = "[source]\nname = \"five9\"\n[call]\nid = \"CALL ID\"\ngroup = \"CALL ID\"\n\
    started_at = \"TIMESTAMP\"\ndirection = \"TYPE\"\nfrom = \"ANI\"\nto = \"DNIS\"\nagent = \"AGENT NAME\"\n\
    status = \"DISPOSITION\"\nduration = \"TALK\"\n";

/// As Twilio writes it: a leg names its root, and may come before it. Legs to clients have no numbers.
const TWILIO: &str = "sid,parent_call_sid,start_time,direction,from,to,status,duration,answered_by\n\
    CA2,CA1,2024-05-01T14:05:31Z,outbound-dial,,client:ada,completed,72,Ada <Agent>\n\
    CA1,,2024-05-01T14:05:09Z,inbound,+15550100,+15550199,completed,120,\n\
    CA3,CA1,2024-05-01T14:05:10Z,outbound-dial,,client:bo,no-answer,0,Bo Agent\n\
    CA9,,2024-05-02T09:00:00Z,inbound,+15550101,+15550199,completed,60,Bo Agent\n";

/// The root names no group: its own id is taken.
const TWILIO_CONFIG: &str = "[source]\nname = \"twilio\"\n[call]\nid = \"sid\"\ngroup = \"parent_call_sid\"\n\
    started_at = \"start_time\"\ndirection = \"direction\"\nfrom = \"from\"\nto = \"to\"\nstatus = \"status\"\n\
    duration = \"duration\"\nagent = \"answered_by\"\n";

fn figures<const N: usize>(sheet: &Value, names: [&str; N]) -> [u64; N] {
    names.map(|name| sheet[name].as_u64().unwrap_or_else(|| panic!("no {name} in {sheet}")))
}

const ROWS: [&str; 5] = ["rows", "imported", "already_imported", "rejected", "changed"];

/// What an import tells; its sheet closes.
#[track_caller]
fn import(desk: &Desk, served: &Served, arguments: &[&str], code: i32) -> Value {
    let sheet = desk.import(served, &[arguments, &["--json"]].concat()).with(code).json();
    let [rows, imported, already, skipped, rejected, undecided, pending] = figures(
        &sheet,
        ["rows", "imported", "already_imported", "skipped", "rejected", "undecided", "pending"],
    );
    assert_eq!(rows, imported + already + skipped + rejected + undecided + pending, "{sheet}");
    sheet
}

/// The texts of all calls, as a person reads them.
fn texts(served: &Served) -> Vec<String> {
    let threads = served.world().into_values().flat_map(|conversation| conversation.threads);
    let mut texts: Vec<String> =
        threads.filter_map(|thread| thread["body"].as_str().map(callport::mapping::plain_text)).collect();
    texts.sort();
    texts
}

/// The same rows in an order that `seed` chooses.
fn shuffled(export: &str, seed: usize) -> String {
    let mut lines: Vec<&str> = export.lines().collect();
    let count = lines.len() - 1;
    for last in (1..count).rev() {
        lines.swap(last + 1, (seed * 7 + last * 3) % (last + 1) + 1);
    }
    lines.join("\n") + "\n"
}

#[test]
fn rows_that_all_bear_the_calls_id_make_one_call_of_the_earliest() {
    let (desk, served) = (Desk::new(), Served::start(&[]));
    desk.write("callport.toml", FIVE9_CONFIG);
    desk.write("calls.csv", FIVE9);
    let sheet = import(&desk, &served, &["calls.csv"], 0);
    assert_eq!(figures(&sheet, ROWS), [4, 2, 2, 0, 0]);
    let texts = texts(&served);
    assert_eq!(
        texts[0],
        "Inbound call from 5550100 to 5550199\nAgent: Ada Agent\nDuration: 22 s\nResult: Transferred\n\nLegs:\n\
         14:05:31 UTC · Ada Agent · answered · 1 min 12 s\n14:07:00 UTC · Ada Agent · Callback\n\nRef: five9 300000001"
    );
    assert!(!texts[1].contains("Legs"), "{}", texts[1]);

    let before = served.changes();
    let again = import(&desk, &served, &["calls.csv"], 0);
    assert_eq!(figures(&again, ROWS), [4, 0, 4, 0, 0]);
    assert_eq!((again["requests"].as_u64(), served.changes()), (Some(0), before));
}

#[test]
fn a_leg_may_come_before_its_root_and_without_a_number() {
    let (desk, served) = (Desk::new(), Served::start(&[]));
    desk.write("callport.toml", TWILIO_CONFIG);
    desk.write("calls.csv", TWILIO);
    let sheet = import(&desk, &served, &["calls.csv"], 0);
    assert_eq!(figures(&sheet, ROWS), [4, 2, 2, 0, 0]);
    assert_eq!(served.references(), ["twilio CA1", "twilio CA9"]);
    assert_eq!(
        texts(&served)[0],
        "Inbound call from +15550100 to +15550199\nAgent: Ada <Agent>\nDuration: 2 min\nResult: completed\n\nLegs:\n\
         14:05:10 UTC · Bo Agent · no-answer · 0 s\n14:05:31 UTC · Ada <Agent> · completed · 1 min 12 s\n\nRef: twilio CA1"
    );
}

#[test]
fn the_order_of_rows_changes_neither_calls_nor_texts_nor_the_sheet() {
    for (config, export) in [(FIVE9_CONFIG, FIVE9), (TWILIO_CONFIG, TWILIO)] {
        let mut told = None;
        for seed in 0..4 {
            let (desk, served) = (Desk::new(), Served::start(&[]));
            desk.write("callport.toml", config);
            desk.write("calls.csv", if seed == 0 { export.to_owned() } else { shuffled(export, seed) });
            let sheet = import(&desk, &served, &["calls.csv"], 0);
            let found = (figures(&sheet, ROWS), texts(&served));
            assert_eq!(*told.get_or_insert(found.clone()), found);
        }
    }
}

#[test]
fn the_same_rows_in_two_files_are_joined_once() {
    let (desk, served) = (Desk::new(), Served::start(&[]));
    desk.write("callport.toml", TWILIO_CONFIG);
    desk.write("a.csv", TWILIO);
    desk.write("b.csv", shuffled(TWILIO, 3));
    let sheet = import(&desk, &served, &["a.csv", "b.csv"], 0);
    assert_eq!(figures(&sheet, ROWS), [8, 2, 6, 0, 0]);
    assert_eq!(texts(&served)[0].matches("Ada <Agent> · ").count(), 1);
}

#[test]
fn a_leg_that_comes_a_day_later_is_never_a_call_of_its_own() {
    let (desk, served) = (Desk::new(), Served::start(&[]));
    desk.write("callport.toml", TWILIO_CONFIG);
    let rows: Vec<&str> = TWILIO.lines().collect();
    desk.write("monday.csv", format!("{}\n{}\n{}\n", rows[0], rows[1], rows[2]));
    assert_eq!(figures(&import(&desk, &served, &["monday.csv"], 0), ROWS), [2, 1, 1, 0, 0]);
    let whole = "CA4,CA1,2024-05-01T14:06:00Z,outbound,+15550199,+15550142,completed,5,Cy";
    desk.write("tuesday.csv", format!("{}\n{}\n{whole}\n{}\n", rows[0], rows[3], rows[4]));
    let sheet = import(&desk, &served, &["tuesday.csv"], 0);
    assert_eq!(figures(&sheet, ROWS), [3, 1, 2, 0, 1]);
    assert_eq!(served.references(), ["twilio CA1", "twilio CA9"]);
    let both = import(&desk, &served, &["monday.csv", "tuesday.csv"], 0);
    assert_eq!(figures(&both, ROWS), [5, 0, 5, 0, 1]);
    assert_eq!(both["requests"], 0);
}

#[test]
fn a_group_that_is_no_calls_id_is_known_in_later_runs_too() {
    let (desk, served) = (Desk::new(), Served::start(&[]));
    desk.write(
        "callport.toml",
        "[call]\nid = \"id\"\ngroup = \"session\"\nstarted_at = \"start\"\ndirection = \"direction\"\nfrom = \"from\"\n\
         agent = \"agent\"\n",
    );
    let heading = "id,session,start,direction,from,agent\n";
    let rows = [
        "r2,s1,2024-05-01T14:05:20Z,inbound,+15550100,Ada\n",
        "r1,s1,2024-05-01T14:05:09Z,inbound,+15550100,\n",
        "r3,s1,2024-05-01T14:05:30Z,inbound,+15550100,Ada\n",
    ];
    desk.write("a.csv", format!("{heading}{}{}", rows[0], rows[1]));
    assert_eq!(figures(&import(&desk, &served, &["a.csv"], 0), ROWS), [2, 1, 1, 0, 0]);
    desk.write("b.csv", format!("{heading}{}", rows[2]));
    assert_eq!(figures(&import(&desk, &served, &["b.csv"], 0), ROWS), [1, 0, 1, 0, 1]);
    assert_eq!(served.references(), ["r1"]);
    assert_eq!(
        texts(&served),
        ["Inbound call from +15550100\nAgent: Ada\n\nLegs:\n14:05:20 UTC · Ada\n\nRef: r1"]
    );
}

#[test]
fn long_cells_make_no_long_legs() {
    let (desk, served) = (Desk::new(), Served::start(&[]));
    desk.write("callport.toml", TWILIO_CONFIG);
    let long = "Ada & Bo ".repeat(50_000);
    desk.write("calls.csv", TWILIO.replace("Ada <Agent>", &long));
    assert_eq!(figures(&import(&desk, &served, &["calls.csv"], 0), ROWS), [4, 2, 2, 0, 0]);
    let told = &texts(&served)[0];
    let leg = told.lines().find(|line| line.contains("Ada & Bo Ada") && line.contains(" UTC · ")).unwrap();
    assert!(leg.ends_with('…') && leg.chars().count() < 330, "{leg}");
    assert!(told.chars().count() < 1_000, "{told}");
}

#[test]
fn legs_without_their_call_stand_in_the_rejects_file_as_they_were() {
    let (desk, served) = (Desk::new(), Served::start(&[]));
    desk.write("callport.toml", TWILIO_CONFIG);
    let orphans = TWILIO.replace("CA1,,", "CA7,,");
    desk.write("calls.csv", &orphans);
    let checked = desk.run(&["check", "calls.csv", "--json"]).with(3).json();
    assert_eq!(figures(&checked, ["rows", "calls", "rejected"]), [4, 2, 2]);
    let sheet = import(&desk, &served, &["calls.csv"], 3);
    assert_eq!(figures(&sheet, ROWS), [4, 2, 0, 2, 0]);
    let text = desk.read("rejects.csv");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 2, "{text}");
    assert_eq!((&rows[0][0], &rows[0][8], &rows[0][10]), ("CA2", "Ada <Agent>", "2"));
    assert!(rows[0][11].contains("no way to a customer") || rows[0][11].contains("cannot be told"), "{text}");
    assert!(rows[0][11].contains("its call is not in the input"), "{text}");
    let again = import(&desk, &served, &["calls.csv"], 0);
    assert_eq!(figures(&again, ["rejected", "rejected_before"]), [2, 2]);

    // With the row of their call, they are its legs.
    desk.write("root.csv", TWILIO.lines().take(3).collect::<Vec<_>>().join("\n"));
    let sheet = import(&desk, &served, &["rejects.csv", "root.csv"], 0);
    assert_eq!(figures(&sheet, ["imported", "already_imported", "rejected"]), [1, 3, 0], "{sheet}");
    assert_eq!(served.references(), ["twilio CA1", "twilio CA7", "twilio CA9"]);
}

#[test]
fn a_root_that_is_at_fault_takes_its_legs_with_it_until_it_is_mended() {
    let (desk, served) = (Desk::new(), Served::start(&[]));
    desk.write("callport.toml", TWILIO_CONFIG);
    let whole = "CA4,CA1,2024-05-01T14:06:00Z,outbound,+15550199,+15550142,completed,5,Cy\n";
    desk.write("calls.csv", TWILIO.replace("T14:05:09Z", "T25:05:09Z") + whole);
    let sheet = import(&desk, &served, &["calls.csv"], 3);
    assert_eq!(figures(&sheet, ROWS), [5, 1, 0, 4, 0]);
    let rejects = desk.read("rejects.csv");
    assert!(rejects.contains("told of by calls.csv:3, which is rejected"), "{rejects}");
    desk.write("mended.csv", rejects.replace("T25:05:09Z", "T14:05:09Z"));
    let sheet = import(&desk, &served, &["mended.csv"], 0);
    assert_eq!(figures(&sheet, ROWS), [4, 1, 3, 0, 0]);
    assert_eq!(served.references(), ["twilio CA1", "twilio CA9"]);
}

#[test]
fn orphans_of_standard_input_are_written_back_as_they_were() {
    let (desk, served) = (Desk::new(), Served::start(&[]));
    desk.write("callport.toml", TWILIO_CONFIG);
    let mut command = desk.import_command(&served, &["-", "--json"]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(TWILIO.replace("CA1,,", "CA7,,").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let ended = Ended {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    };
    assert_eq!(ended.with(3).json()["rejected"], 2);
    let rejects = desk.read("rejects.csv");
    assert!(rejects.contains("CA3,CA1,2024-05-01T14:05:10Z,outbound-dial,,client:bo"), "{rejects}");
}

#[test]
fn a_sample_takes_a_call_with_its_legs_and_a_span_and_a_skip_take_rows() {
    let (desk, served) = (Desk::new(), Served::start(&[]));
    desk.write("callport.toml", TWILIO_CONFIG);
    desk.write("calls.csv", TWILIO);
    let sample = import(&desk, &served, &["calls.csv", "--limit", "1"], 0);
    assert_eq!(figures(&sample, ROWS), [3, 1, 2, 0, 0]);
    let all = import(&desk, &served, &["calls.csv"], 0);
    assert_eq!(figures(&all, ROWS), [4, 1, 3, 0, 0]);

    let fresh = ["--checkpoint", "other", "--set", "account.share_tag=true"];
    let until = ["check", "calls.csv", "--json", "--until", "2024-05-01T14:05:31Z"];
    let sheet = desk.run(&[&until[..], &fresh[..2]].concat()).with(0).json();
    assert_eq!(figures(&sheet, ["rows", "calls", "already_imported"]), [2, 1, 1]);
    let skip = ["check", "calls.csv", "--json", "--set", "source.skip={{ status == 'no-answer' }}"];
    let sheet = desk.run(&[&skip[..], &fresh[..2]].concat()).with(0).json();
    assert_eq!(figures(&sheet, ["rows", "calls", "skipped", "already_imported"]), [4, 2, 1, 1]);
}

#[test]
fn a_template_places_the_legs_and_json_is_read_alike() {
    let (desk, served) = (Desk::new(), Served::start(&[]));
    let config = TWILIO_CONFIG.to_owned() + "[text]\ntemplate = \"{{ legs }}\\n{{ status }}\"\n";
    desk.write("callport.toml", config);
    desk.write(
        "calls.jsonl",
        "{\"sid\": \"B\", \"parent_call_sid\": \"A\", \"start_time\": \"2024-05-01T14:06:00Z\", \"answered_by\": \"Ada\"}\n\
         {\"sid\": \"A\", \"start_time\": \"2024-05-01T14:05:00Z\", \"direction\": \"inbound\", \"from\": \"+15550100\", \
         \"status\": \"done\"}\n",
    );
    let sheet = import(&desk, &served, &["calls.jsonl"], 0);
    assert_eq!(figures(&sheet, ROWS), [2, 1, 1, 0, 0]);
    assert_eq!(texts(&served), ["Legs:\n14:06:00 UTC · Ada\ndone\nRef: twilio A"]);
}

#[test]
fn rows_are_joined_by_a_column_that_is_named_alike_in_csv_and_json() {
    let rows = [("A", "", "2024-05-01T14:05:00Z"), ("B", "A", "2024-05-01T14:06:00Z")];
    let csv = rows.map(|(id, group, start)| format!("{id},{group},{start},inbound,+15550100\n")).concat();
    let json = rows.map(|(id, group, start)| {
        let row = serde_json::json!({
            "id": id, "call_group": group, "started_at": start, "direction": "inbound", "from": "+15550100",
        });
        format!("{row}\n")
    });
    let desk = Desk::new();
    desk.write("calls.csv", format!("id,call_group,started_at,direction,from\n{csv}"));
    desk.write("calls.jsonl", json.concat());
    for file in ["calls.csv", "calls.jsonl"] {
        let counts = |more: &[&str]| {
            let checked = desk.run(&[&["check", file, "--json"], more].concat()).with(0).json();
            figures(&checked, ["calls", "already_imported"])
        };
        assert_eq!(counts(&[]), [2, 0], "{file}");
        assert_eq!(counts(&["--set", "call.group=call_group"]), [1, 1], "{file}");
    }
}

#[test]
fn init_shows_a_call_of_several_rows_as_check_does() {
    for (file, more) in [
        ("ringcentral-csv-detailed/detailed.csv", &["--set", "source.time_zone=UTC"][..]),
        ("zendesk-talk-legs/talk.jsonl", &["--set", "customer.hidden=456"]),
    ] {
        let desk = Desk::with_fixtures();
        let file = format!("fixtures/presets/{file}");
        let set = ["--set", "customer.unknown=create", "--set", "conversation.inbox=85"];
        let begun = desk.run(&[&["init", &file][..], &set, more].concat()).with(0).out;
        let shown = desk.run(&["check", "--show", "3", "--quiet"]).out;
        // `check` has them by conversation, `init` in the order of the file.
        let calls = |text: &str| {
            let lines = text.lines().skip_while(|line| !line.starts_with("── "));
            let is_call = |line: &&str| line.is_empty() || line.starts_with("── ") || line.starts_with("   ");
            let lines: Vec<&str> = lines.take_while(is_call).collect();
            let mut calls: Vec<String> =
                lines.join("\n").split("── ").map(|call| call.trim().to_owned()).collect();
            calls.sort();
            calls
        };
        assert!(calls(&begun).iter().any(|call| call.contains("Legs:")), "{begun}");
        assert_eq!(calls(&begun), calls(&shown));
    }
}
