//! Scenes for tests: a sandbox at a desk, asked by hand; and the rules of the seed page, one scene each.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;

/// A sandbox and the time.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) sandbox: Sandbox,
    pub(crate) now_ms: i64,
}

/// 2026-11-22T00:00:00Z.
pub(crate) const NOW: i64 = 1_795_305_600_000;

const SEED: &str = r#"{
  "users": [{"id": 1, "email": "agent@example.com", "firstName": "Ada", "lastName": "Agent"},
            {"id": 2, "email": "ben@example.com", "firstName": "Ben", "lastName": "Bell"}],
  "customers": [{"id": 456, "emails": ["jo@example.com"], "firstName": "Jo", "lastName": "Doe", "phones": ["+15550100"]}],
  "conversations": [
    {"id": 123, "inbox": 85, "customer": 456, "subject": "Old calls", "status": "closed", "createdAt": "2019-05-01T10:00:00Z", "threads": 97},
    {"id": 124, "inbox": 85, "customer": 456, "subject": "New calls", "status": "active", "createdAt": "2020-05-01T10:00:00Z"},
    {"id": 125, "inbox": 85, "customer": 456, "subject": "Locked", "status": "closed", "createdAt": "2018-05-01T10:00:00Z", "locked": true},
    {"id": 126, "inbox": 85, "customer": 456, "subject": "Merged", "status": "closed", "createdAt": "2018-05-01T10:00:00Z", "mergedInto": 124},
    {"id": 127, "inbox": 85, "customer": 456, "subject": "Gone", "status": "closed", "createdAt": "2018-05-01T10:00:00Z", "state": "deleted"}
  ]}"#;

impl Desk {
    pub(crate) fn new() -> Self {
        Self::with(0, "")
    }

    pub(crate) fn with(rate: u32, script: &str) -> Self {
        let sandbox = Sandbox::new(options(rate, script));
        Self { sandbox, now_ms: NOW }
    }

    pub(crate) fn handle(&mut self, method: &str, target: &str, body: &str) -> Handling {
        self.sandbox.handle(self.now_ms, &request(method, target, body))
    }

    pub(crate) fn send(&mut self, method: &str, target: &str, body: &Value) -> SandboxResponse {
        let handling = self.handle(method, target, &body.to_string());
        handling.answer().cloned().unwrap_or_else(|| panic!("{method} {target} is cut"))
    }

    pub(crate) fn get(&mut self, target: &str) -> (u16, Value) {
        let answer = self.send("GET", target, &Value::Null);
        (answer.status, serde_json::from_slice(&answer.body).unwrap_or_default())
    }

    fn append(&mut self, id: u64, body: &Value) -> SandboxResponse {
        self.send("POST", &format!("/v2/conversations/{id}/phones"), body)
    }

    fn threads(&mut self, id: u64) -> u64 {
        self.get(&format!("/v2/conversations/{id}/threads")).1["page"]["totalElements"].as_u64().unwrap()
    }
}

pub(crate) fn options(rate: u32, script: &str) -> SandboxOptions {
    SandboxOptions {
        rate,
        seed: Seed::parse(SEED).unwrap(),
        faults: FaultScript::parse(script).unwrap(),
        ..SandboxOptions::default()
    }
}

pub(crate) fn request(method: &str, target: &str, body: &str) -> SandboxRequest {
    let headers =
        [("host", "127.0.0.1:8080"), ("authorization", "Bearer t"), ("content-type", "application/json")];
    SandboxRequest {
        method: method.to_owned(),
        target: target.to_owned(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        body: body.to_owned().into(),
    }
}

fn call() -> Value {
    json!({"text": "Buy more pens", "customer": {"id": 456}, "imported": true, "createdAt": "2017-03-31T23:30:01Z"})
}

fn creation(threads: usize) -> Value {
    let thread = |index: usize| {
        json!({"type": "phone", "text": format!("Call\nRef: test {index}"), "customer": {"email": "new@example.com"},
               "imported": true, "createdAt": format!("2017-03-31T23:{:02}:{:02}Z", index / 60, index % 60)})
    };
    json!({
        "subject": "Phone calls", "type": "phone", "mailboxId": 85, "status": "closed",
        "customer": {"email": "new@example.com", "firstName": "New"}, "imported": true,
        "createdAt": "2017-03-31T23:30:01Z", "closedAt": "2018-01-01T00:00:00Z", "assignTo": null,
        "tags": ["callport", "Phone-History"], "threads": (0..threads).map(thread).collect::<Vec<_>>(),
    })
}

fn paths(answer: &SandboxResponse) -> Vec<String> {
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    let errors = body["_embedded"]["errors"].as_array().unwrap();
    errors.iter().map(|error| error["path"].as_str().unwrap().to_owned()).collect()
}

mod phone_threads {
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
        assert_eq!(
            (thread["customer"]["id"].as_u64(), thread["createdBy"]["id"].as_u64()),
            (Some(456), Some(1))
        );
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
        let file = desk.get("/v2/conversations/124/threads").1["_embedded"]["threads"][0]["_embedded"]["attachments"][0].clone();
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
}

mod conversations {
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
        assert_eq!(
            (&shown["status"], &shown["closedAt"]),
            (&json!("closed"), &json!("2018-01-01T00:00:00Z"))
        );
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
            desk.send("PATCH", "/v2/conversations/124", &json!({"op": op, "path": path, "value": value}))
                .status
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
}

mod lists {
    use super::*;

    fn ids(body: &Value) -> Vec<u64> {
        let list = body["_embedded"]["conversations"].as_array();
        list.map(|list| list.iter().map(|one| one["id"].as_u64().unwrap()).collect()).unwrap_or_default()
    }

    #[test]
    fn threads_come_newest_first_in_pages_of_twenty_five() {
        let mut desk = Desk::new();
        desk.append(123, &call());
        let (_, first) = desk.get("/v2/conversations/123/threads");
        assert_eq!(first["page"], json!({"size": 25, "totalElements": 98, "totalPages": 4, "number": 1}));
        assert_eq!(
            first["_links"]["next"]["href"],
            "http://127.0.0.1:8080/v2/conversations/123/threads/?page=2"
        );
        assert!(first["_links"].get("previous").is_none());
        let (_, last) = desk.get("/v2/conversations/123/threads?page=4&size=100");
        let threads = last["_embedded"]["threads"].as_array().unwrap();
        assert_eq!(
            (threads.len(), &threads[22]["body"]),
            (23, &json!("Buy more pens")),
            "an old call is at the end"
        );
        assert!(last["_links"].get("next").is_none());
        let (status, beyond) = desk.get("/v2/conversations/123/threads?page=5");
        assert!(status == 200 && beyond.get("_embedded").is_none());
        assert_eq!(desk.get("/v2/conversations/123/threads?page=0").0, 400);
        assert!(desk.get("/v2/conversations/124/threads").1.get("_embedded").is_none());
    }

    #[test]
    fn only_active_ones_are_listed_unless_asked() {
        let mut desk = Desk::new();
        assert_eq!(ids(&desk.get("/v2/conversations").1), [124]);
        assert_eq!(ids(&desk.get("/v2/conversations?status=all").1), [124, 123, 125]);
        assert_eq!(ids(&desk.get("/v2/conversations?status=closed&sortOrder=asc").1), [125, 123]);
        assert_eq!(
            ids(&desk.get("/v2/conversations?status=all&sortField=number&sortOrder=asc").1),
            [123, 124, 125]
        );
        assert_eq!(ids(&desk.get("/v2/conversations?status=all&number=2").1), [124]);
        assert_eq!(ids(&desk.get("/v2/conversations?status=all&mailbox=86").1), Vec::<u64>::new());
        assert_eq!(desk.get("/v2/conversations?status=shut&sortField=x").0, 400);
    }

    #[test]
    fn a_query_finds_references_tags_and_customers() {
        let mut desk = Desk::new();
        let id: u64 = desk
            .send("POST", "/v2/conversations", &creation(12))
            .header("resource-id")
            .unwrap()
            .parse()
            .unwrap();
        let mut find = |query: &str| ids(&desk.get(&format!("/v2/conversations?status=all&{query}")).1);
        assert_eq!(find("query=(body:%22Ref:%20test%2011%22)"), [id]);
        assert_eq!(find("query=(body:%22Ref:%20test%2012%22)"), Vec::<u64>::new());
        assert_eq!(find("query=(email:%22new@example.com%22+AND+subject:%22phone+calls%22)"), [id]);
        assert_eq!(find("query=(customerIds:456+AND+NOT+id:123)"), [124, 125]);
        assert_eq!(find("query=(createdAt:[2019-01-01T00:00:00Z+TO+2019-12-31T00:00:00Z])"), [123]);
        assert_eq!((find("tag=other,callport"), find("tag=other")), (vec![id], vec![]));
        assert_eq!(find("modifiedSince=2026-11-22T00:00:00Z"), [id]);
        assert_eq!(desk.get("/v2/conversations?query=(nothing").0, 400);
    }

    #[test]
    fn the_index_lags_but_what_has_an_id_is_current() {
        let mut desk = Desk::with(0, "[service]\nindex_lag = \"90s\"");
        let id =
            desk.send("POST", "/v2/conversations", &creation(1)).header("resource-id").unwrap().to_owned();
        desk.append(124, &call());
        let list = "/v2/conversations?status=all&tag=callport";
        let search = "/v2/conversations?query=(body:%22more%20pens%22)";
        desk.now_ms += 89_999;
        assert_eq!((ids(&desk.get(list).1).len(), ids(&desk.get(search).1).len()), (0, 0));
        assert_eq!(desk.get(&format!("/v2/conversations/{id}")).0, 200);
        assert_eq!(desk.threads(124), 1);
        assert_eq!(desk.get("/v3/customers?email=new@example.com").1.get("_embedded"), None);
        desk.now_ms += 1;
        assert_eq!((ids(&desk.get(list).1).len(), ids(&desk.get(search).1)), (1, vec![124]));
        assert!(desk.get("/v3/customers?email=new@example.com").1.get("_embedded").is_some());
    }

    #[test]
    fn customers_page_by_number_and_by_cursor() {
        let mut desk = Desk::new();
        for index in 0..60 {
            let body = json!({"firstName": "C", "emails": [{"type": "work", "value": format!("c{index}@example.com")}]});
            assert_eq!(desk.send("POST", "/v2/customers", &body).status, 201);
        }
        let (_, page) = desk.get("/v2/customers?page=2");
        assert_eq!(
            (page["page"]["totalElements"].as_u64(), page["page"]["size"].as_u64()),
            (Some(61), Some(50))
        );
        let (_, first) = desk.get("/v3/customers?firstName=c");
        assert_eq!(first["_embedded"]["customers"].as_array().unwrap().len(), 50);
        let next = first["_links"]["next"]["href"]
            .as_str()
            .unwrap()
            .strip_prefix("http://127.0.0.1:8080")
            .unwrap()
            .to_owned();
        let (_, second) = desk.get(&next);
        assert_eq!(second["_embedded"]["customers"].as_array().unwrap().len(), 10);
        assert!(second["_links"].get("next").is_none());
        let (_, contained) = desk.get("/v2/customers?query=(email:%22c5%22)");
        assert_eq!(
            contained["page"]["totalElements"].as_u64(),
            Some(11),
            "the v2 query finds what contains it"
        );
        let (_, exact) = desk.get("/v3/customers?email=C5@example.com");
        assert_eq!(exact["_embedded"]["customers"].as_array().unwrap().len(), 1);
    }
}

mod account {
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
            answer.status == 201
                && answer.header("location").unwrap().ends_with(&format!("/v2/customers/{id}"))
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
}

mod limits {
    use super::*;

    #[test]
    fn reads_cost_one_and_writes_two_and_the_headers_tell() {
        let mut desk = Desk::with(5, "");
        let answer = desk.append(124, &call());
        assert_eq!(
            (answer.header("x-ratelimit-limit-minute"), answer.header("x-ratelimit-remaining-minute")),
            (Some("5"), Some("3"))
        );
        desk.get("/v2/users/me");
        assert_eq!(desk.append(124, &call()).header("x-ratelimit-remaining-minute"), Some("0"));
        desk.now_ms += 15_000;
        let refused = desk.append(124, &call());
        assert_eq!(
            (refused.status, refused.header("x-ratelimit-retry-after"), refused.header("retry-after")),
            (429, Some("45"), None)
        );
        assert_eq!(&refused.body[..], br#"{"message":"API rate limit exceeded"}"#);
        desk.now_ms += 45_000;
        assert_eq!(desk.append(124, &call()).status, 201);
        let tally = desk.sandbox.tally();
        assert_eq!((tally.requests, tally.writes, tally.throttled, tally.total_units()), (5, 4, 1, 7));
        assert_eq!(tally.of(RequestKind::Append), 4);
    }

    #[test]
    fn tokens_are_free_and_no_limit_has_no_headers() {
        let mut desk = Desk::with(1, "");
        let body = json!({"grant_type": "client_credentials", "client_id": "a", "client_secret": "b"});
        for _ in 0..3 {
            let answer = desk.send("POST", "/v2/oauth2/token", &body);
            assert_eq!((answer.status, answer.header("x-ratelimit-limit-minute")), (200, None));
        }
        assert_eq!(desk.get("/v2/users/me").0, 200);
        assert_eq!(desk.get("/v2/users/me").0, 429);
        let answer = Desk::new().send("GET", "/v2/users/me", &Value::Null);
        assert_eq!(answer.header("x-ratelimit-limit-minute"), None);
    }

    #[test]
    fn a_script_can_slide_the_window_and_add_the_standard_header() {
        let mut desk = Desk::with(2, "[service]\nwindow = \"sliding\"\nretry_after_header = true");
        desk.now_ms += 50_000;
        desk.append(124, &call());
        desk.now_ms += 20_000;
        let refused = desk.append(124, &call());
        assert_eq!((refused.status, refused.header("retry-after")), (429, Some("40")));
    }
}

mod misfortunes {
    use super::*;

    fn desk(fault: &str) -> Desk {
        Desk::with(0, &format!("[[fault]]\non = \"append\"\nat = [1]\n{fault}"))
    }

    fn append(desk: &mut Desk) -> Handling {
        desk.handle("POST", "/v2/conversations/124/phones", &call().to_string())
    }

    #[test]
    fn a_connection_breaks_before_or_after_storing() {
        for (fault, stored) in [("drop_before", 0), ("drop_after", 1)] {
            let mut desk = desk(&format!("do = \"{fault}\""));
            assert_eq!(append(&mut desk).outcome, Outcome::Cut { sent: None });
            assert_eq!(desk.threads(124), stored);
            assert_eq!(append(&mut desk).answer().unwrap().status, 201, "only the first one is struck");
        }
    }

    #[test]
    fn an_answer_may_be_half_or_a_gateways_while_all_is_stored() {
        let mut half = desk("do = \"half_answer\"");
        let Outcome::Cut { sent: Some(sent) } = append(&mut half).outcome else {
            panic!("it is half an answer")
        };
        assert!(sent.starts_with(b"HTTP/1.1 201"));
        let mut gateway = desk("do = \"bad_gateway_after\"");
        assert_eq!(append(&mut gateway).answer().unwrap().status, 502);
        assert_eq!((half.threads(124), gateway.threads(124)), (1, 1));
    }

    #[test]
    fn a_refusal_a_page_and_a_redirect_store_nothing() {
        let faults = [
            ("do = \"refuse\"\nstatus = 503", 503),
            ("do = \"html\"", 200),
            ("do = \"redirect\"\nlocation = \"/x\"", 302),
        ];
        for (fault, status) in faults {
            let mut desk = desk(fault);
            assert_eq!(append(&mut desk).answer().unwrap().status, status);
            assert_eq!(desk.threads(124), 0);
        }
        let mut desk = desk("do = \"refuse\"\nstatus = 429\nretry_after = 7");
        assert_eq!(append(&mut desk).answer().unwrap().header("retry-after"), Some("7"));
    }

    #[test]
    fn an_answer_may_come_late_and_without_the_id() {
        let mut late = desk("do = \"delay\"\nfor = \"3s\"");
        assert_eq!(append(&mut late).delay, Duration::from_secs(3));
        let mut silent = desk("do = \"omit_resource_id\"");
        let handling = append(&mut silent);
        assert_eq!(
            (handling.answer().unwrap().status, handling.answer().unwrap().header("resource-id")),
            (201, None)
        );
        assert_eq!((late.threads(124), silent.threads(124)), (1, 1));
    }

    #[test]
    fn what_is_committed_late_is_there_when_due() {
        let mut desk = desk("do = \"commit_late\"\nafter = \"20s\"");
        assert_eq!(append(&mut desk).outcome, Outcome::Cut { sent: None });
        desk.now_ms += 19_999;
        assert_eq!(desk.threads(124), 0);
        desk.now_ms += 1;
        assert_eq!(desk.threads(124), 1);
        desk.now_ms += 60_000;
        assert_eq!(desk.threads(124), 1, "once only");
        assert_eq!(desk.sandbox.accepted_threads()[0].created, 1_491_003_001);
    }

    #[test]
    fn tokens_expire_at_once_and_a_new_one_is_good() {
        let mut desk = desk("do = \"expire_tokens\"");
        assert_eq!(append(&mut desk).answer().unwrap().status, 401);
        assert_eq!(append(&mut desk).answer().unwrap().status, 401, "the token stays dead");
        let body = json!({"grant_type": "client_credentials", "client_id": "a", "client_secret": "b"});
        let answer = desk.send("POST", "/v2/oauth2/token", &body);
        let token: Value = serde_json::from_slice(&answer.body).unwrap();
        let mut request = request("GET", "/v2/users/me", "");
        request.headers[1].1 = format!("Bearer {}", token["access_token"].as_str().unwrap());
        assert_eq!(desk.sandbox.handle(NOW, &request).answer().unwrap().status, 200);
    }

    #[test]
    fn a_conversation_is_locked_deleted_or_merged_under_a_request() {
        let mut locked = desk("do = \"lock\"");
        assert_eq!(append(&mut locked).answer().unwrap().status, 412);
        let mut deleted = desk("do = \"delete\"");
        assert_eq!(append(&mut deleted).answer().unwrap().status, 404);
        let mut merged = desk("do = \"merge\"\ninto = \"new\"");
        assert_eq!(append(&mut merged).answer().unwrap().status, 404);
        let answer = merged.send("GET", "/v2/conversations/124", &Value::Null);
        let survivor: u64 = answer.header("location").unwrap().rsplit('/').next().unwrap().parse().unwrap();
        assert_eq!((answer.status, merged.append(survivor, &call()).status), (301, 201));
    }

    #[test]
    fn a_bad_thread_is_refused_by_its_text_named_or_not() {
        let fault = "[[fault]]\non = \"write\"\ndo = \"refuse_thread\"\ncontaining = \"test 2\"";
        let mut desk = Desk::with(0, fault);
        assert_eq!(paths(&desk.send("POST", "/v2/conversations", &creation(4))), ["threads[2].text"]);
        assert_eq!(desk.send("POST", "/v2/conversations", &creation(2)).status, 201);
        assert_eq!(desk.append(124, &call()).status, 201);
        let mut silent = Desk::with(0, &format!("{fault}\nnamed = false"));
        let answer = silent.send("POST", "/v2/conversations", &creation(4));
        assert_eq!((answer.status, paths(&answer)), (400, vec![]));
    }

    #[test]
    fn the_account_may_get_another_limit_midway() {
        let mut desk = Desk::with(100, "[[fault]]\nat = [2]\ndo = \"set_limit\"\nunits = 40");
        desk.get("/v2/users/me");
        desk.get("/v2/users/me");
        let answer = desk.send("GET", "/v2/users/me", &Value::Null);
        assert_eq!(
            (answer.header("x-ratelimit-limit-minute"), answer.header("x-ratelimit-remaining-minute")),
            (Some("40"), Some("37"))
        );
    }

    #[test]
    fn one_seed_gives_one_history() {
        let script = "seed = 3\n[[fault]]\nrate = 0.2\non = \"write\"\ndo = \"drop_after\"\n[[fault]]\nrate = 0.2\ndo = \"drop_before\"";
        let history = || {
            let mut desk = Desk::with(0, script);
            (0..80).map(|_| append(&mut desk)).collect::<Vec<_>>()
        };
        assert_eq!(history(), history());
    }
}
