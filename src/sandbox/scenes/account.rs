//! Users, inboxes, customers, and what is no request of the API.

use proptest::prelude::*;

use super::*;

#[test]
fn users_and_inboxes_are_shown() {
    let mut desk = Desk::new();
    let (_, me) = desk.get("/v2/users/me");
    assert_eq!(
        (me["id"].as_u64(), &me["email"], me["companyId"].as_u64()),
        (Some(1), &json!("agent@example.com"), Some(1))
    );
    let (_, users) = desk.get("/v2/users?email=BEN@example.com");
    assert_eq!(
        (users["page"]["totalElements"].as_u64(), users["_embedded"]["users"][0]["id"].as_u64()),
        (Some(1), Some(2))
    );
    assert_eq!(desk.get("/v2/users/3").0, 404);
    assert_eq!(desk.get("/v2/mailboxes").1["_embedded"]["mailboxes"][0]["name"], "Support");
    assert_eq!((desk.get("/v2/mailboxes/85").0, desk.get("/v2/mailboxes/86").0), (200, 404));
}

#[test]
fn a_customer_may_have_a_number_only_but_no_taken_e_mail() {
    let mut desk = Desk::new();
    let by_phone = json!({"phones": [{"type": "work", "value": "+1 555 0102"}]});
    let answer = desk.send("POST", "/v2/customers", &by_phone);
    let id = answer.header("resource-id").unwrap().to_owned();
    assert!(
        answer.status == 201 && answer.header("location").unwrap().ends_with(&format!("/v2/customers/{id}"))
    );
    let (_, shown) = desk.get(&format!("/v2/customers/{id}"));
    assert_eq!(shown["_embedded"]["phones"][0]["value"], "+1 555 0102");
    assert_eq!(desk.send("POST", "/v2/customers", &by_phone).status, 201, "numbers are not unique");
    let taken = json!({"emails": [{"type": "work", "value": "JO@example.com"}]});
    assert_eq!(desk.send("POST", "/v2/customers", &taken).status, 409);
    let wrong = json!({"firstName": "", "emails": [{"value": "x"}], "phones": [{}]});
    assert_eq!(
        paths(&desk.send("POST", "/v2/customers", &wrong)),
        ["firstName", "emails[0].value", "phones[0].value"]
    );
    assert_eq!(desk.send("DELETE", &format!("/v2/customers/{id}"), &Value::Null).status, 204);
    assert_eq!(desk.get(&format!("/v2/customers/{id}")).0, 404);
}

#[test]
fn what_is_no_request_of_the_api_is_refused() {
    let mut desk = Desk::new();
    assert_eq!(desk.get("/v2/nothing").0, 404);
    let answer = desk.send("PUT", "/v2/conversations/124", &Value::Null);
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, PATCH, DELETE")));
    let broken = desk.handle("POST", "/v2/conversations", "{\"subject\":");
    assert_eq!(broken.answer().unwrap().status, 400);
    assert_eq!(desk.send("POST", "/v2/conversations", &json!([])).status, 400);
    let mut request = request("POST", "/v2/conversations", "a=1");
    request.headers[2].1 = "application/x-www-form-urlencoded".to_owned();
    assert_eq!(desk.sandbox.handle(NOW, &request).answer().unwrap().status, 415);
    request.headers.truncate(1);
    assert_eq!(desk.sandbox.handle(NOW, &request).answer().unwrap().status, 401);
}

#[test]
fn a_body_over_the_size_is_refused() {
    let mut desk = Desk::with(0, "[service]\nrequest_size = 200");
    let mut body = call();
    assert_eq!(desk.append(124, &body).status, 201);
    body["text"] = json!("x".repeat(200));
    assert_eq!(desk.append(124, &body).status, 413);
}

/// Any value that a field may be given.
fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(|value| json!(value)),
        any::<i64>().prop_map(|value| json!(value)),
        ".{0,300}".prop_map(|value| json!(value)),
        Just(json!([])),
        Just(json!({})),
        Just(json!([{"id": 456}])),
        Just(json!({"id": 456})),
        Just(json!("2017-03-31T23:30:01Z")),
    ]
}

const FIELDS: &[&str] = &[
    "subject",
    "type",
    "mailboxId",
    "status",
    "customer",
    "imported",
    "createdAt",
    "closedAt",
    "assignTo",
    "tags",
];
const THREAD_FIELDS: &[&str] = &["type", "text", "customer", "imported", "createdAt", "attachments", "user"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn a_strange_body_is_refused_whole_or_stored_whole(
        field in prop::sample::select(FIELDS), value in any_value(),
        thread_field in prop::sample::select(THREAD_FIELDS), thread_value in any_value(),
    ) {
        let mut desk = Desk::new();
        let before = desk.sandbox.world().clone();
        let mut body = creation(3);
        body[field] = value;
        body["threads"][1][thread_field] = thread_value;
        let status = desk.send("POST", "/v2/conversations", &body).status;
        prop_assert!([201, 400, 404].contains(&status), "{}", status);
        if status == 201 {
            prop_assert_eq!(desk.sandbox.accepted_threads().len(), 3);
        } else {
            prop_assert_eq!(desk.sandbox.world(), &before);
        }
    }
}
