//! Conversations: created, read, changed, merged and deleted.

use super::*;

#[test]
fn one_is_created_with_its_threads_tags_and_times() {
    let mut desk = Desk::new();
    let answer = desk.send("POST", "/v2/conversations", &creation(100));
    assert_eq!((answer.status, answer.body.len()), (201, 0));
    let id: u64 = answer.header("resource-id").unwrap().parse().unwrap();
    assert_eq!(
        answer.header("location"),
        Some(format!("http://127.0.0.1:8080/v2/conversations/{id}").as_str())
    );
    let (_, shown) = desk.get(&format!("/v2/conversations/{id}?embed=threads"));
    assert_eq!((&shown["status"], &shown["closedAt"]), (&json!("closed"), &json!("2018-01-01T00:00:00Z")));
    assert_eq!((&shown["createdAt"], shown.get("assignee")), (&json!("2017-03-31T23:30:01Z"), None));
    assert_eq!(shown["tags"][1]["tag"], "phone-history");
    assert_eq!(shown["_embedded"]["threads"].as_array().unwrap().len(), 100);
    assert_eq!(shown["_embedded"]["threads"][99]["body"], "Call<br>Ref: test 0");
    assert_eq!(desk.sandbox.world().customers().count(), 2, "one new customer for all threads");
    assert_eq!(desk.append(id, &call()).status, 412);
}

#[test]
fn more_than_a_hundred_threads_are_refused_and_none_is_not_enough() {
    let mut desk = Desk::new();
    assert_eq!(desk.send("POST", "/v2/conversations", &creation(101)).status, 412);
    assert_eq!(paths(&desk.send("POST", "/v2/conversations", &creation(0))), ["threads"]);
}

#[test]
fn every_fault_is_told_with_its_path_and_nothing_is_stored() {
    let mut desk = Desk::new();
    let before = desk.sandbox.world().clone();
    let mut body = creation(3);
    body["subject"] = json!("");
    body["type"] = json!("letter");
    body["mailboxId"] = json!(99);
    body["status"] = json!("shut");
    body["customer"] = json!({"email": "none"});
    body["closedAt"] = json!("yesterday");
    body["tags"] = json!([""]);
    body["threads"][1]["text"] = json!("");
    body["threads"][2]["createdAt"] = json!("2017");
    body["threads"][2]["type"] = json!("lineitem");
    body["threads"][2]["customer"] = Value::Null;
    let mut found = paths(&desk.send("POST", "/v2/conversations", &body));
    found.sort();
    let expected = [
        "closedAt",
        "customer.email",
        "mailboxId",
        "status",
        "subject",
        "tags[0]",
        "threads[1].text",
        "threads[2].createdAt",
        "threads[2].type",
        "type",
    ];
    assert_eq!(found, expected);
    assert!(paths(&desk.send("POST", "/v2/conversations", &json!({}))).contains(&"customer".to_owned()));
    assert_eq!(*desk.sandbox.world(), before);
}

#[test]
fn unknown_users_and_customers_are_404() {
    let mut desk = Desk::new();
    for (key, value) in [("user", json!(9)), ("assignTo", json!(9)), ("customer", json!({"id": 9}))] {
        let mut body = creation(1);
        body[key] = value;
        assert_eq!(desk.send("POST", "/v2/conversations", &body).status, 404, "{key}");
    }
    assert_eq!(desk.sandbox.world().customers().count(), 1);
}

#[test]
fn created_at_without_imported_is_refused_on_both_levels() {
    let mut desk = Desk::new();
    let mut body = creation(1);
    body["imported"] = json!(false);
    assert_eq!(paths(&desk.send("POST", "/v2/conversations", &body)), ["createdAt"]);
    body["threads"][0]["imported"] = json!(false);
    let found = paths(&desk.send("POST", "/v2/conversations", &body));
    assert_eq!(found, ["createdAt", "threads[0].createdAt"]);
    let mut body = creation(1);
    body["threads"][0]["imported"] = Value::Null;
    assert_eq!(
        desk.send("POST", "/v2/conversations", &body).status,
        201,
        "the conversation says so for its threads"
    );
}

#[test]
fn the_agent_of_the_whole_is_the_agent_of_its_threads() {
    let mut desk = Desk::new();
    let mut body = creation(2);
    body["user"] = json!(2);
    body["threads"][1]["user"] = json!(1);
    desk.send("POST", "/v2/conversations", &body);
    let one = desk.sandbox.world().conversations().next_back().unwrap();
    assert_eq!((one.author, one.threads[0].author, one.threads[1].author), (2, 2, 1));
}

#[test]
fn a_merged_one_leads_to_its_survivor_for_sixty_days() {
    let mut desk = Desk::with(0, "[[fault]]\non = \"append\"\nat = [1]\ndo = \"merge\"\ninto = 124");
    let answer = desk.send("GET", "/v2/conversations/126", &Value::Null);
    assert_eq!(
        (answer.status, answer.header("location")),
        (301, Some("http://127.0.0.1:8080/v2/conversations/124"))
    );
    assert_eq!(desk.append(123, &call()).status, 404, "merged just before");
    assert_eq!(desk.threads(124), 97);
    let day = 24 * 3_600_000;
    desk.now_ms += 60 * day - 1;
    assert_eq!(desk.get("/v2/conversations/123").0, 301);
    desk.now_ms += 1;
    assert_eq!(desk.get("/v2/conversations/123").0, 404);
    assert_eq!(desk.get("/v2/conversations/123/threads").0, 404);
}

#[test]
fn a_deleted_one_is_not_found() {
    let mut desk = Desk::new();
    assert_eq!(desk.send("DELETE", "/v2/conversations/124", &Value::Null).status, 204);
    assert_eq!(desk.send("DELETE", "/v2/conversations/124", &Value::Null).status, 404);
    assert_eq!(desk.get("/v2/conversations/124").0, 404);
    assert_eq!(desk.get("/v2/conversations/127").0, 404);
}

#[test]
fn tags_subject_status_and_assignee_can_be_changed() {
    let mut desk = Desk::new();
    assert_eq!(
        desk.send("PUT", "/v2/conversations/124/tags/", &json!({"tags": ["A", "b", "a"]})).status,
        204
    );
    let mut patch = |op: &str, path: &str, value: Value| {
        desk.send("PATCH", "/v2/conversations/124", &json!({"op": op, "path": path, "value": value})).status
    };
    assert_eq!(patch("replace", "/subject", json!("Better")), 204);
    assert_eq!(patch("replace", "/status", json!("closed")), 204);
    assert_eq!(patch("replace", "/assignTo", json!(2)), 204);
    assert_eq!(patch("replace", "/assignTo", json!(9)), 404);
    assert_eq!(patch("replace", "/createdAt", json!("2017-03-31T23:30:01Z")), 400);
    assert_eq!(patch("replace", "/status", json!("shut")), 400);
    let (_, shown) = desk.get("/v2/conversations/124");
    assert_eq!(
        (&shown["subject"], &shown["status"], shown["assignee"]["id"].as_u64()),
        (&json!("Better"), &json!("closed"), Some(2))
    );
    assert_eq!(
        (shown["tags"].as_array().unwrap().len(), &shown["closedAt"]),
        (2, &json!("2026-11-22T00:00:00Z"))
    );
}

#[test]
fn a_threads_text_can_be_replaced_but_a_call_not_hidden() {
    let mut desk = Desk::new();
    let id = desk.append(124, &call()).header("resource-id").unwrap().to_owned();
    let target = format!("/v2/conversations/124/threads/{id}");
    let text = json!({"op": "replace", "path": "/text", "value": "blank"});
    assert_eq!(desk.send("PATCH", &target, &text).status, 204);
    assert_eq!(desk.sandbox.accepted_threads()[0].text, "blank");
    let hidden = json!({"op": "replace", "path": "/hidden", "value": true});
    assert_eq!(desk.send("PATCH", &target, &hidden).status, 400);
    assert_eq!(desk.send("PATCH", "/v2/conversations/124/threads/5", &text).status, 404);
    assert_eq!(desk.send("DELETE", &target, &Value::Null).status, 405, "threads cannot be deleted");
}
