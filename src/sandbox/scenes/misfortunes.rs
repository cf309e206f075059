//! Each deed of a fault script.

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
    let Outcome::Cut { sent: Some(sent) } = append(&mut half).outcome else { panic!("it is half an answer") };
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
fn every_kind_of_request_may_be_redirected_to_another_host() {
    let elsewhere = "https://example.com/elsewhere";
    let targets = [
        ("append", "POST", "/v2/conversations/124/phones", call()),
        ("create", "POST", "/v2/conversations", creation(2)),
        ("read", "GET", "/v2/conversations/124/threads", Value::Null),
        ("token", "POST", "/v2/oauth2/token", json!({"grant_type": "client_credentials"})),
    ];
    for (on, method, target, body) in targets {
        let fault = format!("[[fault]]\non = \"{on}\"\ndo = \"redirect\"\nlocation = \"{elsewhere}\"");
        let mut desk = Desk::with(0, &fault);
        let answer = desk.send(method, target, &body);
        assert_eq!((answer.status, answer.header("location")), (302, Some(elsewhere)), "{on}");
        assert_eq!(desk.sandbox.accepted_threads(), []);
    }
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
fn people_fill_a_conversation_as_far_as_there_is_room() {
    let mut desk = desk("do = \"fill\"\nnotes = 98");
    assert_eq!(append(&mut desk).answer().unwrap().status, 201);
    assert_eq!(desk.threads(124), 99);
    assert_eq!(append(&mut desk).answer().unwrap().status, 412);
    desk.sandbox.by_person(desk.now_ms, PersonAct::Fill { id: 124, notes: 50 });
    assert_eq!(desk.threads(124), 100);
    let (_, shown) = desk.get("/v2/conversations/124");
    assert_eq!(shown["threads"], json!(1), "notes do not count there");
    let (_, page) = desk.get("/v2/conversations/124/threads");
    assert_eq!(page["_embedded"]["threads"][0]["type"], json!("note"));
    assert_eq!(desk.sandbox.accepted_threads().len(), 1, "no request made the notes");
}

#[test]
fn people_act_without_a_request() {
    let mut desk = Desk::new();
    let (now_ms, id) = (desk.now_ms, 124);
    desk.sandbox.by_person(now_ms, PersonAct::Merge { from: 123, into: Some(id) });
    assert_eq!(desk.get("/v2/conversations/123").0, 301);
    desk.sandbox.by_person(now_ms, PersonAct::Lock { id });
    assert_eq!(append(&mut desk).answer().unwrap().status, 412);
    desk.sandbox.by_person(now_ms, PersonAct::Delete { id });
    desk.sandbox.by_person(now_ms, PersonAct::Fill { id, notes: 3 });
    assert_eq!(desk.get("/v2/conversations/124").0, 404);
    assert_eq!(desk.sandbox.tally().writes, 1, "only the append was a request");
}

#[test]
fn a_stale_index_is_of_one_request_only() {
    let mut desk = Desk::with(0, "[[fault]]\non = \"list\"\nat = [2, 4]\ndo = \"stale\"\nfor = \"5m\"");
    desk.send("POST", "/v2/conversations", &creation(1));
    desk.now_ms += 60_000;
    let mut listed = || {
        let (_, page) = desk.get("/v2/conversations?status=all&tag=callport");
        page["page"]["totalElements"].as_u64().unwrap()
    };
    assert_eq!([listed(), listed(), listed(), listed()], [1, 0, 1, 0], "seen, then not, then again");
    desk.now_ms += 240_000;
    let (_, page) = desk.get("/v2/conversations?status=all&tag=callport");
    assert_eq!(page["page"]["totalElements"], json!(1));
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
fn misfortunes_may_come_to_an_end() {
    let mut desk = Desk::with(0, "[[fault]]\ndo = \"drop_before\"");
    assert_eq!(append(&mut desk).outcome, Outcome::Cut { sent: None });
    desk.sandbox.end_misfortunes();
    assert_eq!(append(&mut desk).answer().unwrap().status, 201);
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

#[test]
fn time_alone_stores_what_is_due() {
    let mut desk = desk("do = \"commit_late\"\nafter = \"20s\"");
    drop(append(&mut desk));
    desk.sandbox.advance(NOW + 19_999);
    assert_eq!(desk.sandbox.accepted_threads().len(), 0);
    desk.sandbox.advance(NOW + 20_000);
    assert_eq!(desk.sandbox.accepted_threads().len(), 1);
}
