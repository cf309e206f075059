//! Whose calls they are where rows give a number and no more: the checkpoint, the only e-mail that came with the number, or
//! a customer of its own, once and for ever.

use std::fmt::Write;

use serde_json::Value;

use crate::{
    desk::Desk,
    served::{Served, reference},
};

/// A row: id, e-mail (or nothing) and number.
type Row<'a> = (&'a str, &'a str, &'a str);

const JO: &str = "jo@example.com";
const ANN: &str = "ann@example.com";
const NUMBER: &str = "+15550100";

fn export(rows: &[Row<'_>]) -> String {
    let mut text = "id,started_at,duration,direction,email,phone\n".to_owned();
    for (minute, (id, email, phone)) in rows.iter().enumerate() {
        writeln!(text, "{id},2024-01-01T10:{minute:02}:00Z,60,inbound,{email},{phone}").unwrap();
    }
    text
}

/// Which calls the customers of the service have, by their e-mail, else their number; each conversation is one entry.
fn calls_of(served: &Served) -> Vec<(String, Vec<String>)> {
    let mut found: Vec<(String, Vec<String>)> = served
        .world()
        .values()
        .flat_map(|one| {
            let mut calls: Vec<(String, Vec<String>)> = Vec::new();
            for thread in &one.threads {
                let (who, call) = (name(served, &thread["customer"]), reference(thread).unwrap());
                match calls.last_mut().filter(|(known, _)| *known == who) {
                    Some((_, known)) => known.push(call),
                    None => calls.push((who, vec![call])),
                }
            }
            calls
        })
        .collect();
    // The rows of each file begin at the same minute.
    for (_, calls) in &mut found {
        calls.sort();
    }
    found.sort();
    found
}

fn name(served: &Served, customer: &Value) -> String {
    let shown = served.get(&format!("/v2/customers/{}", customer["id"]));
    let first = |kind: &str| shown.pointer(&format!("/_embedded/{kind}/0/value")).and_then(Value::as_str);
    first("emails").or_else(|| first("phones")).unwrap_or_else(|| panic!("{shown}")).to_owned()
}

fn figures<const N: usize>(sheet: &Value, names: [&str; N]) -> [u64; N] {
    names.map(|name| sheet[name].as_u64().unwrap_or_else(|| panic!("no {name} in {sheet}")))
}

fn expect(calls: &[(&str, &[&str])]) -> Vec<(String, Vec<String>)> {
    let owned = |calls: &[&str]| calls.iter().map(|call| (*call).to_owned()).collect();
    calls.iter().map(|(who, calls)| ((*who).to_owned(), owned(calls))).collect()
}

#[test]
fn a_number_alone_goes_to_the_only_e_mail_that_came_with_it_and_stays_there() {
    let (desk, served) = (Desk::new(), Served::start(&[]));
    desk.write("a.csv", export(&[("1", "", NUMBER), ("2", JO, NUMBER), ("3", "", NUMBER)]));
    let sheet = desk.import(&served, &["a.csv", "--json"]).with(0).json();
    let names = ["imported", "conversations_created", "customers_created"];
    assert_eq!(figures(&sheet, names), [3, 1, 0], "nobody is made by number");
    assert_eq!(calls_of(&served), expect(&[(JO, &["1", "2", "3"])]));
    let again = desk.import(&served, &["a.csv", "--json"]).with(0).json();
    assert_eq!(figures(&again, ["requests", "changed", "already_imported"]), [0, 0, 3]);

    // The next night the number comes alone, and then with another e-mail.
    desk.write("b.csv", export(&[("4", "", NUMBER)]));
    desk.import(&served, &["b.csv"]).with(0);
    desk.write("c.csv", export(&[("5", ANN, NUMBER), ("6", "", NUMBER)]));
    desk.import(&served, &["c.csv"]).with(0);
    assert_eq!(calls_of(&served), expect(&[(ANN, &["5"]), (JO, &["1", "2", "3", "4", "6"])]));

    // What was forgotten adds nothing, and the e-mail's calls go on.
    desk.run(&["forget", "--imported"]).with(0);
    for file in ["a.csv", "b.csv", "c.csv"] {
        let again = desk.import(&served, &[file, "--json"]).with(0).json();
        assert_eq!(figures(&again, ["requests", "changed", "imported"]), [0, 0, 0], "{file}");
    }
    desk.write("d.csv", export(&[("7", JO, NUMBER), ("8", "", NUMBER)]));
    desk.import(&served, &["d.csv"]).with(0);
    let all: &[&str] = &["1", "2", "3", "4", "6", "7", "8"];
    assert_eq!(calls_of(&served), expect(&[(ANN, &["5"]), (JO, all)]));
}

#[test]
fn an_offices_number_gets_a_customer_of_its_own_once() {
    let (desk, served) = (Desk::new(), Served::start(&[]));
    desk.write(
        "a.csv",
        export(&[("1", JO, NUMBER), ("2", "", NUMBER), ("3", ANN, NUMBER), ("4", "", NUMBER)]),
    );
    let sheet = desk.import(&served, &["a.csv", "--json"]).with(0).json();
    assert_eq!(figures(&sheet, ["imported", "customers_created"]), [4, 1]);
    let warning = &sheet["warnings"][0];
    assert!(warning["reason"].as_str().unwrap().contains("`customer.directory`"), "{sheet}");
    assert_eq!((&warning["count"], &warning["line"]), (&Value::from(1), &Value::from(3)), "{sheet}");
    let expected = expect(&[(NUMBER, &["2", "4"]), (ANN, &["3"]), (JO, &["1"])]);
    assert_eq!(calls_of(&served), expected);
    // Its key never changes, whoever is known by the number later.
    desk.write("b.csv", export(&[("5", "", NUMBER), ("6", JO, NUMBER)]));
    let sheet = desk.import(&served, &["b.csv", "--json"]).with(0).json();
    assert_eq!(figures(&sheet, ["imported", "customers_created", "conversations_created"]), [2, 0, 0]);
    assert_eq!(calls_of(&served)[0].1, ["2", "4", "5"]);
}

#[test]
fn a_number_that_nothing_knows_is_rejected_at_the_end_where_that_is_asked_for() {
    let (desk, served) = (Desk::new(), Served::start(&[]));
    let rows = [("1", "", "+15550101"), ("2", "", NUMBER), ("3", JO, NUMBER), ("4", "", "+15550102")];
    desk.write("a.csv", export(&rows));
    let strict = ["a.csv", "--json", "--set", "customer.unknown=reject"];
    desk.import(&served, &[&strict[..], &["--strict"]].concat()).with(3);
    assert_eq!(served.references(), Vec::<String>::new());
    let sheet = desk.import(&served, &strict).with(3).json();
    assert_eq!(figures(&sheet, ["rows", "imported", "rejected", "customers_created"]), [4, 2, 2, 0]);
    assert_eq!(calls_of(&served), expect(&[(JO, &["2", "3"])]));
    let rejects = desk.read("rejects.csv");
    assert!(rejects.contains("1,2024-01-01T10:00:00Z,60,inbound,,+15550101,a.csv,2,"), "{rejects}");
    assert!(rejects.matches("`customer.unknown` is `reject`").count() == 2, "{rejects}");
    let again = desk.import(&served, &strict).with(0).json();
    assert_eq!(figures(&again, ["rejected", "rejected_before", "requests"]), [2, 2, 0]);
    let check = desk.run(&["check", "a.csv", "--json", "--set", "customer.unknown=reject"]).json();
    assert_eq!(figures(&check, ["rows", "rejected", "already_imported", "calls"]), [4, 2, 2, 0]);
    // The mended rows go in.
    desk.write("mended.csv", rejects.replace("inbound,,+15550101", "inbound,x@example.com,+15550101"));
    let sheet = desk.import(&served, &[&["mended.csv"], &strict[1..]].concat()).json();
    assert_eq!(figures(&sheet, ["imported", "rejected"]), [1, 1]);
}

#[test]
fn a_limit_leaves_whole_customers_out_and_nothing_of_them_stays() {
    let (desk, served) = (Desk::new(), Served::start(&[]));
    let rows = [
        ("1", "", NUMBER),
        ("2", "", "+15550101"),
        ("3", JO, NUMBER),
        ("4", ANN, "+15550101"),
        ("5", "", NUMBER),
    ];
    desk.write("a.csv", export(&rows));
    let sheet = desk.import(&served, &["a.csv", "--json", "--limit", "3"]).with(0).json();
    assert_eq!(figures(&sheet, ["rows", "imported", "customers_created"]), [3, 3, 0]);
    assert_eq!(calls_of(&served), expect(&[(JO, &["1", "3", "5"])]));
    let bytes = std::fs::read(desk.path("callport.checkpoint")).unwrap();
    let holds = |words: &str| bytes.windows(words.len()).any(|window| window == words.as_bytes());
    assert!(holds(JO) && !holds(ANN) && !holds("+15550101"));
    desk.import(&served, &["a.csv"]).with(0);
    assert_eq!(calls_of(&served), expect(&[(ANN, &["2", "4"]), (JO, &["1", "3", "5"])]));
}

#[test]
fn who_is_barred_by_number_is_barred_where_its_calls_went() {
    let (desk, served) = (Desk::new(), Served::start(&[]));
    desk.write("a.csv", export(&[("1", "", NUMBER), ("2", JO, NUMBER)]));
    desk.import(&served, &["a.csv"]).with(0);
    desk.run(&["forget", "--number", NUMBER]).with(0);
    let bytes = std::fs::read(desk.path("callport.checkpoint")).unwrap();
    assert!(!bytes.windows(JO.len()).any(|window| window == JO.as_bytes()));
    desk.write("b.csv", export(&[("3", "", NUMBER)]));
    let sheet = desk.import(&served, &["b.csv", "--json"]).with(0).json();
    assert_eq!(figures(&sheet, ["skipped", "requests"]), [1, 0]);
}
