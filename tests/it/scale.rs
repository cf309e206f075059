//! What `docs/scale.md` computes is computed anew, and what it prints to be used is used: the loop, the unit and the
//! container's command run against a sandbox, with other paths.

use std::{collections::BTreeMap, path::Path, process::Command};

use serde_json::Value;

use crate::{
    call_log::CallLog,
    desk::{Desk, Ended},
    served::Served,
};

const CALLS: [u64; 4] = [10_000, 100_000, 1_000_000, 10_000_000];
/// How calls are sent, and how many of them one write carries.
const WAYS: [(&str, u64); 3] =
    [("one POST a call", 1), ("packed, 8 calls a customer", 8), ("packed, 100 calls a conversation", 100)];
const LIMITS: [u32; 3] = [200, 400, 800];
const SHARES: [f64; 2] = [0.8, 1.0];
/// Help Scout's price of a write.
const UNITS_A_WRITE: u64 = 2;
/// Bytes of a row of the export, of the checkpoint for it while it runs, and of a call that has landed.
const BYTES: [u64; 3] = [330, 528, 150];

fn page() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/scale.md")).unwrap()
}

/// The blocks of the page in `language`.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let fence = format!("\n```{language}\n");
    page.split(&fence).skip(1).map(|rest| format!("{}\n", rest.split("\n```").next().unwrap())).collect()
}

/// The block in `language` that begins so.
fn block(page: &str, language: &str, begin: &str) -> String {
    let found = blocks(page, language).into_iter().find(|block| block.starts_with(begin));
    found.unwrap_or_else(|| panic!("no block begins with `{begin}`"))
}

/// The rows of the table whose headings begin so, without the headings.
fn table(page: &str, headings: &str) -> Vec<Vec<String>> {
    let (_, rest) = page.split_once(&format!("\n| {headings}")).expect(headings);
    let lines = rest.lines().skip(2).take_while(|line| line.starts_with('|'));
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    lines.map(cells).collect()
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let commas = |(index, digit): (usize, char)| {
        let is_group = index > 0 && (digits.len() - index).is_multiple_of(3);
        [is_group.then_some(','), Some(digit)].into_iter().flatten().collect::<String>()
    };
    digits.chars().enumerate().map(commas).collect()
}

fn minutes(units: u64, limit: u32, share: f64) -> f64 {
    units as f64 / (f64::from(limit) * share)
}

/// Three digits or so.
fn hours(minutes: f64) -> String {
    match minutes / 60.0 {
        hours if hours < 0.1 => format!("{hours:.3}"),
        hours if hours < 10.0 => format!("{hours:.2}"),
        hours if hours < 100.0 => format!("{hours:.1}"),
        hours => grouped(format!("{hours:.0}").parse().unwrap()),
    }
}

fn size(bytes: u64) -> String {
    let millions = bytes as f64 / 1e6;
    if millions >= 1e3 { format!("{:.1} GB", millions / 1e3) } else { format!("{millions:.1} MB") }
}

#[test]
fn its_hours_are_what_the_units_take() {
    let mut computed = Vec::new();
    for calls in CALLS {
        for (way, each) in WAYS {
            let units = calls / each * UNITS_A_WRITE;
            let mut row = vec![grouped(calls), way.to_owned(), grouped(units)];
            for limit in LIMITS {
                row.extend(SHARES.map(|share| hours(minutes(units, limit, share))));
            }
            computed.push(row);
        }
    }
    let page = page();
    assert_eq!(table(&page, "calls | how they are sent |"), computed);
    let headings = LIMITS.iter().flat_map(|limit| SHARES.map(|share| format!(" | {limit}, {share:.1}")));
    assert!(
        page.contains(&format!("| units{} |", headings.collect::<String>())),
        "in the order of the columns"
    );
    let (one, packed) = (minutes(200_000, 400, 0.8), minutes(25_000, 400, 0.8));
    for told in [
        format!("200,000 ÷ (400 × 0.8) = {one} minutes = {} hours", hours(one)),
        format!("12,500 conversations × 2 = 25,000 units; {packed:.0} minutes = {} hours", hours(packed)),
    ] {
        assert!(page.contains(&told), "`{told}`");
    }
}

#[test]
fn its_sizes_and_its_pace_are_computed() {
    let page = page();
    let computed: Vec<Vec<String>> = CALLS
        .map(|calls| [vec![grouped(calls)], BYTES.map(|bytes| size(calls * bytes)).to_vec()].concat())
        .to_vec();
    assert_eq!(table(&page, "calls | the export |"), computed);
    assert_eq!(BYTES[1] * 10, BYTES[0] * 16, "1.6 times the export");
    let writes = 800.0 / 60.0 / 2.0;
    let told = format!(
        "are {writes:.1} writes a second. That is {writes:.1} calls a second with one POST a call, {:.0} with 8 calls a\nrequest \
         and {:.0} with 100.",
        writes * 8.0,
        writes * 100.0
    );
    assert!(page.contains(&told), "`{told}`");
}

#[test]
fn check_computes_the_same_units_and_the_same_time() {
    let desk = Desk::new();
    desk.write("calls.csv", CallLog::of(1_600, 200).csv());
    desk.write("long.csv", CallLog::of(1_600, 16).csv());
    for (file, each, more) in [
        ("calls.csv", 1, &["--set", "conversation.pack=false"][..]),
        ("calls.csv", 8, &[]),
        ("long.csv", 100, &[]),
    ] {
        for limit in LIMITS {
            let rate = limit.to_string();
            let arguments = [&["check", file, "--json", "--rate", &rate], more].concat();
            let plan = desk.run(&arguments).with(0).json();
            let units = plan["rate_units"].as_u64().unwrap();
            let formula = 1_600 / each * UNITS_A_WRITE;
            assert!((formula..=formula + 10).contains(&units), "some ten reads on top: {plan}");
            let seconds = plan["seconds_at_limit"].as_f64().unwrap();
            let computed = minutes(units, limit, SHARES[0]) * 60.0;
            // The pace stays a little below the share, so that no minute holds more.
            assert!((computed..=computed * 1.02).contains(&seconds), "{computed}: {plan}");
        }
    }
}

#[test]
fn a_unit_and_a_job_wait_for_a_person_after_the_codes_that_the_page_says() {
    let page = page();
    let codes = table(&page, "code | meaning | what to do |");
    let all: Vec<&str> = codes.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(all, ["0", "1", "2", "3", "4", "5"]);
    let waits = |row: &&Vec<String>| row[2].starts_with("stop, and tell") || row[2].starts_with("look");
    let waiting: Vec<&str> = codes.iter().filter(waits).map(|row| row[0].as_str()).collect();
    let unit = block(&page, "ini", "# /etc/systemd/system/callport@.service");
    assert_eq!(values(&unit, "RestartPreventExitStatus"), [waiting.join(" ")]);
    let manifest = block(&page, "yaml", "apiVersion: v1");
    assert!(manifest.contains(&format!("              values: [{}]\n", waiting.join(", "))));
}

/// What a unit gives for `key`, in order.
fn values(unit: &str, key: &str) -> Vec<String> {
    let begin = format!("{key}=");
    unit.lines().filter_map(|line| line.strip_prefix(&begin)).map(str::to_owned).collect()
}

/// A configuration that a person could have written for an account's folder.
const CONFIGURATION: &str = "[source]\nname = 'aircall'\nfiles = ['exports/*.csv']\n";

#[cfg(unix)]
#[test]
fn its_loop_runs_every_account_and_goes_on_where_one_was_stopped() {
    let desk = Desk::new();
    let away = "[[fault]]\non = 'any'\nuntil = '5s'\ndo = 'refuse'\nstatus = 503\n";
    let accounts = [("acme", Served::start(&[]), 8), ("bolt", Served::with_faults(away, &[]), 5)];
    for (name, served, calls) in &accounts {
        let patience = if *name == "bolt" { "[limits]\ngive_up = '1s'\n" } else { "" };
        desk.write(&format!("accounts/{name}/callport.toml"), CONFIGURATION.to_owned() + patience);
        desk.write(&format!("accounts/{name}/exports/a.csv"), CallLog::of(*calls, 2).csv());
        let credentials = format!("HELPSCOUT_ACCESS_TOKEN=t\nHELPSCOUT_API_URL={}\n", served.address());
        desk.write(&format!("accounts/{name}/credentials"), credentials);
    }
    let script = block(&page(), "sh", "#!/bin/sh\n# Every account");
    let base = desk.path("accounts");
    let script = script.replace("/var/lib/callport", base.to_str().unwrap()).replace("sleep 300", "sleep 0");
    let program = Path::new(env!("CARGO_BIN_EXE_callport")).parent().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", &script]).current_dir(desk.path("")).env_clear();
    command.env("PATH", format!("{}:/usr/bin:/bin", program.display()));
    let ended = Ended::of(&mut command).with(0);
    assert_eq!(ended.err, "", "nobody has to look");
    for (name, served, calls) in &accounts {
        assert_eq!(served.references().len(), *calls, "{name}");
        let results = desk.read(&format!("accounts/{name}/results.json"));
        let sheets: Vec<Value> =
            serde_json::Deserializer::from_str(&results).into_iter().collect::<Result<_, _>>().unwrap();
        assert_eq!(sheets.last().unwrap()["pending"], 0, "{name}: {results}");
        assert_eq!(sheets.len() > 1, *name == "bolt", "only what was stopped is run again: {results}");
    }
}

#[test]
fn its_units_command_runs_in_an_accounts_folder_and_goes_on_the_night_after() {
    let page = page();
    let unit = block(&page, "ini", "# /etc/systemd/system/callport@.service");
    let (desk, served) = (Desk::new(), Served::start(&[]));
    let folder = values(&unit, "WorkingDirectory").concat().replace("%S", "lib").replace("%i", "acme");
    assert_eq!(folder, format!("lib/{}", values(&unit, "StateDirectory").concat().replace("%i", "acme")));
    assert!(page.contains(&format!("/var/{folder}/exports")), "the page says where exports are put");
    // What `LoadCredential` brings stands below `%d`.
    let (name, _) = values(&unit, "LoadCredential").concat().split_once(':').map(own).unwrap();
    desk.write(&format!("credentials/{name}"), "a-secret\n");
    let credentials = desk.path("credentials");
    desk.write(&format!("{folder}/callport.toml"), CONFIGURATION);
    for (night, calls) in [(1, 12), (2, 20)] {
        desk.write(&format!("{folder}/exports/night-{night}.csv"), CallLog::of(calls, 3).csv());
        let line = values(&unit, "ExecStart").concat();
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(words[0], "/usr/local/bin/callport");
        let mut command = desk.command(&words[1..]);
        command.current_dir(desk.path(&folder)).env("HELPSCOUT_APP_ID", "an-id");
        for set in values(&unit, "Environment") {
            let (name, value) = set.split_once('=').map(own).unwrap();
            command.env(name, value.replace("%d", credentials.to_str().unwrap()));
        }
        let sheet = Ended::of(command.env("HELPSCOUT_API_URL", served.address())).with(0).json();
        let news = if night == 1 { 12 } else { 8 };
        assert_eq!(sheet["imported"], news, "{sheet}");
        assert_eq!(served.references().len(), calls);
    }
}

fn own((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[test]
fn its_units_are_sound() {
    if !Command::new("systemd-analyze").arg("--version").output().is_ok_and(|output| output.status.success())
    {
        println!("left out: `systemd-analyze` is not installed");
        return;
    }
    let desk = Desk::new();
    let mut written = Vec::new();
    for unit in blocks(&page(), "ini") {
        let (name, _) =
            unit.strip_prefix("# /etc/systemd/system/").and_then(|rest| rest.split_once('\n')).unwrap();
        // It is only verified where the program that it starts is there.
        desk.write(name, unit.replace("/usr/local/bin/callport", env!("CARGO_BIN_EXE_callport")));
        written.push(format!("./{name}"));
    }
    assert_eq!(written, ["./callport@.service", "./callport@.timer"]);
    let verify = |units: &[String]| {
        let mut command = Command::new("systemd-analyze");
        Ended::of(command.args(["verify", "--man=no"]).args(units).current_dir(desk.path("")))
    };
    // A key that it does not know is told, but not with the code.
    assert_eq!(verify(&written).with(0).err, "");
    let broken = desk.read("callport@.service").replace("Restart=on-failure", "Restart=always\nUMusk=1");
    desk.write("broken@.service", broken);
    verify(&["./broken@.service".to_owned()])
        .with(1)
        .saying("UMusk")
        .saying("isn't allowed for Type=oneshot");
}

#[test]
fn its_containers_command_runs_with_the_mounted_files_and_goes_on_the_night_after() {
    let page = page();
    let manifest = block(&page, "yaml", "apiVersion: v1");
    let image = block(&page, "dockerfile", "FROM rust:");
    let (desk, served) = (Desk::new(), Served::start(&[]));
    let mounts = mounts(&manifest);
    assert_eq!(mounts.keys().collect::<Vec<_>>(), ["config", "data", "exports", "secret", "temporary"]);
    // As a cluster does it, but below the desk, which may itself lie below /tmp: that is the only one that no text names.
    let below = |text: &str| {
        mounts.values().filter(|path| *path != "/tmp").fold(text.to_owned(), |text, path| {
            text.replace(
                &format!("{path}/"),
                &format!("{}/", desk.path(path.trim_start_matches('/')).display()),
            )
        })
    };
    for (name, path) in &mounts {
        assert!(
            manifest.contains(&format!("            - name: {name}\n              ")),
            "a volume `{name}`"
        );
        std::fs::create_dir_all(desk.path(path.trim_start_matches('/'))).unwrap();
    }
    let (_, rest) = manifest.split_once("  callport.toml: |\n").unwrap();
    let lines = rest.lines().take_while(|line| line.is_empty() || line.starts_with("    "));
    let configuration: Vec<&str> = lines.map(str::trim_start).collect();
    desk.write("config/callport.toml", below(&configuration.join("\n")));
    desk.write("secret/app-secret", "a-secret");
    assert!(manifest.contains("                  - key: app-secret\n                    path: app-secret\n"));

    let list = |text: &str, key: &str| -> Vec<String> {
        let line = text.lines().find_map(|line| line.trim_start().strip_prefix(key)).expect(key);
        serde_json::from_str(line).unwrap()
    };
    let words = [list(&image, "ENTRYPOINT "), list(&manifest, "args: ")].concat();
    assert_eq!(words[0], "callport");
    let arguments: Vec<String> = words[1..].iter().map(|word| below(word)).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (_, secret_file) =
        manifest.split_once("- name: HELPSCOUT_APP_SECRET_FILE\n                  value: ").unwrap();
    let secret_file = below(secret_file.lines().next().unwrap());
    for (night, calls) in [(1, 12), (2, 20)] {
        desk.write(&format!("exports/night-{night}.csv"), CallLog::of(calls, 3).csv());
        let mut command = desk.command(&arguments);
        command
            .current_dir(desk.path("data"))
            .env("TMPDIR", desk.path("tmp"))
            .env("HELPSCOUT_APP_ID", "an-id");
        command.env("HELPSCOUT_APP_SECRET_FILE", &secret_file).env("HELPSCOUT_API_URL", served.address());
        let sheet = Ended::of(&mut command).with(0).json();
        assert_eq!(sheet["imported"], if night == 1 { 12 } else { 8 }, "{sheet}");
        assert_eq!(served.references().len(), calls);
    }
    assert!(desk.path("data/callport.checkpoint").exists(), "on the volume that is kept");
    let user = image.lines().find_map(|line| line.strip_prefix("USER ")).unwrap();
    let of_pod =
        |key: &str| manifest.lines().find_map(|line| line.trim_start().strip_prefix(key)).unwrap().to_owned();
    assert_eq!(user, format!("{}:{}", of_pod("runAsUser: "), of_pod("runAsGroup: ")));
}

/// Where each volume is mounted.
fn mounts(manifest: &str) -> BTreeMap<String, String> {
    let (_, rest) = manifest.split_once("volumeMounts:\n").unwrap();
    let lines: Vec<&str> = rest.lines().take_while(|line| line.starts_with("                ")).collect();
    let pairs = lines.windows(2).filter_map(|two| {
        let name = two[0].trim_start().strip_prefix("- name: ")?;
        Some((name.to_owned(), two[1].trim_start().strip_prefix("mountPath: ")?.to_owned()))
    });
    pairs.collect()
}
