//! Every preset on an export of its platform: from `init` through `check` to an import, with no more than the zone, the
//! inbox and the unknown callers filled in. What each call reads like is pinned, field by field.

use std::{collections::BTreeSet, fs, path::PathBuf};

use serde_json::{Value, json};

use crate::desk::Desk;

const NEW_YORK: &str = "source.time_zone=America/New_York";
const LOS_ANGELES: &str = "source.time_zone=America/Los_Angeles";
/// Who stands for callers of whom the export tells no number.
const HIDDEN: &str = "customer.hidden=456";
const STATES: &str = "customer.country=US";
/// What Zendesk's records tell by ids.
const BY_TICKET: &str = "conversation.group_by={{ ticket or id }}";
const ZENDESK_AGENTS: &str = "values.agent={4001 = 'Ada Agent', 4002 = 'Ben Agent'}";
/// What Quo's records tell by ids. One line is left out on purpose.
const QUO_AGENTS: &str = "values.agent={US001 = 'Ada Agent', US002 = 'Ben Agent'}";
const QUO_LINES: &str = "values.line={PN001 = 'Support'}";

macro_rules! exports {
    ($($test:ident: $preset:literal, $file:literal, $filled_in:expr;)*) => {
        $(#[test] fn $test() { goes_in($preset, $file, &$filled_in); })*

        /// The exports above, as `PRESET/FILE`.
        const TRIED: &[&str] = &[$(concat!($preset, "/", $file)),*];
    };
}

exports! {
    aircall_v1: "aircall", "v1.csv", [];
    aircall_v2: "aircall", "v2.csv", [];
    aircall_v3: "aircall", "v3.csv", [];
    aircall_api: "aircall-api", "calls.json", [];
    aircall_webhook: "aircall-webhook", "events.jsonl", [];
    amazon_connect: "amazon-connect", "contact-records", [];
    asterisk: "asterisk", "Master.csv", [NEW_YORK, STATES];
    asterisk_custom: "asterisk-custom", "Master.csv", ["source.time_zone=America/Chicago", STATES];
    callrail: "callrail", "calls.json", [];
    dialpad_api: "dialpad-api", "events.jsonl", [];
    dialpad_api_alone: "dialpad-api", "event.json", [];
    dialpad_csv: "dialpad-csv", "stats.csv", ["source.time_zone=UTC"];
    five9: "five9", "call-log.csv", [NEW_YORK];
    freepbx: "freepbx", "cdr-report.csv", [NEW_YORK, STATES];
    freepbx_few_columns: "freepbx", "few-columns.csv", [NEW_YORK, STATES];
    hubspot_api: "hubspot-api", "calls.json", [];
    hubspot_csv: "hubspot-csv", "hubspot-calls.csv", [];
    hubspot_warehouse: "hubspot-warehouse", "engagement_call_data.csv", [];
    justcall: "justcall", "calls.json", [];
    quo: "quo", "calls.json", [QUO_AGENTS, QUO_LINES];
    quo_v1: "quo-v1", "calls.json", ["source.own_numbers=['+15550190', '+15550191']", QUO_AGENTS, QUO_LINES];
    ringcentral_api: "ringcentral-api", "call-log.json", [];
    ringcentral_csv: "ringcentral-csv", "call-log.csv", [LOS_ANGELES, STATES];
    ringcentral_csv_detailed: "ringcentral-csv-detailed", "detailed.csv", [LOS_ANGELES, STATES];
    ringcentral_csv_portal: "ringcentral-csv-detailed", "portal.csv", [LOS_ANGELES, STATES];
    talkdesk: "talkdesk", "calls.json", [];
    talkdesk_csv: "talkdesk-csv", "calls.csv", [NEW_YORK];
    talkdesk_old: "talkdesk-old", "calls.json", [];
    twilio_api: "twilio-api", "calls.json", [];
    twilio_csv: "twilio-csv", "twilio_call_data.csv", [];
    zendesk_talk: "zendesk-talk", "calls.json", [HIDDEN, BY_TICKET, ZENDESK_AGENTS];
    zendesk_talk_legs: "zendesk-talk-legs", "talk.jsonl", [HIDDEN, BY_TICKET, ZENDESK_AGENTS];
    zoom_phone: "zoom-phone", "call-history.json", [];
    zoom_phone_call_logs: "zoom-phone-call-logs", "call-logs.json", [];
}

fn fixtures() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/presets"))
}

/// The form as a user meets it: no edit but what `init` leaves open and the fixture's notes name.
fn goes_in(preset: &str, file: &str, filled_in: &[&str]) {
    let desk = Desk::new();
    desk.write(file, fs::read(fixtures().join(preset).join(file)).unwrap());
    let account = json!({
        "limit": 1_000_000,
        "inboxes": [{"id": 85, "name": "Support", "email": "support@example.com"}],
        "users": [{"id": 1, "email": "agent@example.com", "firstName": "Ada", "lastName": "Agent"}],
        "customers": [{"id": 456, "emails": ["hidden@example.com"], "firstName": "Hidden", "lastName": "Callers"}],
    });
    desk.write("account.json", account.to_string());

    let begun = desk.run(&["init", file, "--json"]).with(0).json();
    assert_eq!(begun["preset"], preset, "{begun}");
    let refused = desk.run(&["check"]).with(2);
    let open: Vec<&str> = begun["to_fill_in"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for key in &open {
        assert!(refused.err.contains(&format!("`{key}` is still to be filled in")), "{key}: {}", refused.err);
    }

    let mut set = vec!["--set", "conversation.inbox=85", "--set", "customer.unknown=create"];
    set.extend(filled_in.iter().flat_map(|value| ["--set", value]));
    let with = |command: &[&'static str]| desk.run(&[&command.to_vec()[..], &set].concat());
    let shown = with(&["check", "--show", "100", "--quiet"]);
    assert!([0, 3].contains(&shown.code), "{}{}", shown.out, shown.err);
    let checked = with(&["check", "--json", "--quiet"]).json();
    let name = format!("{preset}-{}", file.replace('.', "-"));
    insta::assert_snapshot!(name, shown.out);

    let import = || with(&["import", "--sandbox", "--checkpoint", "kept", "--json", "--quiet"]);
    let sheet = import().json();
    let count = |sheet: &Value, name: &str| sheet[name].as_u64().unwrap();
    let sum = |sheet: &Value| {
        ["imported", "already_imported", "skipped", "rejected", "undecided", "pending"]
            .map(|name| count(sheet, name))
            .iter()
            .sum::<u64>()
    };
    assert_eq!(count(&sheet, "rows"), sum(&sheet), "the sheet closes: {sheet}");
    assert_eq!(count(&sheet, "imported"), count(&checked, "calls"), "as `check` said: {sheet}");
    assert!(count(&sheet, "imported") > 0, "{sheet}");
    let again = import().with(0).json();
    assert_eq!((count(&again, "imported"), count(&again, "requests")), (0, 0), "{again}");
    assert_eq!(count(&again, "changed"), 0, "the same file differs in nothing: {again}");
}

#[test]
fn a_wrong_zone_is_told_where_the_export_has_a_second_clock() {
    let desk = Desk::with_fixtures();
    for (preset, file, zone) in [
        ("asterisk", "Master.csv", "America/Chicago"),
        ("asterisk-custom", "Master.csv", "America/New_York"),
        ("freepbx", "cdr-report.csv", "America/Chicago"),
    ] {
        let file = format!("fixtures/presets/{preset}/{file}");
        let checked = desk.run(&["check", &file, "--preset", preset, "--time-zone", zone, "--json"]).json();
        let told: Vec<&str> = checked["warnings"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|told| told["reason"].as_str())
            .collect();
        assert!(
            told.iter().any(|told| told.contains("1:00 h") && told.contains("the zone")),
            "{preset}: {told:?}"
        );
    }
}

#[test]
fn every_preset_is_tried_on_every_export_of_its_folder() {
    let mut there = BTreeSet::new();
    for folder in fs::read_dir(fixtures()).unwrap() {
        let folder = folder.unwrap();
        for file in fs::read_dir(folder.path()).unwrap() {
            let file = file.unwrap().file_name().into_string().unwrap();
            if file != "README.md" {
                there.insert(format!("{}/{file}", folder.file_name().to_str().unwrap()));
            }
        }
    }
    assert_eq!(there, TRIED.iter().map(ToString::to_string).collect());
    let presets: Vec<&str> = callport::mapping::PRESETS.iter().map(|(name, _)| *name).collect();
    let mut files: Vec<String> = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/mapping/presets"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap().replace(".toml", ""))
        .collect();
    files.sort();
    assert_eq!(presets, files, "every file is listed, in the order of their names");
    let presets: BTreeSet<&str> = presets.into_iter().collect();
    let tried: BTreeSet<&str> = TRIED.iter().filter_map(|name| name.split('/').next()).collect();
    assert_eq!(presets, tried);
}
