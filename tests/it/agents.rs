//! Whose call, and which inbox: from a log and a directory of agents to what landed, by the built program.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::{
    call_log::started_at,
    desk::{Desk, Ended},
    served::{Conversation, Served},
};

/// The token's owner, who is nobody's agent.
const OWNER: u64 = 1;

/// An account of two inboxes and ten agents beside the owner.
fn account() -> Value {
    let user = |id: u64, email: String| json!({"id": id, "email": email, "firstName": "U", "lastName": id.to_string()});
    let mut users = vec![user(OWNER, "owner@example.com".into())];
    users.extend((0..10).map(|n| user(10 + n, format!("a{n}@example.com"))));
    json!({
        "limit": 100_000,
        "inboxes": [
            {"id": 85, "name": "Support", "email": "support@example.com"},
            {"id": 86, "name": "Sales", "email": "sales@example.com"},
        ],
        "users": users,
    })
}

/// Three calls of each of twelve customers, each customer with an agent of their own, over three lines; and two calls of a
/// thirteenth customer with two agents.
fn log() -> String {
    let mut text = "id,started_at,direction,from,customer.email,agent,line\n".to_owned();
    let lines = ["Sales DE", "Help", "Sales US"];
    let mut row = |number: usize, customer: usize, agent: usize| {
        let line = lines[customer % 3];
        let started = started_at(number);
        writeln!(text, "c{number:02},{started},inbound,,k{customer}@example.com,Agent {agent},{line}")
            .unwrap();
    };
    for number in 0..36 {
        row(number, number % 12, number % 12);
    }
    row(36, 12, 0);
    row(37, 12, 1);
    text
}

/// Agents 0 to 9 are users; the eleventh has an e-mail that is no user's, the twelfth is not listed.
fn directory() -> String {
    let mut text = "Team;E-Mail ;NAME;EMAIL\n".to_owned();
    for n in 0..10 {
        writeln!(text, "x;;agent  {n};A{n}@Example.com").unwrap();
    }
    text + "x;;Agent 10;gone@example.com\n"
}

const SETTINGS: &str = r#"
[source]
files = ["calls.csv"]

[agents]
directory = "agents.csv"

[conversation]
assign_to = "agent"
inbox_by = "line"

[conversation.inboxes]
"Sales DE" = 86
Help = "support"
"Sales US" = 86
"#;

fn desk(settings: &str) -> Desk {
    let desk = Desk::new();
    desk.write("calls.csv", log());
    desk.write("agents.csv", directory());
    desk.write("callport.toml", settings);
    desk
}

fn served() -> Served {
    Served::with_seed(&account(), &[])
}

/// Reasons that begin like this, with their counts.
fn warned(result: &Value, words: &str) -> Vec<(String, u64)> {
    let warnings = result["warnings"].as_array().unwrap().iter();
    let told = warnings.map(|one| (one["reason"].as_str().unwrap(), one["count"].as_u64().unwrap()));
    told.filter(|(reason, _)| reason.starts_with(words))
        .map(|(reason, count)| (reason.to_owned(), count))
        .collect()
}

/// The one conversation of a customer of [`log`], by the line that all texts have.
fn of_customer(world: &crate::served::World, customer: usize) -> Conversation {
    let email = format!("k{customer}@example.com");
    let is_it = |one: &&Conversation| one.shown["primaryCustomer"]["email"] == json!(email);
    let found: Vec<&Conversation> = world.values().filter(is_it).collect();
    assert_eq!(found.len(), 1, "{email}");
    found[0].clone()
}

fn authors(one: &Conversation) -> Vec<u64> {
    one.threads.iter().map(|thread| thread["createdBy"]["id"].as_u64().unwrap()).collect()
}

#[test]
fn what_is_one_agents_lands_in_that_name_and_in_the_inbox_of_its_line() {
    let (desk, served) = (desk(SETTINGS), served());
    desk.write("account.json", account().to_string());
    let check = desk.run(&["check", "--json"]).with(0).json();
    let unlisted = "the agent `Agent 11` is not in the directory";
    let departed = "the agent `Agent 10` is no user of the account by `account.json`";
    for (words, count) in [(unlisted, 3), (departed, 3), ("the agent `", 3)] {
        assert_eq!(warned(&check, words)[0].1, count, "{check}");
    }
    assert_eq!(warned(&check, "the agent `").len(), 2, "each of the two once: {check}");
    let told = desk.run(&["check"]).with(0).out;
    assert!(told.contains("`Agent 11`") && told.contains("(3 times, first at"), "{told}");

    let sheet = desk.import(&served, &["--json"]).with(0).json();
    assert_eq!((&sheet["imported"], &sheet["conversations_created"]), (&json!(38), &json!(13)), "{sheet}");
    assert_eq!((&check["requests"], &check["rate_units"]), (&sheet["requests"], &sheet["rate_units"]));
    assert_eq!(warned(&sheet, "the agent `gone@example.com` is no user of the account").len(), 1, "{sheet}");

    let world = served.world();
    for customer in 0..13 {
        let one = of_customer(&world, customer);
        let inbox = if customer % 3 == 1 { 85 } else { 86 };
        assert_eq!(one.shown["mailboxId"], inbox, "{customer}");
        let (author, assignee) = match customer as u64 {
            agent @ 0..10 => (10 + agent, json!(10 + agent)),
            _ => (OWNER, Value::Null),
        };
        assert_eq!(one.shown["createdBy"]["id"], author, "{customer}: {}", one.shown);
        assert_eq!(one.shown["assignee"]["id"], assignee, "{customer}: {}", one.shown);
        assert!(authors(&one).iter().all(|found| *found == author), "{customer}");
        for thread in &one.threads {
            assert!(thread["body"].as_str().unwrap().contains("Agent: Agent "), "{thread}");
        }
    }
    assert_eq!(of_customer(&world, 12).threads.len(), 2, "two agents do not part a conversation");

    let changes = served.changes();
    let again = desk.import(&served, &["--json"]).with(0).json();
    assert_eq!((&again["imported"], &again["already_imported"]), (&json!(0), &json!(38)), "{again}");
    assert_eq!(served.changes(), changes);
    assert_eq!(again["requests"], 0, "nobody is asked for where nothing waits");
}

#[test]
fn without_a_word_of_agents_only_an_e_mail_lends_its_name() {
    let served = served();
    let desk = desk("[conversation]\ninbox = 85\n");
    let rows = "id,started_at,direction,customer.email,agent\n1,2024-05-01T10:00:00Z,in,k1@example.com,Agent 3\n\
                2,2024-05-01T10:00:00Z,in,k2@example.com,A3@example.com\n";
    desk.write("calls.csv", rows);
    let sheet = desk.import(&served, &["calls.csv", "--json"]).with(0).json();
    assert_eq!(sheet["warnings"], json!([]), "who does not care is not bothered");
    let world = served.world();
    let shown = |customer: usize| of_customer(&world, customer).shown;
    assert_eq!((&shown(1)["createdBy"]["id"], &shown(2)["createdBy"]["id"]), (&json!(OWNER), &json!(13)));
    assert_eq!(shown(2)["assignee"], Value::Null, "nobody is assigned unless that is set");
}

#[test]
fn agents_who_match_nobody_may_be_rejected_by_the_file_or_by_the_account() {
    let (desk, served) = (desk(SETTINGS), served());
    let strict = ["--json", "--set", "agents.unknown=reject"];
    let sheet = desk.import(&served, &strict).with(3).json();
    // Three rows name nobody of the directory; whose e-mail is a user's, the account alone knows here.
    assert_eq!((&sheet["rejected"], &sheet["imported"]), (&json!(6), &json!(32)), "{sheet}");
    let rejects = desk.read("rejects.csv");
    assert_eq!(rejects.matches("`Agent 11`: is not in the directory").count(), 3, "{rejects}");
    assert_eq!(
        rejects.matches("the agent `gone@example.com` is no user of the account").count(),
        3,
        "{rejects}"
    );
    assert_eq!(served.references().len(), 32);

    desk.write("account.json", account().to_string());
    let check =
        desk.run(&[&["check", "--checkpoint", "other.checkpoint"], &strict[..]].concat()).with(3).json();
    assert_eq!((&check["rejected"], &check["calls"]), (&json!(6), &json!(32)), "{check}");

    // Mended in the directory, they go in like any other.
    desk.write("agents.csv", directory().replace("gone@", "a9@") + "x;;Agent 11;a8@example.com\n");
    let sheet = desk.import(&served, &strict).with(0).json();
    assert_eq!((&sheet["imported"], &sheet["already_imported"]), (&json!(6), &json!(32)), "{sheet}");
    assert_eq!(of_customer(&served.world(), 11).shown["createdBy"]["id"], 18);
}

#[test]
fn a_call_that_waits_takes_the_agent_that_the_directory_names_now() {
    let (desk, served) = (desk(&(SETTINGS.to_owned() + "[limits]\ngive_up = \"1s\"\n")), served());
    let mut away = desk.command(&["import", "--api-url", "http://127.0.0.1:9"]);
    Ended::of(away.env("HELPSCOUT_ACCESS_TOKEN", "t")).with(4);
    desk.write(
        "agents.csv",
        directory().replace("A3@Example.com", "a7@example.com") + "x;;Agent 11;a8@example.com\n",
    );
    let sheet = desk.import(&served, &["--json"]).with(0).json();
    assert_eq!(sheet["imported"], 38, "{sheet}");
    let world = served.world();
    let author = |customer| of_customer(&world, customer).shown["createdBy"]["id"].clone();
    assert_eq!([author(3), author(11), author(4)], [json!(17), json!(18), json!(14)]);
}

#[test]
fn a_user_whom_help_scout_does_not_take_costs_no_call() {
    let body = r#"{"message":"Bad request","_embedded":{"errors":[{"path":"assignTo","message":"has no access to the inbox"}]}}"#;
    let script = format!(
        "[[fault]]\non = \"create\"\nat = [1]\ndo = \"refuse\"\nstatus = 400\nbody = '{body}'\nbody_type = \"application/vnd.error+json\"\n"
    );
    let served = Served::with_seed_and_faults(&account(), &script);
    let desk = desk(SETTINGS);
    let sheet = desk.import(&served, &["--json", "--workers", "1"]).with(0).json();
    assert_eq!((&sheet["imported"], &sheet["rejected"]), (&json!(38), &json!(0)), "{sheet}");
    assert_eq!(warned(&sheet, "Help Scout does not take user ").len(), 1, "{sheet}");
    let world = served.world();
    let by_owner =
        (0..10).filter(|customer| of_customer(&world, *customer).shown["createdBy"]["id"] == OWNER);
    assert_eq!(by_owner.count(), 1, "the others are made in their agents' names");
}

#[test]
fn a_conversation_that_is_not_found_for_another_reason_keeps_its_agent() {
    let not_found = "[[fault]]\non = \"create\"\nat = [1]\ndo = \"refuse\"\nstatus = 404\n";
    let served = Served::with_seed_and_faults(&account(), not_found);
    let desk = desk(SETTINGS);
    let sheet = desk.import(&served, &["--json"]).with(0).json();
    assert_eq!((&sheet["imported"], &sheet["rejected"]), (&json!(38), &json!(0)), "{sheet}");
    assert_eq!(warned(&sheet, "Help Scout does not take user ").len(), 0, "{sheet}");
    let world = served.world();
    let of_agents =
        (0..10).filter(|customer| of_customer(&world, *customer).shown["createdBy"]["id"] != OWNER);
    assert_eq!(of_agents.count(), 10);
}

#[test]
fn what_is_appended_is_nobodys_and_agents_do_not_change_the_packing() {
    let (desk, served) = (desk("[conversation]\ninbox = 85\nassign_to = 'agent'\n"), served());
    let mut rows = "id,started_at,direction,customer.email,agent\n".to_owned();
    for number in 0..150 {
        let agent = if number < 120 { 2 } else { 5 };
        writeln!(rows, "{number},{},in,k1@example.com,a{agent}@example.com", started_at(number)).unwrap();
    }
    desk.write("calls.csv", &rows);
    desk.import(&served, &["calls.csv"]).with(0);
    let of = |served: &Served| -> Vec<(Value, Value, usize)> {
        let world = served.world();
        let shown = |one: &Conversation| {
            (one.shown["createdBy"]["id"].clone(), one.shown["assignee"]["id"].clone(), one.threads.len())
        };
        world.values().map(shown).collect()
    };
    // The packing is what it is without agents: the second conversation is of two.
    assert_eq!(of(&served), [(json!(12), json!(12), 100), (json!(OWNER), Value::Null, 50)]);
    writeln!(rows, "150,{},in,k1@example.com,a2@example.com", started_at(150)).unwrap();
    desk.write("calls.csv", rows);
    desk.import(&served, &["calls.csv"]).with(0);
    assert_eq!(of(&served)[1], (json!(OWNER), Value::Null, 51));
}

#[test]
fn a_directory_that_is_wrong_is_refused_with_file_line_and_value() {
    let desk = desk(SETTINGS);
    let refused = |content: &[u8]| {
        desk.write("agents.csv", content);
        let check = desk.run(&["check"]).with(2);
        desk.run(&["import", "--sandbox"]).with(2).saying(check.err.lines().next().unwrap());
        check
    };
    refused(b"name,email\nAda,ada@\nBo,bo@example.com\nBO,b@example.com\n")
        .saying("agents.csv:2: email `ada@` is not an e-mail address")
        .saying("agents.csv:4: email `b@example.com` is another e-mail");
    refused(b"agent,email\nAda,ada@example.com\n").saying(
        "callport.toml:6: `agents.directory`: `agents.csv` has no column `name` (it has `agent`, `email`)",
    );
    refused(b"PK\x03\x04[Content_Types].xml").saying("is an Excel workbook");
    let gone = desk.run(&["check", "--set", "agents.directory=none.csv"]).with(2);
    gone.saying("--set: `agents.directory`: `none.csv` does not exist");
}

#[test]
fn check_compares_what_is_set_with_the_account_file() {
    let desk = desk(SETTINGS);
    desk.write("account.json", account().to_string());
    let check = |set: &[&str]| {
        let mut command = desk.command(&["check", "--json"]);
        for set in set {
            command.args(["--set", set]);
        }
        Ended::of(&mut command)
    };
    check(&[]).with(0);
    let otherwise = [
        "conversation.inboxes.Never=Billing",
        "conversation.inbox_otherwise=99",
        "conversation.assign_to=no@example.com",
    ];
    let refused = check(&otherwise).with(2);
    assert_eq!(refused.json()["calls"], 38, "the plan is told all the same");
    for words in [
        "no inbox `Billing`; by `account.json` it has `Support` (85), `Sales` (86) (`callport pull` asks the account anew)",
        "no inbox `99`; by `account.json`",
        "conversation.assign_to: no user of the account has the e-mail `no@example.com`, by `account.json`",
    ] {
        assert!(refused.err.contains(words), "{words}\n{}", refused.err);
    }
    desk.write("callport.toml", "[source]\nfiles = [\"calls.csv\"]\n");
    check(&[])
        .with(2)
        .saying("only where the account has one inbox; by `account.json` it has `Support` (85)");
    check(&["conversation.inbox=sales", "conversation.assign_to=A4@example.com"]).with(0);
    let unknown = check(&["conversation.inbox=Billing"]).with(2);
    assert_eq!(unknown.err.matches("no inbox `Billing`").count(), 1, "{}", unknown.err);
    // Rows that name their conversation need no inbox.
    desk.write("calls.csv", "id,started_at,customer_id,conversation_id\n1,2024-05-01T10:00:00Z,4,123\n");
    check(&[]).with(0);
}

#[test]
fn check_online_looks_for_inboxes_that_no_row_chose_and_tells_agents_who_are_no_users() {
    let (desk, served) = (desk(SETTINGS), served());
    let check = |set: &[&str]| {
        let mut command = desk.command(&["check", "--online", "--json", "--api-url", served.address()]);
        for set in set {
            command.args(["--set", set]);
        }
        Ended::of(command.env("HELPSCOUT_ACCESS_TOKEN", "t"))
    };
    let fits = check(&[]).with(0).json();
    assert_eq!(warned(&fits, "the agent `gone@example.com` is no user of the account").len(), 1, "{fits}");
    check(&["conversation.inboxes.Never=Billing"])
        .with(2)
        .saying("the account has no inbox `Billing`; it has");
    // An old file is no matter for the one who asks the account.
    desk.write("account.json", r#"{"inboxes":[{"id":1,"name":"Old"}]}"#);
    check(&[]).with(0);
}
