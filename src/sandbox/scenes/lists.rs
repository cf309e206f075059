//! Pages, filters, searches and the lag of the index.

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
    assert_eq!(first["_links"]["next"]["href"], "http://127.0.0.1:8080/v2/conversations/123/threads/?page=2");
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
    let id: u64 =
        desk.send("POST", "/v2/conversations", &creation(12)).header("resource-id").unwrap().parse().unwrap();
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
    let id = desk.send("POST", "/v2/conversations", &creation(1)).header("resource-id").unwrap().to_owned();
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
fn what_is_gone_stays_in_the_index_as_long_as_it_lags() {
    let mut desk = Desk::with(0, "[service]\nindex_lag = \"90s\"");
    desk.sandbox.by_person(desk.now_ms, PersonAct::Delete { id: 123 });
    desk.sandbox.by_person(desk.now_ms, PersonAct::Merge { from: 124, into: Some(125) });
    desk.now_ms += 89_999;
    assert_eq!(ids(&desk.get("/v2/conversations?status=all").1), [124, 123, 125]);
    assert_eq!((desk.get("/v2/conversations/123").0, desk.get("/v2/conversations/124").0), (404, 301));
    desk.now_ms += 1;
    assert_eq!(ids(&desk.get("/v2/conversations?status=all").1), [125]);
}

#[test]
fn customers_stand_newest_first_unless_asked_otherwise() {
    let mut desk = Desk::new();
    for name in ["Zoe", "Abe"] {
        desk.now_ms += 1000;
        assert_eq!(desk.send("POST", "/v2/customers", &json!({"firstName": name})).status, 201);
    }
    let mut names = |query: &str| {
        let (_, page) = desk.get(&format!("/v2/customers{query}"));
        let shown = page["_embedded"]["customers"].as_array().unwrap();
        let names = shown.iter().map(|one| one["firstName"].as_str().unwrap().to_owned());
        names.filter(|name| name == "Zoe" || name == "Abe").collect::<Vec<_>>()
    };
    assert_eq!(names(""), ["Abe", "Zoe"]);
    assert_eq!(names("?sortField=createdAt&sortOrder=asc"), ["Zoe", "Abe"]);
    assert_eq!(names("?sortField=firstName"), ["Zoe", "Abe"]);
    assert_eq!(desk.get("/v2/customers?sortField=phone").0, 400);
}

#[test]
fn customers_page_by_number_and_by_cursor() {
    let mut desk = Desk::new();
    for index in 0..60 {
        let body =
            json!({"firstName": "C", "emails": [{"type": "work", "value": format!("c{index}@example.com")}]});
        assert_eq!(desk.send("POST", "/v2/customers", &body).status, 201);
    }
    let (_, page) = desk.get("/v2/customers?page=2");
    assert_eq!((page["page"]["totalElements"].as_u64(), page["page"]["size"].as_u64()), (Some(61), Some(50)));
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
    assert_eq!(contained["page"]["totalElements"].as_u64(), Some(11), "the v2 query finds what contains it");
    let (_, exact) = desk.get("/v3/customers?email=C5@example.com");
    assert_eq!(exact["_embedded"]["customers"].as_array().unwrap().len(), 1);
}

#[test]
fn a_thread_is_shown_in_the_recorded_form() {
    let mut desk = Desk::new();
    desk.append(124, &call());
    let (_, list) = desk.get("/v2/conversations/124/threads");
    let shown = &list["_embedded"]["threads"][0];
    let keys: Vec<_> = shown.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "id",
        "type",
        "status",
        "state",
        "action",
        "body",
        "source",
        "customer",
        "createdBy",
        "assignedTo",
        "to",
        "cc",
        "bcc",
        "createdAt",
        "_embedded",
        "_links",
    ];
    assert_eq!(keys, expected);
    assert_eq!(shown["action"], json!({"type": "default", "associatedEntities": {}}));
    assert_eq!(shown["source"], json!({"type": "api", "via": "user"}));
    let customer = json!({"id": 456, "type": "customer", "first": "Jo", "last": "Doe", "photoUrl": "", "email": "jo@example.com"});
    assert_eq!(shown["customer"], customer);
    assert_eq!((&shown["status"], &shown["to"]), (&json!("nochange"), &json!([])));
}
