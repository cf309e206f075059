//! A company's whole log: whose history goes where is known before the first write, and comes out so.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use serde_json::{Value, json};

use crate::{desk::Desk, served::Served};

const CALLS: usize = 5_000;
const CALLERS: usize = 800;
const AGENTS: usize = 12;
const LINES: [&str; 3] = ["Sales DE", "Sales FR", "Help"];

/// How somebody who calls is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Known {
    Directory,
    Account,
    Ambiguous,
    Hidden,
    New,
}

fn known(caller: usize) -> Known {
    match caller {
        0..300 => Known::Directory,
        300..500 => Known::Account,
        500..550 => Known::Ambiguous,
        550..570 => Known::Hidden,
        _ => Known::New,
    }
}

fn number(caller: usize) -> String {
    format!("+1555{:07}", 1_000_000 + caller)
}

/// Who calls, on which line, and who answers.
fn call(index: usize) -> (usize, usize, usize) {
    (index % CALLERS, (index / 7) % LINES.len(), (index / 11) % AGENTS)
}

/// The inbox of a line: two of the three share one.
fn inbox(line: usize) -> u64 {
    if line == 2 { 86 } else { 85 }
}

fn log() -> String {
    (0..CALLS).fold(
        "id,started_at,duration,direction,from,to,line,agent,notes\n".to_owned(),
        |mut text, index| {
            let (caller, line, agent) = call(index);
            let from = if known(caller) == Known::Hidden { "anonymous".to_owned() } else { number(caller) };
            let at = crate::call_log::started_at(index);
            writeln!(
                text,
                "crm-{index:05},{at},60,inbound,{from},+15550199,{},Agent {agent},about gout {index}",
                LINES[line]
            )
            .unwrap();
            text
        },
    )
}

/// Half of them by id, half by an e-mail that the account has.
fn directory() -> String {
    (0..300).fold("phone,email,id\n".to_owned(), |mut text, caller| {
        let id = 10_000 + caller;
        match caller % 2 {
            0 => writeln!(text, "{},,{id}", number(caller)),
            _ => writeln!(text, "{},Caller{caller}@example.com,", number(caller)),
        }
        .unwrap();
        text
    })
}

fn account() -> Value {
    let mut customers = Vec::new();
    for caller in 0..550 {
        let (id, email) = (10_000 + caller, format!("caller{caller}@example.com"));
        let phones = match known(caller) {
            Known::Directory => vec![],
            _ => vec![number(caller)],
        };
        customers.push(json!({"id": id, "emails": [email], "phones": phones}));
        if known(caller) == Known::Ambiguous {
            customers.push(json!({"id": 20_000 + caller, "emails": [], "phones": [number(caller)]}));
        }
    }
    let users: Vec<Value> = (0..10)
        .map(|agent| json!({"id": 100 + agent, "email": format!("agent{agent}@example.com")}))
        .collect();
    json!({
        "limit": 100_000,
        "inboxes": [
            {"id": 85, "name": "Sales", "email": "sales@example.com"},
            {"id": 86, "name": "Support", "email": "support@example.com"},
        ],
        "users": users,
        "customers": customers,
    })
}

const SETTINGS: &str = "
[customer]
directory = 'contacts.csv'
[agents]
directory = 'agents.csv'
[conversation]
inbox_by = 'line'
[conversation.inboxes]
'Sales DE' = 85
'Sales FR' = 85
'Help' = 'Support'
";

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("calls.csv", log());
    desk.write("contacts.csv", directory());
    desk.write("account.json", account().to_string());
    desk.write("callport.toml", SETTINGS);
    let agents = (0..10).fold("name,email\n".to_owned(), |text, agent| {
        text + &format!("agent {agent},Agent{agent}@example.com\n")
    });
    desk.write("agents.csv", agents);
    desk
}

/// The calls that are sent, by caller and inbox.
fn expected() -> BTreeMap<(usize, u64), usize> {
    let mut expected = BTreeMap::new();
    for (caller, line, _) in (0..CALLS).map(call) {
        if !matches!(known(caller), Known::Ambiguous | Known::Hidden) {
            *expected.entry((caller, inbox(line))).or_default() += 1;
        }
    }
    expected
}

fn figures<const N: usize>(sheet: &Value, names: [&str; N]) -> [usize; N] {
    names.map(|name| {
        sheet[name]
            .as_u64()
            .and_then(|count| count.try_into().ok())
            .unwrap_or_else(|| panic!("no {name} in {sheet}"))
    })
}

#[test]
fn what_check_predicts_of_a_whole_log_comes_out_and_nothing_comes_twice() {
    let (desk, served) = (desk(), Served::with_seed(&account(), &[]));
    let expected = expected();
    let calls: usize = expected.values().sum();
    let callers: BTreeSet<usize> = expected.keys().map(|(caller, _)| *caller).collect();
    let new = callers.iter().filter(|caller| known(**caller) == Known::New).count();
    let rejected = CALLS - calls;

    let checked = desk.run(&["check", "--json", "calls.csv"]).with(3).json();
    let names = ["rows", "calls", "rejected", "skipped", "customers", "conversations"];
    assert_eq!(figures(&checked, names), [CALLS, calls, rejected, 0, callers.len(), expected.len()]);
    let unmatched: Vec<u64> = checked["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|warning| {
            ["`Agent 10`", "`Agent 11`"].iter().any(|name| warning["reason"].as_str().unwrap().contains(name))
        })
        .map(|warning| warning["count"].as_u64().unwrap())
        .collect();
    assert_eq!(unmatched.len(), 2, "{}", checked["warnings"]);
    let of_ambiguous = |problem: &&Value| problem["reason"].as_str().unwrap().contains("several customers");
    let ambiguous: BTreeSet<&str> = checked["problems"]
        .as_array()
        .unwrap()
        .iter()
        .filter(of_ambiguous)
        .map(|problem| problem["value"].as_str().unwrap())
        .collect();
    assert_eq!(ambiguous.len(), 50, "each is listed");
    let text = desk.run(&["check", "calls.csv"]).with(3).out;
    for line in [
        format!("({new} new, 500 known)"),
        format!(
            "customers are found: 300 by the directory, 200 by account.json, {new} by nothing but their number"
        ),
    ] {
        assert!(text.contains(&line), "`{line}` is not in: {text}");
    }

    let sheet = desk.import(&served, &["--json", "calls.csv"]).with(3).json();
    let names = [
        "rows",
        "imported",
        "rejected",
        "customers_created",
        "conversations_created",
        "undecided",
        "pending",
    ];
    assert_eq!(figures(&sheet, names), [CALLS, calls, rejected, new, expected.len(), 0, 0]);
    let predicted = figures(&checked, ["requests", "rate_units"]);
    assert_eq!(figures(&sheet, ["requests", "rate_units"]), predicted);

    let mut landed: BTreeMap<(u64, u64), usize> = BTreeMap::new();
    for one in served.world().values() {
        let customer = one.shown["primaryCustomer"]["id"].as_u64().unwrap();
        let before = landed.insert((customer, one.shown["mailboxId"].as_u64().unwrap()), one.threads.len());
        assert_eq!(before, None, "a customer has one conversation in an inbox");
    }
    for ((caller, inbox), calls) in &expected {
        if known(*caller) != Known::New {
            assert_eq!(landed.remove(&(10_000 + *caller as u64, *inbox)), Some(*calls), "caller {caller}");
        }
    }
    let of_new: BTreeSet<u64> = landed.keys().map(|(customer, _)| *customer).collect();
    assert_eq!(of_new.len(), new, "no second profile");

    let again = desk.import(&served, &["--json", "calls.csv"]).with(0).json();
    assert_eq!(figures(&again, ["imported", "already_imported", "changed", "requests"]), [0, calls, 0, 0]);

    desk.run(&["forget", "--imported"]).with(0);
    let bytes = std::fs::read(desk.path("callport.checkpoint")).unwrap().to_ascii_lowercase();
    for word in ["15551", "@example.com", "gout", "crm-0"] {
        assert!(!bytes.windows(word.len()).any(|window| window == word.as_bytes()), "{word} is left");
    }
    let after = desk.import(&served, &["--json", "calls.csv"]).with(0).json();
    assert_eq!(figures(&after, ["imported", "already_imported", "changed", "requests"]), [0, calls, 0, 0]);
}
