//! The limit of units a minute.

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
