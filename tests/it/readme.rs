//! What the README shows is what the program does.

use std::path::Path;

use serde_json::json;

use crate::{
    desk::{Desk, Ended},
    served::Served,
};

fn repository(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The blocks of the README in `language`.
fn blocks(language: &str) -> Vec<String> {
    let readme = repository("README.md");
    let fence = format!("```{language}\n");
    let blocks = readme.split(&fence).skip(1);
    blocks.map(|rest| rest.split("\n```").next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn its_shell_commands_end_as_it_says() {
    let desk = Desk::with_fixtures();
    let commands: Vec<String> = blocks("console").join("\n").lines().map(str::to_owned).collect();
    // The first import rejects eight rows on purpose, as does the first with a checkpoint; the next finds all done.
    let mut codes = [3, 3, 0, 0].into_iter();
    for command in commands {
        let command = command.strip_prefix("$ ").expect("a command stands behind a prompt");
        if command == "cargo test" {
            assert!(repository(".ci/run").contains("\ncargo test --locked "), "CI runs the same tests");
            continue;
        }
        let arguments = command.strip_prefix("cargo run --release -- ").expect(command);
        let mut arguments: Vec<&str> = arguments.split(' ').collect();
        if arguments[0] == "import" {
            // The same, but without the twenty seconds that the limit of an account takes.
            arguments.extend(["--rate", "100000"]);
        }
        desk.run(&arguments).with(codes.next().expect("the README shows four commands"));
    }
    assert_eq!(codes.next(), None, "the README shows four commands");
    let rejects = desk.read("fixtures/call-history/rejects.csv");
    assert_eq!(rejects.matches("callport_").count(), 4, "{rejects}");
    assert_eq!(csv::Reader::from_reader(rejects.as_bytes()).records().count(), 8);
}

#[test]
fn its_way_to_a_finished_migration_can_be_gone() {
    let (desk, served) = (Desk::new(), Served::start(&[]));
    desk.write("export.csv", crate::call_log::CallLog::of(60, 12).csv());
    let readme = repository("README.md");
    let list = readme.split("## From an export").nth(1).unwrap().split("\n## ").next().unwrap();
    let shown: Vec<&str> =
        list.split('`').skip(1).step_by(2).filter(|code| code.starts_with("callport ")).collect();
    assert_eq!(shown.len(), 6, "{shown:?}");
    for code in shown {
        if code == "callport check export.csv" {
            desk.run(&["check", "export.csv"]).with(2);
            fill_in(&desk);
        }
        let arguments: Vec<&str> = code.split(' ').skip(1).collect();
        let mut command = desk.command(&arguments);
        command.env("HELPSCOUT_API_URL", served.address());
        command.env("HELPSCOUT_APP_ID", "an-id").env("HELPSCOUT_APP_SECRET", "a-secret");
        Ended::of(&mut command).with(0);
    }
    assert_eq!(served.references().len(), 60);
}

/// What a person fills in after `init`.
fn fill_in(desk: &Desk) {
    let text = desk.read("callport.toml");
    assert_eq!(text.matches("= \"?\"").count(), 2, "{text}");
    let text = text.replace("unknown = \"?\"", "unknown = \"create\"").replace("inbox = \"?\"", "inbox = 85");
    desk.write("callport.toml", text);
}

#[test]
fn its_configuration_is_one() {
    let desk = Desk::new();
    let text = blocks("toml").into_iter().find(|block| block.starts_with("[source]")).unwrap();
    desk.write("callport.toml", &text);
    let table: toml::Table = text.parse().unwrap();
    let headings: Vec<String> = ["call", "customer"]
        .iter()
        .flat_map(|name| table[*name].as_table().unwrap().values())
        .filter_map(|value| value.as_str().map(str::to_owned))
        .filter(|value| !["create", "reject"].contains(&value.as_str()))
        .chain(["help scout conversation id".to_owned()])
        .collect();
    let cells = headings.iter().map(|heading| match heading.as_str() {
        "start time" => "2024-05-01 10:00:00",
        "duration" => "00:01:05",
        "direction" => "incoming CALL",
        "email" => "jo@example.com",
        "line" => "Support",
        "notes" => "said hello",
        _ => "",
    });
    let cells: Vec<&str> = cells.collect();
    desk.write("exports/a.csv", format!("{}\n{}\n", headings.join(";"), cells.join(";")));
    desk.write("contacts.csv", "phone,email\n+15550142,al@example.com\n");
    desk.write("erased.csv", "+15550143\n");
    let found = desk.run(&["check", "--json"]).with(0).json();
    assert_eq!((&found["rows"], &found["calls"]), (&json!(1), &json!(1)), "{found}");
    let shown = desk.run(&["check", "--show", "1"]).with(0).out;
    assert!(shown.contains("2024-05-01T14:00:00Z") && shown.contains("said hello"), "{shown}");
}

#[test]
fn its_script_of_misfortunes_is_one() {
    let script = blocks("toml").into_iter().find(|block| block.contains("[[fault]]")).unwrap();
    let served = Served::with_faults(&script, &[]);
    assert_eq!(served.world().len(), 0);
}

#[test]
fn its_commands_and_common_options_are_those_of_the_help() {
    let desk = Desk::new();
    let help = desk.run(&["--help"]).with(0).out;
    let readme = repository("README.md");
    let table = readme.split("### Commands").nth(1).unwrap().split("###").next().unwrap();
    for command in ["init", "pull", "check", "import", "status", "recover", "resolve", "forget", "sandbox"] {
        assert!(table.contains(&format!("| `callport {command}")), "{command}");
        assert!(help.contains(&format!("\n  {command} ")), "{help}");
        let help = desk.run(&[command, "--help"]).with(0).out;
        for option in ["--config", "--checkpoint", "--json", "-q", "-v", "--log-format", "--color"] {
            assert!(table.contains(&format!("`{option}`")), "{option}");
            assert!(help.contains(option), "{command} {option}");
        }
    }
}
