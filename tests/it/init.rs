//! `init`: what it writes, what it refuses, and what `check` and `import` make of files that no configuration maps.

use crate::{call_log::CallLog, desk::Desk, served::Served};

const UNKNOWN: &str = "When;Who called;Dauer;Direction;Bemerkung\n\
    03.04.2026 14:05;+1 555 0100;00:01:05;eingehend;said \"hello\"\n\
    30.03.2026 09:00;+1 555 0101;00:00:10;ausgehend;\n";

/// The configuration with its open lines filled in.
fn filled_in(desk: &Desk, values: &[(&str, &str)]) {
    let mut text = desk.read("callport.toml");
    for (key, value) in values {
        let open = format!("\n{key} = \"?\"\n");
        assert!(text.contains(&open), "{key}: {text}");
        text = text.replace(&open, &format!("\n{key} = {value}\n"));
    }
    assert!(!text.contains("\"?\""), "{text}");
    desk.write("callport.toml", text);
}

#[test]
fn the_columns_of_an_unknown_form_are_guessed_with_why_and_what_is_open_is_asked_for() {
    let desk = Desk::new();
    desk.write("log.csv", UNKNOWN);
    let told = desk.run(&["init", "log.csv"]).with(0);
    assert!(told.out.contains("Inbound call from +1 555 0100"), "{}", told.out);
    let written = desk.read("callport.toml");
    for line in [
        "started_at = \"When\"",
        "# low: no other column is like it: its values are phone numbers",
        "phone = \"Who called\"",
        "# `30.03.2026 09:00` can only have the day first",
        "date_order = \"day_first\"",
        "time_zone = \"?\"",
        "# fair: `eingehend` is in it\n\"eingehend\" = \"inbound\"",
        "# Columns that feed nothing: `Bemerkung`",
    ] {
        assert!(written.contains(&format!("{line}\n")), "{line}\n{written}");
    }
    let refused = desk.run(&["check"]).with(2);
    assert!(refused.err.contains("`source.time_zone` is still to be filled in: the zone"), "{}", refused.err);
    filled_in(&desk, &[("time_zone", "\"Europe/Berlin\""), ("unknown", "\"create\""), ("inbox", "85")]);
    let shown = desk.run(&["check", "--show", "2"]).with(0).out;
    assert!(shown.contains("2026-04-03T12:05:00Z") && shown.contains("2026-03-30T07:00:00Z"), "{shown}");
}

#[test]
fn a_configuration_that_is_there_is_overwritten_only_by_force() {
    let desk = Desk::new();
    desk.write("log.csv", UNKNOWN);
    desk.write("callport.toml", "# mine\n");
    let told = desk.run(&["init", "log.csv"]).with(2).err;
    assert!(told.contains("`callport.toml` is there already: `--force`"), "{told}");
    assert_eq!(desk.read("callport.toml"), "# mine\n");
    desk.run(&["init", "log.csv", "--config", "other.toml"]).with(0);
    assert_eq!(desk.read("callport.toml"), "# mine\n");
    desk.run(&["init", "log.csv", "--force"]).with(0);
    assert!(desk.read("callport.toml").starts_with("# Written by `callport init` on "));
    assert_eq!(desk.files(), ["callport.toml", "log.csv", "other.toml"], "nothing else is left behind");
}

#[cfg(unix)]
#[test]
fn what_it_writes_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = Desk::new();
    desk.write("log.csv", UNKNOWN);
    desk.run(&["init", "log.csv"]).with(0);
    let mode = std::fs::metadata(desk.path("callport.toml")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    desk.run(&["init", "log.csv", "--config", "no/such/folder.toml"]).with(2);
}

#[test]
fn what_is_no_call_log_is_told_in_one_sentence_and_nothing_is_written() {
    let desk = Desk::new();
    desk.write("a.csv", "<!DOCTYPE html><html><body>Sign in</body></html>");
    desk.write("b.csv", b"\x89PNG\r\n\x1a\n\0\0".as_slice());
    desk.write("c.csv", "");
    desk.write("d.csv", "name,colour\nJo,red\nBo,blue\n");
    desk.write("e/f.csv", UNKNOWN);
    for (name, words) in [
        ("a.csv", "is an HTML page"),
        ("b.csv", "is a picture"),
        ("c.csv", "is empty"),
        ("d.csv", "seems to be no call log"),
        ("e", "is a folder"),
        ("none.csv", "does not exist"),
        ("-", "init` needs a file"),
    ] {
        let told = desk.run(&["init", name]).with(2).err;
        assert!(told.contains(words) && told.trim_end().lines().count() == 1, "{name}: {told}");
    }
    assert_eq!(desk.files(), ["a.csv", "b.csv", "c.csv", "d.csv", "e"]);
}

#[test]
fn a_file_without_headings_is_refused_before_its_first_call_is_lost() {
    let desk = Desk::new();
    let rows = "2026-03-30T14:05:09Z,+15550100,65,inbound\n2026-03-30T15:00:00Z,+15550101,0,outbound\n";
    desk.write("log.csv", rows);
    desk.write(
        "callport.toml",
        "[call]\nstarted_at = '2026-03-30T14:05:09Z'\ndirection = 'inbound'\nfrom = '+15550100'\nto = '+15550100'\n",
    );
    for command in
        [&["init", "log.csv", "--force"][..], &["check", "log.csv"], &["import", "log.csv", "--sandbox"]]
    {
        let told = desk.run(command).with(2).err;
        let words = "has no headings: line 1 reads like a row (`2026-03-30T14:05:09Z` is a time): set `source.header`";
        assert!(told.contains(words), "{command:?}: {told}");
    }
    let numbered = "[source]\nheader = false\n[call]\nstarted_at = 'column 1'\ndirection = 'column 4'\n\
                    from = 'column 2'\nto = 'column 2'\nduration = 'column 3'\n";
    desk.write("callport.toml", numbered);
    assert_eq!(desk.run(&["check", "log.csv", "--json"]).with(0).json()["calls"], 2);
}

#[test]
fn how_a_file_is_read_can_be_said_and_is_written_down_and_kept() {
    let desk = Desk::new();
    desk.write(
        "log.csv",
        b"Report of M\xe4rz\nStart;Nummer;Notiz;Richtung\n2026-03-30T14:05:09Z;+15550100;Gru\xdf;in\n"
            .as_slice(),
    );
    let told = desk.run(&["init", "log.csv", "--set", "source.skip_lines=1"]).with(2).err;
    for words in [
        "holds no row that can be read; the first one, on line 3, has bytes that are not UTF-8: save",
        "`callport init FILE --set KEY=VALUE` reads the file by it",
    ] {
        assert!(told.contains(words), "{words}\n{told}");
    }
    let set = [
        "--set",
        "source.encoding=windows-1252",
        "--set",
        "source.skip_lines=1",
        "--set",
        "call.notes=Notiz",
    ];
    let told = desk.run(&[&["init", "log.csv"][..], &set].concat()).with(0).out;
    assert!(told.contains("Gruß"), "{told}");
    let all = "[source]\n# Part of what a call is known by: name the previous platform once, and never change it after an \
               import.\n# name = \"previous-platform\"\nfiles = [\"log.csv\"]\n# As it was given to `init`.\n\
               encoding = \"windows-1252\"\n# As it was given to `init`.\nskip_lines = 1\n";
    assert!(desk.read("callport.toml").contains(all), "{}", desk.read("callport.toml"));
    assert!(desk.read("callport.toml").contains("notes = \"Notiz\"\n"));
    assert!(!desk.read("callport.toml").contains("feed nothing"), "what was named feeds something");
    // What `check` told to write there is not lost when the rest is written anew.
    let told = desk.run(&["init", "log.csv", "--force", "--set", "conversation.inbox=85", "--json"]).with(0);
    assert!(told.err.contains("kept from `callport.toml`: encoding, skip_lines"), "{}", told.err);
    assert_eq!(told.json()["to_fill_in"], serde_json::json!(["customer.unknown"]));
    let written = desk.read("callport.toml");
    assert!(
        written.contains("# Kept from the file that stood here.\nencoding = \"windows-1252\"\n"),
        "{written}"
    );
    assert!(written.contains("inbox = \"85\"\n") && !written.contains("Notiz\"\n"), "{written}");
    filled_in(&desk, &[("unknown", "'create'")]);
    assert_eq!(desk.run(&["check", "--json"]).with(0).json()["calls"], 1);
    for (set, instead) in
        [("source.files=x", "name the files as arguments"), ("source.preset=x", "use `--preset`")]
    {
        let told = desk.run(&["init", "log.csv", "--force", "--set", set]).with(2).err;
        assert!(told.contains(instead), "{told}");
    }
}

#[test]
fn a_preset_is_recognised_as_the_file_is_said_to_be_read() {
    let desk = Desk::new();
    let text = std::fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/presets/aircall/v3.csv"),
    );
    desk.write("log.csv", ["Exported\nby Aircall\n", &text.unwrap()].concat());
    let set = ["--set", "source.skip_lines=2"];
    let begun = desk.run(&[&["init", "log.csv", "--json"][..], &set].concat()).with(0).json();
    assert_eq!(begun["preset"], "aircall");
    assert!(desk.read("callport.toml").contains("skip_lines = 2\n"));
    let told = desk.run(&[&["check", "log.csv", "--config", "none.toml"][..], &set].concat());
    assert!(told.err.contains("none.toml"), "{}", told.err);
    desk.write("empty.toml", "[source]\nskip_lines = 2\n");
    let told = desk.run(&["check", "log.csv", "--config", "empty.toml"]);
    assert!(told.err.contains("recognised: Aircall"), "{}", told.err);
}

#[test]
fn what_few_rows_cannot_tell_is_not_claimed() {
    let desk = Desk::new();
    desk.write("log.csv", "id,call_id,started_at,phone\n1,a,2026-03-30T14:05:09Z,+15550100\n");
    desk.run(&["init", "log.csv"]).with(0);
    let why = "# fair: its heading says so; there are too few rows to see whether each has its own\nid = \"call_id\"\n";
    assert!(desk.read("callport.toml").contains(why), "{}", desk.read("callport.toml"));
}

#[test]
fn an_open_entry_of_a_table_or_a_list_is_no_value() {
    let desk = Desk::new();
    desk.write("own.csv", CallLog::of(3, 2).csv());
    desk.write(
        "callport.toml",
        "[conversation]\ntags = [\"?\"]\n[values.direction]\nin = \"inbound\"\nx = \"?\"\n",
    );
    let told = desk.run(&["check", "own.csv"]).with(2).err;
    for key in ["callport.toml:2: `conversation.tags`", "callport.toml:3: `values.direction.\"x\"`"] {
        assert!(told.contains(&format!("{key} is still to be filled in")), "{key}: {told}");
    }
}

#[test]
fn whether_a_call_was_answered_becomes_its_result() {
    let desk = Desk::new();
    desk.write(
        "log.csv",
        "Start,From,Direction,Answered\n2026-03-30T14:05:09Z,+15550100,in,Yes\n2026-03-30T15:05:09Z,+15550101,in,No\n",
    );
    let told = desk.run(&["init", "log.csv"]).with(0).out;
    assert!(told.contains("Result: answered") && told.contains("Result: missed"), "{told}");
    let why = "[values.status]\n# fair: the heading is `Answered`\n\"No\" = \"missed\"\n# fair: the heading is `Answered`\n\
               \"Yes\" = \"answered\"\n";
    assert!(desk.read("callport.toml").contains(why), "{}", desk.read("callport.toml"));
}

#[test]
fn headings_and_words_with_line_breaks_and_control_characters_do_no_harm() {
    let desk = Desk::new();
    let row = |way: &str| format!("2026-03-30T14:05:09Z,\"{way}\",+15550100,x\n");
    let rows = [row("eingehend"), row("outgoing\n(extern)"), row("incoming\u{1}")].concat();
    desk.write("log.csv", ["\"Start\n(UTC)\",Direction,Caller,\"a\u{2}b\"\n", &rows].concat());
    let told = desk.run(&["init", "log.csv", "--set", "values.direction.eingehend=inbound"]).with(0);
    assert!(told.out.contains("Inbound call from +15550100"), "{}", told.out);
    desk.run(&["init", "log.csv", "--force"]).with(0);
    let written = desk.read("callport.toml");
    for line in [
        "started_at = \"Start\\n(UTC)\"",
        "\"eingehend\" = \"inbound\"\n# Left out: 2 words with a line break or a control character in it, which",
    ] {
        assert!(written.contains(line), "{line}\n{written}");
    }
}

#[test]
fn the_customers_number_is_asked_for_where_nobody_can_tell_it() {
    let desk = Desk::new();
    desk.write("log.csv", "Start,Phone 1,Phone 2\n2026-03-30T14:05:09Z,+15550100,+15550199\n");
    let told = desk.run(&["init", "log.csv"]).with(0).out;
    let open = "wrote callport.toml; to fill in: customer.phone, customer.unknown, conversation.inbox\n\
                next: fill in the lines marked FILL IN in callport.toml, then `callport check`\n";
    assert!(told.ends_with(open), "{told}");
    assert!(desk.read("callport.toml").contains("phone numbers are in `Phone 1` and `Phone 2`"));
    let refused = desk.run(&["check"]).with(2).err;
    assert!(refused.contains("`customer.phone` is still to be filled in"), "{refused}");
    filled_in(&desk, &[("phone", "'Phone 1'"), ("unknown", "'create'"), ("inbox", "85")]);
    assert_eq!(desk.run(&["check", "--json"]).with(0).json()["calls"], 1);
    let set = [
        "--set",
        "customer.phone=Phone 1",
        "--set",
        "customer.unknown=create",
        "--set",
        "conversation.inbox=85",
    ];
    let told = desk.run(&[&["init", "log.csv", "--config", "other.toml"][..], &set].concat()).with(0).out;
    assert!(told.ends_with("wrote other.toml\nnext: `callport check --config other.toml`\n"), "{told}");
}

#[test]
fn what_the_preset_maps_and_the_file_does_not_have_is_told() {
    let desk = Desk::new();
    desk.write(
        "calls.csv",
        "hs_object_id,hs_timestamp,hs_call_direction,hs_call_from_number,hs_call_to_number\n\
         1,2026-03-02T23:30:05Z,INBOUND,+12125550142,+12125550199\n",
    );
    let told = desk.run(&["init", "calls.csv"]).with(0).out;
    let fields = "call.agent, call.duration, call.notes, call.recording, call.status";
    let line = format!("\nthe file has no column for these fields of the preset: {fields}\n");
    assert!(told.contains(&line), "{told}");
    let written = desk.read("callport.toml");
    assert!(
        written.contains("# The file has no column for these of them, which stay empty: call.agent"),
        "{written}"
    );
    let without =
        desk.run(&["init", "calls.csv", "--force", "--json"]).with(0).json()["without_column"].clone();
    assert_eq!(without.as_array().unwrap().len(), 5, "{without}");
}

#[test]
fn the_presets_are_listed_with_how_sure_they_are() {
    let desk = Desk::new();
    let listed = desk.run(&["init", "--list-presets", "--json"]).with(0).json();
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.len(), callport::mapping::PRESETS.len());
    assert_eq!(listed[0]["name"], "aircall");
    assert!(
        listed
            .iter()
            .all(|one| ["documented", "seen", "guess"].contains(&one["confidence"].as_str().unwrap()))
    );
    let text = desk.run(&["init", "--list-presets"]).with(0).out;
    assert_eq!(text.lines().count(), listed.len());
    let told = desk.run(&["check", "x.csv", "--preset", "twilio"]).with(2).err;
    assert!(told.contains("of which there are several: twilio-api, twilio-csv"), "{told}");
    let told = desk.run(&["check", "x.csv", "--preset", "aircal"]).with(2).err;
    assert!(told.contains("did you mean `aircall`?"), "{told}");
}

#[test]
fn a_file_that_is_recognised_needs_no_configuration() {
    let (desk, served) = (Desk::with_fixtures(), Served::start(&[]));
    let file = "fixtures/presets/aircall/v3.csv";
    let told = desk.run(&["check", file]);
    assert!(
        told.err.contains("recognised: Aircall, ") && told.err.contains("(preset `aircall`)"),
        "{}",
        told.err
    );
    let sheet = desk.import(&served, &[file, "--json", "--quiet"]).json();
    assert!(sheet["imported"].as_u64().unwrap() > 3, "{sheet}");
    assert!(
        served.references().iter().all(|reference| reference.starts_with("aircall 16")),
        "{:?}",
        served.references()
    );
    let both = desk.run(&["check", file, "fixtures/presets/five9/call-log.csv"]).with(2).err;
    assert!(both.contains("different forms"), "{both}");
    let both = desk.run(&["init", file, "fixtures/presets/five9/call-log.csv"]).with(2).err;
    assert!(both.contains("write a configuration for each"), "{both}");
}

#[test]
fn a_file_that_is_not_recognised_ends_with_two_and_the_advice() {
    let desk = Desk::new();
    desk.write("log.csv", UNKNOWN);
    desk.write("log.json", "{\"a\":1}\n{\"a\":2}\n");
    for name in ["log.csv", "log.json"] {
        let told = desk.run(&["check", name]).with(2).err;
        assert!(told.contains("is not recognised: `callport init` writes"), "{name}: {told}");
    }
    // What bears our own names is known without a word.
    desk.write("own.csv", CallLog::of(3, 2).csv());
    desk.run(&["check", "own.csv"]).with(0);
}

#[test]
fn a_preset_of_ones_own_lies_beside_the_configuration_and_the_configuration_over_it() {
    let desk = Desk::new();
    desk.write(
        "home/pbx.toml",
        "[preset]\ntitle = 'Our switch'\nplatform = 'x'\nsource = 'us'\nconfidence = 'seen'\nguess = 'the zone'\n\
         [source]\nname = 'pbx'\nheader = false\ncolumns = ['when', 'who', 'way', 'end']\ntime_zone = 'UTC'\n\
         [call]\nstarted_at = 'when'\ndirection = 'way'\nfrom = 'who'\nto = 'who'\nnotes = 'remarks'\nstatus = 'end'\n\
         [values.direction]\n'1' = 'inbound'\n'2' = 'outbound'\n[values.status]\nok = 'answered'\n",
    );
    desk.write(
        "home/callport.toml",
        "[source]\npreset = 'pbx'\nfiles = ['log']\ntime_zone = 'Europe/Berlin'\n[values.status]\nno = 'missed'\n",
    );
    desk.write("home/log", "2026-03-30 14:05:09,+15550100,1,OK\n2026-03-30 15:00:00,+15550101,2,no\n");
    let shown = desk.run(&["check", "--config", "home/callport.toml", "--show", "2"]).with(0);
    assert!(shown.err.contains("preset `pbx`, a guess in it: the zone"), "{}", shown.err);
    for words in ["2026-03-30T12:05:09Z", "Inbound call from +15550100", "Result: answered", "Result: missed"]
    {
        assert!(shown.out.contains(words), "{words}\n{}", shown.out);
    }
    desk.write("home/pbx.toml", "[preset]\ntitle = 'x'\n");
    let told = desk.run(&["check", "--config", "home/callport.toml"]).with(2).err;
    assert!(told.contains("home/pbx.toml:1: `preset` has a fault: missing field `platform`"), "{told}");
}

#[test]
fn the_zone_that_an_own_preset_does_not_know_is_asked_for() {
    let desk = Desk::new();
    let preset = "[preset]\ntitle = 'Our switch'\nplatform = 'x'\nsource = 'us'\nconfidence = 'seen'\n\
                  [call]\nstarted_at = 'when'\ndirection = 'way'\nfrom = 'who'\nto = 'who'\n";
    desk.write("pbx.toml", preset);
    desk.write("log.csv", "when,who,way\n2026-03-30 14:05:09,+15550100,in\n");
    let begun = desk.run(&["init", "log.csv", "--preset", "pbx", "--json"]).with(0).json();
    assert_eq!(begun["to_fill_in"][0], "source.time_zone", "{begun}");
    filled_in(&desk, &[("time_zone", "'UTC'"), ("unknown", "'create'"), ("inbox", "85")]);
    assert_eq!(desk.run(&["check", "--json"]).with(0).json()["calls"], 1);
    let init = |more: &[&str]| desk.run(&[&["init", "log.csv", "--force", "--json"][..], more].concat());
    let open = init(&["--preset", "pbx", "--time-zone", "Europe/Berlin"]).with(0).json();
    assert_eq!(open["to_fill_in"], serde_json::json!(["customer.unknown", "conversation.inbox"]));
    assert!(desk.read("callport.toml").contains("time_zone = \"Europe/Berlin\""));
    let told = init(&["--preset", "pbxx"]).with(2).err;
    assert!(told.contains("did you mean `pbx`?"), "{told}");
    desk.write("pbx.toml", format!("{preset}[account]\nshare_tag = true\n"));
    let told = init(&["--preset", "pbx"]).with(2).err;
    assert!(told.contains("pbx.toml:12: `account.share_tag` is not for a preset"), "{told}");
}

#[test]
fn what_a_user_maps_must_be_there_and_what_a_preset_maps_need_not() {
    let desk = Desk::with_fixtures();
    let file = "fixtures/presets/aircall/v1.csv";
    let check = |set: &str| desk.run(&["check", file, "--preset", "aircall", "--set", set]);
    check("conversation.inbox=85").with(0);
    let told = check("call.agent=agentt").with(2).err;
    assert!(told.contains("`call.agent` names the column `agentt`"), "{told}");
    check("call.agent=['user', 'line']").with(0);
}

#[test]
fn a_value_and_a_field_of_a_preset_can_be_changed_from_the_command_line() {
    let desk = Desk::with_fixtures();
    let show = |file: &str, set: &str| {
        let file = format!("fixtures/presets/{file}");
        desk.run(&["check", &file, "--show", "99", "--set", set, "--time-zone", "UTC"]).out
    };
    let plain = show("aircall/v1.csv", "conversation.inbox=85");
    assert!(plain.contains("Result: answered") && plain.contains("Agent: "), "{plain}");
    let changed = show("aircall/v1.csv", "values.status.Yes Inbound=spoken with");
    assert!(changed.contains("Result: spoken with"), "{changed}");
    let unmapped = show("aircall/v1.csv", "call.agent=[]");
    assert!(unmapped.contains("Result: answered") && !unmapped.contains("Agent: "), "{unmapped}");
    desk.write(
        "own.csv",
        "id,started_at,direction,from,to,notes\n1,2026-03-30T14:05:09Z,rein,+15550100,+15550199,hello\n",
    );
    let own = desk.run(&[
        "check",
        "own.csv",
        "--show",
        "1",
        "--set",
        "values.direction.rein=inbound",
        "--set",
        "call.notes=[]",
    ]);
    assert!(own.out.contains("Inbound call from +15550100") && !own.out.contains("hello"), "{}", own.out);
}

#[test]
fn calls_without_an_id_are_not_imported_again_because_they_are_read_otherwise() {
    let desk = Desk::with_fixtures();
    let import = |more: &[&str]| {
        let set = ["--set", "source.time_zone=America/Los_Angeles", "--accept-mapping"];
        let log = [
            "import",
            "fixtures/presets/ringcentral-csv/call-log.csv",
            "--sandbox",
            "--checkpoint",
            "kept",
            "--json",
            "--rate",
            "0",
        ];
        desk.run(&[&log[..], &set, more].concat())
    };
    let first = import(&[]).json();
    assert!(first["imported"].as_u64().unwrap() > 3, "{first}");
    // A country completes the customers' numbers; it makes no other calls.
    let again = import(&["--set", "customer.country=US"]).json();
    assert_eq!((&again["imported"], &again["customers_created"]), (&0.into(), &0.into()), "{again}");
    let refused = import(&["--set", "call.duration={{ 5 }}"]).with(2).err;
    assert!(
        refused.contains("the calls without an id") && refused.contains("call.duration was"),
        "{refused}"
    );
}
