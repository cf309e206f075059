//! Whose call it is and who stays out: `customer.directory`, `account.json` and `source.exclude`, by the built program.

use serde_json::{Value, json};

use crate::{desk::Desk, served::Served};

const HEADING: &str = "id,started_at,duration,direction,from,to,customer.email\n";

fn row(id: usize, from: &str, email: &str) -> String {
    format!("c{id},{},60,inbound,{from},+15550199,{email}\n", crate::call_log::started_at(id))
}

/// A desk with a directory, an account and a list of people who are left out.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.write(
        "callport.toml",
        "[source]\nexclude = 'lists/erased.csv'\n[customer]\ncountry = 'US'\ndirectory = 'lists/contacts.csv'\n",
    );
    desk.write(
        "lists/contacts.csv",
        "E-Mail;Phone;First Name;ID\n;(212) 555-0101;Jo;\njo@example.com;(212) 555-0102;Jo;\n;+12125550103;;457\n;none;Al;\n",
    );
    desk.write("lists/erased.csv", "who\nErased@example.com\n212-555-0104\n");
    desk.write("account.json", account().to_string());
    desk
}

fn account() -> Value {
    json!({
        "customers": [
            {"id": 456, "emails": ["jo@example.com"], "phones": ["2125550105"], "firstName": "Jo"},
            {"id": 457, "emails": ["kim@example.com"], "phones": []},
            {"id": 458, "emails": ["erased@example.com"], "phones": ["+12125550106"]},
            {"id": 459, "emails": ["a@example.com"], "phones": ["+12125550107"]},
            {"id": 460, "emails": ["b@example.com"], "phones": ["+12125550107"]},
        ],
    })
}

fn log() -> String {
    let rows = [
        ("2125550101", ""),
        ("2125550102", ""),
        ("+12125550103", ""),
        ("+12125550104", ""),
        ("2125550105", ""),
        ("+12125550106", ""),
        ("+12125550107", ""),
        ("2125550108", "JO@example.com"),
    ];
    let rows = (1..).zip(rows).map(|(id, (from, email))| row(id, from, email));
    HEADING.to_owned() + &rows.collect::<String>()
}

#[test]
fn numbers_lead_to_customers_and_people_who_must_not_be_imported_stay_out() {
    let (desk, served) = (desk(), Served::with_seed(&account(), &[]));
    desk.write("calls.csv", log());
    let checked = desk.run(&["check", "calls.csv", "--json"]).with(3).json();
    assert_eq!(
        ["rows", "calls", "skipped", "rejected", "customers", "conversations"]
            .map(|name| checked[name].as_u64().unwrap()),
        [8, 5, 2, 1, 3, 3],
        "{checked}"
    );
    let problem = &checked["problems"][0];
    assert_eq!((&problem["column"], &problem["value"]), (&json!("from"), &json!("+12125550107")));
    assert!(problem["reason"].as_str().unwrap().contains("the account knows several customers"), "{problem}");
    let warned = checked["warnings"].to_string();
    assert!(
        warned.contains("`source.exclude`") && warned.contains("a `phone` of the directory is left out"),
        "{warned}"
    );

    let sheet = desk.import(&served, &["calls.csv", "--json"]).with(3).json();
    assert_eq!(
        ["imported", "skipped", "rejected", "customers_created", "conversations_created"]
            .map(|name| sheet[name].as_u64().unwrap()),
        [5, 2, 1, 1, 3],
        "{sheet}"
    );
    let mut of_customers: Vec<(u64, usize)> = served
        .world()
        .values()
        .map(|one| (one.shown["primaryCustomer"]["id"].as_u64().unwrap(), one.threads.len()))
        .collect();
    of_customers.sort_unstable();
    assert_eq!(
        of_customers[..2],
        [(456, 3), (457, 1)],
        "by the directory's e-mail, the account's number and the row's e-mail"
    );
    let made = served.get(&format!("/v2/customers/{}", of_customers[2].0));
    assert_eq!(made["firstName"], "Jo", "the directory names whom it cannot find");
    let again = desk.import(&served, &["calls.csv", "--json"]).with(0).json();
    assert_eq!([&again["requests"], &again["changed"]], [0, 0], "{again}");
}

#[test]
fn a_number_of_several_customers_leads_to_the_first_where_that_is_wished() {
    let desk = desk();
    desk.write("calls.csv", HEADING.to_owned() + &row(1, "+12125550107", ""));
    let checked =
        desk.run(&["check", "calls.csv", "--json", "--set", "customer.ambiguous=first"]).with(0).json();
    assert_eq!(checked["calls"], 1);
    assert!(checked["warnings"].to_string().contains("several customers lead to the first"), "{checked}");
}

#[test]
fn lists_that_cannot_be_used_are_refused_by_their_place() {
    let desk = desk();
    desk.write("calls.csv", log());
    for (file, content, told) in [
        (
            "lists/contacts.csv",
            "name,mobile\nJo,+12125550101\n",
            "is no directory of customers: it needs the columns `phone`",
        ),
        ("lists/contacts.csv", "", "`lists/contacts.csv` is empty"),
        ("lists/contacts.csv", "phone,email\n1,2,3\n", "lists/contacts.csv:2: "),
        (
            "lists/contacts.csv",
            "id,email\n4,jo@example.com\n5,JO@example.com\n",
            "lists/contacts.csv:3: the e-mail `jo@example.com` stands with the ids 4 and 5",
        ),
        (
            "lists/erased.csv",
            "Jo Doe\n",
            "callport.toml:2: `source.exclude`: `lists/erased.csv` names nobody",
        ),
        (
            "lists/erased.csv",
            "name\nJo Doe\n",
            "lists/erased.csv:2: `Jo Doe` holds neither a phone number nor an e-mail",
        ),
    ] {
        let before = desk.read(file);
        desk.write(file, content);
        desk.run(&["check", "calls.csv"]).with(2).saying(told);
        desk.write(file, before);
    }
    std::fs::remove_file(desk.path("lists/erased.csv")).unwrap();
    desk.run(&["check", "calls.csv"])
        .with(2)
        .saying("callport.toml:2: `source.exclude`: `lists/erased.csv` cannot be read");
    desk.run(&["check", "calls.csv", "--set", "source.exclude="]).with(2).saying("`source.exclude` is empty");
}
