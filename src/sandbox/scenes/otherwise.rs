//! The switches by which the service does otherwise than its documents say.

use super::*;

fn desk(switch: &str) -> Desk {
    Desk::with(0, &format!("[service]\n{switch}"))
}

fn create(desk: &mut Desk, threads: usize) -> u64 {
    let answer = desk.send("POST", "/v2/conversations", &creation(threads));
    assert_eq!(answer.status, 201);
    answer.header("resource-id").unwrap().parse().unwrap()
}

fn first_thread(desk: &mut Desk, id: u64) -> Value {
    desk.get(&format!("/v2/conversations/{id}/threads")).1["_embedded"]["threads"][0].clone()
}

#[test]
fn a_create_may_keep_only_its_first_threads() {
    let mut desk = desk("keep_threads = 10");
    let (small, large) = (create(&mut desk, 9), create(&mut desk, 11));
    assert_eq!((desk.threads(small), desk.threads(large)), (9, 10));
    assert_eq!(desk.sandbox.accepted_threads().last().unwrap().text, "Call\nRef: test 9");
}

#[test]
fn phone_threads_may_be_shown_as_made_by_another() {
    let mut named = creation(1);
    named["user"] = json!(2);
    for (switch, kind, id) in [("", "user", 2), ("author = \"owner\"", "user", 1)] {
        let mut desk = desk(switch);
        let made = desk.send("POST", "/v2/conversations", &named);
        let made: u64 = made.header("resource-id").unwrap().parse().unwrap();
        let author = first_thread(&mut desk, made)["createdBy"].clone();
        assert_eq!((&author["type"], &author["id"]), (&json!(kind), &json!(id)), "{switch}");
    }
    let mut desk = desk("author = \"customer\"");
    desk.append(124, &call());
    let shown = first_thread(&mut desk, 124);
    assert_eq!((&shown["createdBy"]["type"], &shown["createdBy"]["id"]), (&json!("customer"), &json!(456)));
    assert_eq!(shown["source"]["via"], json!("customer"));
}

#[test]
fn an_imported_thread_may_reopen_a_closed_conversation() {
    let mut desk = desk("reopens_imported = true");
    assert_eq!(desk.append(123, &call()).status, 201);
    assert_eq!(desk.get("/v2/conversations/123").1["status"], json!("active"));
    assert_eq!(desk.sandbox.world().conversation(123).unwrap().reopened, 1);
    assert_eq!(desk.append(123, &call()).status, 201);
    assert_eq!(desk.sandbox.world().conversation(123).unwrap().reopened, 1, "it is open already");
}

#[test]
fn a_text_may_lose_its_last_line() {
    let mut desk = desk("mangles_text = true");
    let id = create(&mut desk, 1);
    assert_eq!(first_thread(&mut desk, id)["body"], json!("Call"));
    desk.append(124, &call());
    assert_eq!(first_thread(&mut desk, 124)["body"], json!("Buy more pens"), "one line is kept");
}
