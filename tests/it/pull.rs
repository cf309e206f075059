//! `callport pull`: what is known of an account, from the built program over a real socket.

use std::{
    fmt::Write as _,
    io::{Read, Write},
    net::TcpStream,
    process::Command,
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    call_log::CallLog,
    desk::{Desk, Ended, Running},
    door::Door,
    served::Served,
};

/// An account of 230 customers: with an e-mail, a number, both, or two of each.
fn account() -> Value {
    let people = (0..230).map(|n| {
        let email = format!("c{n}@example.com");
        let phone = format!("+1555{n:07}");
        let (emails, phones) = match n % 4 {
            0 => (vec![email], vec![]),
            1 => (vec![], vec![phone]),
            2 => (vec![email], vec![phone]),
            _ => (vec![email.clone(), format!("b{email}")], vec![phone.clone(), format!("{phone}9")]),
        };
        let mut one = json!({"id": 5_000 + n, "emails": emails, "phones": phones});
        if n % 3 > 0 {
            one["firstName"] = json!(format!("Jo {n}"));
        }
        one
    });
    json!({
        "limit": 100_000,
        "inboxes": [
            {"id": 85, "name": "Support", "email": "support@example.com"},
            {"id": 86, "name": "Sales", "email": "sales@example.com"},
        ],
        "users": [
            {"id": 1, "email": "agent@example.com", "firstName": "Ada", "lastName": "Agent"},
            {"id": 2, "email": "nina@example.com", "firstName": "Nina", "lastName": ""},
        ],
        "customers": people.collect::<Vec<_>>(),
    })
}

fn served(options: &[&str]) -> Served {
    Served::with_seed(&account(), &[&["--rate", "100000"], options].concat())
}

fn pull_command(desk: &Desk, address: &str, arguments: &[&str]) -> Command {
    let mut command = desk.command(&["pull", "--api-url", address]);
    command.args(arguments).env("HELPSCOUT_ACCESS_TOKEN", "t");
    command
}

fn pull(desk: &Desk, served: &Served, arguments: &[&str]) -> Ended {
    Ended::of(&mut pull_command(desk, served.address(), arguments))
}

fn account_file(desk: &Desk) -> Value {
    serde_json::from_str(&desk.read("account.json")).unwrap()
}

/// What the file holds but for when it was made and where.
fn content(desk: &Desk) -> Value {
    let mut file = account_file(desk);
    file["pulledAt"].take();
    file["account"]["apiUrl"].take();
    file
}

/// Waits until `pages` pages are written down.
fn wait_for_pages(desk: &Desk, pages: usize, running: &mut Running) {
    // One line a page, behind the one that tells of the account.
    let lines = || std::fs::read_to_string(desk.path("account.json.part")).unwrap_or_default();
    while lines().matches('\n').count() < pages + 1 {
        assert!(running.is_running(), "it ended before {pages} pages");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A person does something.
fn ask(served: &Served, method: &str, target: &str, body: &str) {
    let host = served.address().trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).unwrap();
    let request = format!(
        "{method} {target} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer looker\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 20"), "{answer}");
}

#[test]
fn it_writes_what_the_account_holds_and_says_so() {
    let (desk, served) = (Desk::new(), served(&[]));
    let result = pull(&desk, &served, &["--json"]).with(0).json();
    let names: Vec<&str> = result.as_object().unwrap().keys().map(String::as_str).collect();
    let promised = ["output", "limit", "inboxes", "users", "customers", "requests", "rate_units", "seconds"];
    assert_eq!(names, promised);
    // Who we are, inboxes, users, five pages of customers and one of those that changed.
    let expected = json!(["account.json", 100_000, 2, 2, 230, 9, 9]);
    let found: Vec<&Value> = promised[..7].iter().map(|name| &result[*name]).collect();
    assert_eq!(json!(found), expected);
    let file = account_file(&desk);
    let seed = account();
    for name in ["limit", "inboxes", "users", "customers"] {
        assert_eq!(file[name], seed[name], "{name}");
    }
    assert_eq!(file["account"], json!({"id": "company:1", "apiUrl": served.address()}));
    assert_eq!(desk.files(), ["account.json"], "nothing else is left");
    let told = pull(&desk, &served, &["--output", "b.json"]).with(0).out;
    assert_eq!(
        told,
        "`b.json` holds 2 inboxes, 2 users and 230 customers, 100000 units a minute (9 requests)\n"
    );
    assert_eq!(pull(&desk, &served, &["-q"]).with(0).err, "");
}

#[test]
fn what_was_pulled_makes_the_same_account_again() {
    let (first, second) = (Desk::new(), Desk::new());
    pull(&first, &served(&[]), &[]).with(0);
    let again = Served::with_seed(&account_file(&first), &["--rate", "100000"]);
    pull(&second, &again, &[]).with(0);
    assert_eq!(content(&first), content(&second));
}

#[cfg(unix)]
#[test]
fn interrupted_it_goes_on_and_finds_who_was_added_meanwhile() {
    let (desk, served) = (Desk::new(), served(&["--latency", "150"]));
    let mut running = Running::of(&mut pull_command(&desk, served.address(), &["--json"]));
    wait_for_pages(&desk, 3, &mut running);
    running.interrupt();
    let ended = running.end().with(4).saying("run the same command again");
    assert_eq!(ended.out, "", "there is no result yet");
    assert_eq!(desk.files(), ["account.json.part"]);
    ask(&served, "POST", "/v2/customers", r#"{"firstName":"New","phone":"+15559999"}"#);
    ask(&served, "DELETE", "/v2/customers/5000", "");
    let result = pull(&desk, &served, &["--json"]).with(0).json();
    let file = account_file(&desk);
    let customers = file["customers"].as_array().unwrap();
    let has = |id: u64| customers.iter().any(|one| one["id"] == id);
    assert!((5_001..5_230).all(has), "{customers:?}");
    assert!(customers.iter().any(|one| one["firstName"] == "New" && one["phones"][0] == "+15559999"));
    assert_eq!(result["customers"], customers.len());
    assert_eq!(desk.files(), ["account.json"]);
}

#[test]
fn a_network_that_goes_away_is_waited_for_and_then_come_back_to() {
    let mut served = served(&["--latency", "100"]);
    let door = Door::to(served.address());
    let desk = Desk::new();
    let arguments = ["--json", "--set", "limits.give_up=1s"];
    let mut running = Running::of(&mut pull_command(&desk, door.address(), &arguments));
    wait_for_pages(&desk, 2, &mut running);
    served.fall();
    running.end().with(4).saying("it goes on where it stopped");
    let served = served.rise();
    door.lead_to(served.address());
    let result = Ended::of(&mut pull_command(&desk, door.address(), &arguments)).with(0).json();
    assert_eq!(result["customers"], 230);
    assert!(result["requests"].as_u64().unwrap() < 9, "it went on: {result}");
}

#[test]
fn it_waits_where_the_limit_is_reached() {
    let script = "[[fault]]\non = \"list\"\nat = [2, 4]\ndo = \"refuse\"\nstatus = 429\nretry_after = 1\n";
    let (desk, served) = (Desk::new(), Served::with_all(&account(), script, &["--rate", "100000"]));
    let ended = pull(&desk, &served, &["--json"]).with(0).saying("Help Scout asks to wait");
    assert_eq!((&ended.json()["customers"], &ended.json()["requests"]), (&json!(230), &json!(11)));
}

#[test]
fn it_is_refused_as_a_whole_with_5_and_wrong_usage_with_2() {
    let desk = Desk::new();
    let script = "[[fault]]\non = \"read\"\ndo = \"refuse\"\nstatus = 401\n";
    pull(&desk, &Served::with_faults(script, &[]), &[]).with(5);
    let served = served(&[]);
    pull(&desk, &served, &["--output", "none/account.json"]).with(2).saying("its folder is not there");
    pull(&desk, &served, &["--output", "."]).with(2).saying("it is a folder");
    let mut without = desk.command(&["pull", "--api-url", served.address()]);
    Ended::of(&mut without).with(2).saying("HELPSCOUT_APP_ID");
    assert_eq!(desk.files(), [""; 0]);
}

#[cfg(unix)]
#[test]
fn a_part_of_another_account_is_refused_with_words() {
    let (desk, one, other) = (Desk::new(), served(&["--latency", "100"]), served(&[]));
    let mut running = Running::of(&mut pull_command(&desk, one.address(), &[]));
    wait_for_pages(&desk, 1, &mut running);
    pull(&desk, &one, &[]).with(2).saying("is written by another pull");
    running.interrupt();
    running.end().with(4);
    let left = desk.read("account.json.part");
    pull(&desk, &other, &[]).with(2).saying("`account.json.part` was begun with another account");
    assert_eq!(desk.read("account.json.part"), left);
    pull(&desk, &other, &["--output", "other.json"]).with(0);
}

#[cfg(unix)]
#[test]
fn its_files_are_readable_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;

    let (desk, served) = (Desk::new(), served(&["--latency", "100"]));
    let mode = |name: &str| std::fs::metadata(desk.path(name)).unwrap().permissions().mode() & 0o777;
    let inner = desk.command(&[]);
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "umask 0; exec \"$0\" \"$@\""]).arg(inner.get_program());
    command.args(["pull", "--api-url", served.address()]);
    command.current_dir(desk.path("")).env_clear().env("HELPSCOUT_ACCESS_TOKEN", "t");
    let mut running = Running::of(&mut command);
    wait_for_pages(&desk, 1, &mut running);
    assert_eq!(mode("account.json.part"), 0o600);
    running.end().with(0);
    assert_eq!(mode("account.json"), 0o600);
}

#[test]
fn check_and_a_rehearsal_use_it_and_say_when_it_is_old() {
    let (desk, served) = (Desk::new(), served(&[]));
    desk.write("calls.csv", CallLog::of(5, 2).csv());
    pull(&desk, &served, &[]).with(0);
    let arguments = ["calls.csv", "--json", "--set", "conversation.inbox=Sales"];
    let check = desk.run(&[&["check"], &arguments[..]].concat()).with(0);
    assert_eq!(check.json()["limit_per_minute"], 100_000);
    assert!(!check.err.contains("days old"), "{}", check.err);
    let sheet = desk.run(&[&["import", "--sandbox"], &arguments[..]].concat()).with(0).json();
    assert_eq!(sheet["imported"], 5);

    let mut old = account_file(&desk);
    old["pulledAt"] = json!("2026-01-01T00:00:00Z");
    desk.write("account.json", old.to_string());
    for command in [&["check"][..], &["import", "--sandbox"]] {
        let run = |quiet: &[&str]| desk.run(&[command, &arguments[..], quiet].concat()).with(0).err;
        let told = run(&[]);
        assert_eq!(told.lines().filter(|line| line.contains("`account.json` is ")).count(), 1, "{told}");
        assert!(told.contains(" days old: `callport pull` asks the account anew\n"), "{told}");
        assert!(!run(&["-q"]).contains("days old"));
    }
    // Whatever the old file holds is no matter for the one who replaces it.
    desk.write("account.json", "{");
    pull(&desk, &served, &[]).with(0);
}

#[test]
fn check_asks_the_account_itself_where_it_may() {
    let (desk, served) = (Desk::new(), served(&[]));
    desk.write("calls.csv", CallLog::of(5, 2).csv());
    let check = |settings: &[&str]| {
        let mut command =
            desk.command(&["check", "calls.csv", "--online", "--json", "--api-url", served.address()]);
        for setting in settings {
            command.args(["--set", setting]);
        }
        Ended::of(command.env("HELPSCOUT_ACCESS_TOKEN", "t"))
    };
    let fits = check(&["conversation.inbox=Sales", "conversation.assign_to=nina@example.com"]).with(0);
    assert_eq!(fits.json()["limit_per_minute"], 100_000);
    fits.saying("asked company:1 (Support, Sales) as Ada Agent: it has what the settings name");
    let named = ["conversation.inbox=Billing", "conversation.assign_to=nobody@example.com"];
    let refused = check(&named).with(2).saying("no inbox `Billing`; it has `Support` (85), `Sales` (86)");
    assert_eq!(refused.json()["calls"], 5, "the plan is told all the same");
    refused.saying("no user of the account has the e-mail `nobody@example.com`");
    check(&[]).with(2).saying("it has `Support` (85), `Sales` (86)");
    let without = ["check", "calls.csv", "--online", "--api-url", served.address()];
    desk.run(&without).with(2).saying("HELPSCOUT_APP_ID");
    desk.run(&["check", "calls.csv", "--api-url", served.address()]).with(2);
    assert_eq!(served.world().len(), 0);
}

#[test]
fn what_is_known_of_another_account_is_refused_before_anything_is_sent() {
    let (desk, served) = (Desk::new(), served(&[]));
    desk.write("calls.csv", CallLog::of(5, 2).csv());
    pull(&desk, &served, &[]).with(0);
    let own = account_file(&desk);
    let online = |command: &str| {
        let mut command =
            desk.command(&[command, "calls.csv", "--set", "conversation.inbox=Sales", "--json"]);
        if command.get_args().any(|word| word == "check") {
            command.arg("--online");
        }
        Ended::of(command.args(["--api-url", served.address()]).env("HELPSCOUT_ACCESS_TOKEN", "t"))
    };
    let connected = format!("but the account that was asked is `company:1` at `{}`", served.address());
    for (name, value) in [("id", "company:17"), ("apiUrl", "https://api.helpscout.net")] {
        let mut other = own.clone();
        other["account"][name] = json!(value);
        desk.write("account.json", other.to_string());
        for command in ["import", "check"] {
            online(command).with(2).saying(value).saying(&connected).saying("`callport pull`");
        }
        let rehearsed = ["import", "calls.csv", "--sandbox", "--set", "conversation.inbox=Sales"];
        desk.run(&rehearsed).with(0);
        desk.run(&["check", "calls.csv", "--set", "conversation.inbox=Sales"]).with(0);
    }
    assert_eq!(served.world().len(), 0, "nothing was sent");

    let mut by_hand = own.clone();
    by_hand.as_object_mut().unwrap().remove("account");
    desk.write("account.json", by_hand.to_string());
    assert_eq!(online("import").with(0).json()["imported"], 5);
    let mut other = own.clone();
    other["account"]["id"] = json!("company:17");
    desk.write("account.json", other.to_string());
    let refused = desk.run(&["check", "calls.csv"]).with(2).saying("`company:17`");
    refused.saying("but the checkpoint belongs to `company:1`");
    desk.write("account.json", own.to_string());
    desk.run(&["check", "calls.csv", "--set", "conversation.inbox=Sales"]).with(0);
}

#[test]
fn what_was_found_in_the_rows_is_told_although_the_account_could_not_be_asked() {
    let desk = Desk::new();
    desk.write("calls.csv", CallLog::of(5, 2).csv());
    let check = |address: &str, json: &[&str]| {
        let mut command =
            desk.command(&["check", "calls.csv", "--online", "--show", "2", "--api-url", address]);
        command.args(["--set", "limits.give_up=1s"]).args(json);
        Ended::of(command.env("HELPSCOUT_ACCESS_TOKEN", "t"))
    };
    let offline = desk.run(&["check", "calls.csv", "--show", "2"]).with(0).out;
    let offline_json = desk.run(&["check", "calls.csv", "--json"]).with(0).json();
    let script = "[[fault]]\non = \"read\"\ndo = \"refuse\"\nstatus = 401\n";
    let refusing = Served::with_faults(script, &[]);
    for (address, code) in [("http://127.0.0.1:9", 4), (refusing.address(), 5)] {
        let ended = check(address, &[]).with(code).saying("error: ").saying("the account was not asked");
        assert_eq!(ended.out, offline);
        assert_eq!(check(address, &["--json"]).with(code).json(), offline_json);
    }
}

#[test]
fn the_calls_that_are_shown_are_of_many_lines_results_and_years() {
    let desk = Desk::new();
    let mut rows = "id,started_at,duration,direction,from,to,line,status,customer.email\n".to_owned();
    for n in 0..40 {
        // All alike but for one of another line, one of another result and one of another year.
        let (year, line, status) = match n {
            11 => ("2024", "Sales", "answered"),
            22 => ("2024", "Support", "missed"),
            33 => ("2019", "Support", "answered"),
            _ => ("2024", "Support", "answered"),
        };
        writeln!(
            rows,
            "c-{n},{year}-03-01T10:00:{n:02}Z,60,inbound,+15550101,+15550199,{line},{status},jo@example.com"
        )
        .unwrap();
    }
    desk.write("calls.csv", rows);
    let shown = |count: &str| {
        let out = desk.run(&["check", "calls.csv", "--show", count]).with(0).out;
        let lines = out.lines().filter_map(|line| line.split_once(" · calls.csv:"));
        (lines.map(|(_, line)| line.to_owned()).collect::<Vec<_>>(), out)
    };
    // Line 2 holds the call 0.
    let (lines, out) = shown("3");
    assert_eq!(lines, ["35", "13", "24"], "the earliest first: {out}");
    assert!(out.contains("`callport import calls.csv --limit 3`, with the same options"), "{out}");
    assert_eq!(shown("3").1, out, "always the same");
    assert_eq!(shown("4").0, ["35", "2", "13", "24"]);
    let (lines, out) = shown("100");
    assert_eq!((lines.len(), out.contains("--limit")), (40, false), "all of them: {out}");
    assert!(!desk.run(&["check", "calls.csv"]).with(0).out.contains("--limit"));
}
