//! The rules of the page that adds a phone thread.

use super::*;

#[test]
fn one_is_stored_with_its_time_and_answered_with_its_id() {
    let mut desk = Desk::new();
    let answer = desk.append(124, &call());
    assert_eq!((answer.status, answer.body.len()), (201, 0));
    let id: u64 = answer.header("Resource-ID").unwrap().parse().unwrap();
    assert!(id > 7_900_000_000 && answer.header("correlation-id").unwrap().ends_with("#1"));
    let (_, list) = desk.get("/v2/conversations/124/threads/");
    let thread = &list["_embedded"]["threads"][0];
    assert_eq!((thread["id"].as_u64(), &thread["type"]), (Some(id), &json!("phone")));
    assert_eq!(
        (&thread["body"], &thread["createdAt"]),
        (&json!("Buy more pens"), &json!("2017-03-31T23:30:01Z"))
    );
    assert_eq!((thread["customer"]["id"].as_u64(), thread["createdBy"]["id"].as_u64()), (Some(456), Some(1)));
    let accepted = desk.sandbox.accepted_threads();
    assert_eq!((accepted.len(), accepted[0].conversation, accepted[0].imported), (1, 124, true));
}

#[test]
fn text_and_customer_are_required() {
    let mut desk = Desk::new();
    assert_eq!(paths(&desk.append(124, &json!({}))), ["text", "customer"]);
    assert_eq!(paths(&desk.append(124, &json!({"text": " ", "customer": {}}))), ["text", "customer"]);
    assert_eq!(desk.threads(124), 0, "nothing is stored");
}

#[test]
fn created_at_goes_with_imported_and_is_exact_and_past() {
    let mut desk = Desk::new();
    let mut refused = |key: &str, value: Value| {
        let mut body = call();
        body[key] = value;
        let answer = desk.append(124, &body);
        (answer.status == 400).then(|| paths(&answer))
    };
    let created = Some(vec!["createdAt".to_owned()]);
    assert_eq!(refused("imported", json!(false)), created);
    assert_eq!(refused("imported", Value::Null), created);
    assert_eq!(refused("createdAt", json!("2017-03-31T23:30:01.5Z")), created);
    assert_eq!(refused("createdAt", json!("2017-03-31T23:30:01+01:00")), created);
    assert_eq!(refused("createdAt", json!("2026-11-22T00:00:01Z")), created);
    assert_eq!(refused("createdAt", json!("2026-11-22T00:00:00Z")), None);
    assert_eq!(refused("createdAt", Value::Null), None);
}

#[test]
fn only_one_that_is_not_imported_reopens() {
    let mut desk = Desk::new();
    desk.append(123, &call());
    assert_eq!(desk.get("/v2/conversations/123").1["status"], "closed");
    let answer = desk.append(123, &json!({"text": "now", "customer": {"id": 456}}));
    assert_eq!(answer.status, 201);
    let (_, shown) = desk.get("/v2/conversations/123");
    assert_eq!((&shown["status"], shown.get("closedAt")), (&json!("active"), None));
    assert_eq!(desk.sandbox.world().conversation(123).unwrap().reopened, 1);
}

#[test]
fn a_conversation_takes_no_more_at_ninety_nine() {
    let mut desk = Desk::new();
    assert_eq!(desk.append(123, &call()).status, 201);
    assert_eq!(desk.append(123, &call()).status, 201);
    assert_eq!(desk.append(123, &call()).status, 412);
    assert_eq!(desk.threads(123), 99);
    let mut desk = Desk::with(0, "[service]\nappend_cap = 100");
    let stored = (0..5).filter(|_| desk.append(123, &call()).status == 201).count();
    assert_eq!(stored, 3);
}

#[test]
fn locked_merged_deleted_and_unknown_conversations_refuse() {
    let mut desk = Desk::new();
    let statuses = [125, 126, 127, 128].map(|id| desk.append(id, &call()).status);
    assert_eq!(statuses, [412, 404, 404, 404]);
}

#[test]
fn an_unknown_customer_is_404_and_an_unknown_e_mail_makes_one() {
    let mut desk = Desk::new();
    let mut body = call();
    body["customer"] = json!({"id": 457});
    assert_eq!(desk.append(124, &body).status, 404);
    body["customer"] = json!({"email": "New@example.com", "firstName": "Nina", "phone": "+1 555 0101"});
    assert_eq!(desk.append(124, &body).status, 201);
    assert_eq!(desk.append(124, &body).status, 201);
    let world = desk.sandbox.world();
    let id = world.customer_by_email("new@example.com").unwrap();
    assert_eq!((&*world.customer(id).unwrap().first_name, world.customers().count()), ("Nina", 2));
}

#[test]
fn attachments_are_judged_by_field() {
    let mut desk = Desk::new();
    let mut body = call();
    body["attachments"] = json!([{"fileName": "file.txt", "mimeType": "plain/text", "data": "ZmlsZQ=="}]);
    assert_eq!(desk.append(124, &body).status, 201);
    let file =
        desk.get("/v2/conversations/124/threads").1["_embedded"]["threads"][0]["_embedded"]["attachments"][0]
            .clone();
    assert_eq!((&file["filename"], file["size"].as_u64()), (&json!("file.txt"), Some(4)));
    body["attachments"] = json!([{"fileName": "", "data": "no"}]);
    let expected = ["attachments[0].fileName", "attachments[0].mimeType", "attachments[0].data"];
    assert_eq!(paths(&desk.append(124, &body)), expected);
}

#[test]
fn an_agent_cannot_be_named_but_on_notes() {
    let mut desk = Desk::new();
    let mut body = call();
    body["user"] = json!(2);
    assert_eq!(desk.append(124, &body).status, 201);
    let note = json!({"text": "by Ben", "user": 2});
    assert_eq!(desk.send("POST", "/v2/conversations/124/notes", &note).status, 201);
    let wrong = json!({"text": "by no one", "user": 9});
    assert_eq!(desk.send("POST", "/v2/conversations/124/notes", &wrong).status, 404);
    let authors: Vec<_> =
        desk.sandbox.world().conversation(124).unwrap().threads.iter().map(|one| one.author).collect();
    assert_eq!(authors, [1, 2]);
}

#[test]
fn the_siblings_share_the_rules() {
    let mut desk = Desk::new();
    for (path, kind) in [("customer", "customer"), ("chats", "chat"), ("reply", "message")] {
        let target = format!("/v2/conversations/124/{path}");
        assert_eq!(desk.send("POST", &target, &call()).status, 201);
        assert_eq!(desk.send("POST", &target, &json!({})).status, 400);
        let (_, list) = desk.get("/v2/conversations/124/threads");
        assert_eq!(list["_embedded"]["threads"][0]["type"], kind);
    }
}
