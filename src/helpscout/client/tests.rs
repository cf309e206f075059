//! The client against a scripted wire, on paused time.

use std::sync::{Arc, Mutex};

use tokio::time::Instant;

use super::*;
use crate::helpscout::{
    Share,
    scripted::{Scripted, answered, lost, with_headers},
};

pub(in crate::helpscout) fn client_with(
    wire: &Arc<Scripted>,
    credentials: Credentials,
) -> Client<Arc<Scripted>> {
    noting(wire, credentials, None)
}

/// A client with a fixed token and no pace, which gives up after a minute.
pub(in crate::helpscout) fn client(wire: &Arc<Scripted>) -> Client<Arc<Scripted>> {
    client_with(wire, Credentials::Token("fixed".into()))
}

fn noting(
    wire: &Arc<Scripted>,
    credentials: Credentials,
    on_note: Option<NoteSink>,
) -> Client<Arc<Scripted>> {
    let settings = ClientSettings {
        api_url: ApiUrl::parse(ApiUrl::DEFAULT).unwrap(),
        give_up: Duration::from_secs(60),
        chance_seed: 3,
        on_note,
    };
    let pacer = Pacer::new(0, Share::always(1.0).unwrap(), || 0);
    Client::new(Arc::clone(wire), credentials, pacer, settings)
}

fn app() -> Credentials {
    Credentials::App { id: "id".into(), secret: "secret".into() }
}

/// A service on which only the token `t2` is good; the first that it gives is `t1`.
fn with_expired_token() -> Arc<Scripted> {
    let given = Mutex::new(0);
    Scripted::by(move |request| {
        if request.target == "/v2/oauth2/token" {
            let mut given = given.lock().unwrap();
            *given += 1;
            return Ok(answered(200, &format!(r#"{{"access_token":"t{given}","expires_in":7200}}"#)));
        }
        match request.header("authorization") {
            Some("Bearer t2") => Ok(with_headers(201, &[("resource-id", "5")], "{}")),
            _ => Ok(answered(401, r#"{"error":"invalid_token"}"#)),
        }
    })
}

fn tokens_asked(wire: &Scripted) -> usize {
    wire.asked().iter().filter(|asked| asked.contains("oauth2")).count()
}

#[tokio::test(start_paused = true)]
async fn one_worker_renews_the_token_for_all() {
    let wire = with_expired_token();
    let client = Arc::new(client_with(&wire, app()));
    let writes: Vec<_> = (0..20)
        .map(|number| {
            let client = Arc::clone(&client);
            tokio::spawn(async move {
                let target = format!("/v2/conversations/{number}/phones");
                client.write(Method::POST, &target, "{}".into()).await
            })
        })
        .collect();
    for write in writes {
        let Reply::Answer(answer) = write.await.unwrap() else { panic!("no answer") };
        assert_eq!((answer.status, answer.resource_id), (201, Some(5)));
    }
    assert_eq!(tokens_asked(&wire), 2, "the first and its renewal");
    // Each repetition after a 401 took a permit of its own; the first ones are the callers'.
    assert_eq!((client.pace().units, client.pace().requests), (40, 40));
}

#[tokio::test(start_paused = true)]
async fn a_read_renews_the_token_once_and_then_believes_the_refusal() {
    let client = client_with(&with_expired_token(), app());
    assert!(client.read::<serde_json::Value>("/v2/users/me").await.is_ok());
    let wire = Scripted::by(|request| match request.target.as_str() {
        "/v2/oauth2/token" => Ok(answered(200, r#"{"access_token":"t","expires_in":7200}"#)),
        _ => Ok(answered(401, r#"{"error":"invalid_token","error_description":"not an active user"}"#)),
    });
    let error = client_with(&wire, app()).read::<serde_json::Value>("/v2/users/me").await.unwrap_err();
    assert_eq!(error, ApiError::Credentials { words: "not an active user".into() });
    assert_eq!(tokens_asked(&wire), 2);
}

#[tokio::test(start_paused = true)]
async fn a_fixed_token_that_is_refused_is_final() {
    let refused = || Ok(answered(401, r#"{"error":"invalid_token"}"#));
    let wire = Scripted::in_order(vec![refused(), refused()]);
    let client = client(&wire);
    assert!(matches!(client.read::<()>("/v2/users/me").await, Err(ApiError::Credentials { .. })));
    let Reply::Answer(answer) = client.write(Method::POST, "/v2/customers", "{}".into()).await else {
        panic!()
    };
    assert_eq!(answer.status, 401);
}

#[tokio::test(start_paused = true)]
async fn a_write_is_put_on_the_wire_once_whatever_comes_of_it() {
    let never = Err(TransportFailure { may_have_arrived: false, why: "refused".into() });
    let outcomes =
        vec![lost(), never, Ok(answered(500, "")), Ok(answered(502, "<html>")), Ok(answered(429, ""))];
    let wire = Scripted::in_order(outcomes);
    let client = client(&wire);
    let mut seen = Vec::new();
    for _ in 0..5 {
        seen.push(match client.write(Method::POST, "/v2/conversations", "{}".into()).await {
            Reply::Lost { .. } => "lost".to_owned(),
            Reply::NeverLeft { .. } => "never left".to_owned(),
            Reply::Answer(answer) => format!("{} {}", answer.status, answer.documented),
        });
    }
    assert_eq!(seen, ["lost", "never left", "500 true", "502 false", "429 true"]);
    assert_eq!(wire.asked().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_write_without_a_token_never_leaves() {
    let refused = r#"{"error":"invalid_client","error_description":"Invalid client authentication"}"#;
    let wire = Scripted::in_order(vec![Ok(answered(401, refused))]);
    let Reply::Answer(answer) =
        client_with(&wire, app()).write(Method::POST, "/v2/customers", "{}".into()).await
    else {
        panic!("no answer")
    };
    assert_eq!((answer.status, answer.message.as_deref()), (401, Some("Invalid client authentication")));
    let silent = Scripted::by(|_| lost());
    let reply = client_with(&silent, app()).write(Method::POST, "/v2/customers", "{}".into()).await;
    assert!(matches!(reply, Reply::NeverLeft { .. }), "{reply:?}");
    assert!(silent.asked().iter().all(|asked| asked.contains("oauth2")));
}

#[tokio::test(start_paused = true)]
async fn the_token_is_marked_secret_and_bodies_are_json() {
    let wire = Scripted::in_order(vec![Ok(answered(201, "")), Ok(answered(204, ""))]);
    let client = client(&wire);
    client.write(Method::POST, "/v2/customers", "{\"a\":1}".into()).await;
    client.write(Method::DELETE, "/v2/conversations/5", Bytes::new()).await;
    let [post, delete] = &wire.requests()[..] else { panic!() };
    assert_eq!(post.header("authorization"), Some("Bearer fixed"));
    assert!(post.headers[0].1.is_sensitive());
    assert_eq!(post.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(post.body.as_deref(), Some(&b"{\"a\":1}"[..]));
    assert_eq!((delete.header("content-type"), &delete.body), (None, &None));
}

#[tokio::test(start_paused = true)]
async fn a_429_closes_the_gate_for_reads_and_writes_alike() {
    let notes = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&notes);
    let headers =
        [("x-ratelimit-retry-after", "17"), ("retry-after", "5"), ("x-ratelimit-limit-minute", "400")];
    let wire = Scripted::in_order(vec![
        Ok(with_headers(429, &headers, r#"{"message":"API rate limit exceeded"}"#)),
        Ok(answered(200, "1")),
    ]);
    let on_note: NoteSink = Arc::new(move |note| sink.lock().unwrap().push(note));
    let client = noting(&wire, Credentials::Token("t".into()), Some(on_note));
    let start = Instant::now();
    let Reply::Answer(answer) = client.write(Method::POST, "/v2/customers", "{}".into()).await else {
        panic!()
    };
    assert_eq!((answer.status, answer.retry_after), (429, Some(Duration::from_secs(17))));
    assert_eq!(client.read::<u32>("/v2/users/me").await, Ok(1));
    assert_eq!(start.elapsed().as_secs(), 18);
    assert_eq!((client.pace().throttled, client.pace().limit), (1, Some(400)));
    assert_eq!(*notes.lock().unwrap(), [ClientNote::Throttled { wait: Duration::from_secs(18) }]);
}

#[tokio::test(start_paused = true)]
async fn a_read_waits_out_passing_trouble() {
    let throttled = with_headers(429, &[("retry-after", "3")], "");
    let outcomes = vec![
        lost(),
        Ok(answered(502, "<html>")),
        Ok(answered(503, "")),
        Ok(throttled),
        Ok(answered(200, "7")),
    ];
    let wire = Scripted::in_order(outcomes);
    let start = Instant::now();
    assert_eq!(client(&wire).read::<u32>("/v2/users/me").await, Ok(7));
    assert!((4..10).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_read_gives_up_when_nothing_succeeds() {
    let start = Instant::now();
    let error = client(&Scripted::by(|_| lost())).read::<u32>("/v2/users/me").await.unwrap_err();
    assert!(matches!(error, ApiError::GaveUp { attempts: 5.., .. }), "{error}");
    assert_eq!(start.elapsed().as_secs(), 60);
}

#[tokio::test(start_paused = true)]
async fn answers_that_settle_a_read_are_told_apart() {
    let html = "<html>blocked by the proxy</html>";
    let cases = [
        (
            with_headers(301, &[("location", "/v2/conversations/9")], ""),
            "Help Scout's address redirects to `/v2/conversations/9`, which is not followed: see whether a proxy or a \
             portal stands in between",
        ),
        (answered(403, r#"{"message":"API disabled"}"#), "Help Scout denied access to `/v2/x`: API disabled"),
        (answered(403, html), "unexpected answer 403 to `/v2/x`: <html>blocked by the proxy</html>"),
        (answered(404, r#"{"message":"Not Found"}"#), "`/v2/x` was not found"),
        (answered(404, html), "unexpected answer 404 to `/v2/x`: <html>blocked by the proxy</html>"),
        (answered(418, ""), "unexpected answer 418 to `/v2/x`: status 418"),
        (
            with_headers(200, &[("correlation-id", "c#1")], html),
            "unexpected answer 200 to `/v2/x`: not the documented shape: no JSON at line 1 column 1 (Correlation-Id `c#1`)",
        ),
        (
            answered(200, r#""hush""#),
            "unexpected answer 200 to `/v2/x`: not the documented shape: a value of another kind, or a missing one at line 1 column 6",
        ),
    ];
    for (response, expected) in cases {
        let wire = Scripted::in_order(vec![Ok(response)]);
        let error = client(&wire).read::<u32>("/v2/x?email=jo@example.com").await.unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn any_proper_answer_counts_as_success_and_trouble_does_not() {
    let outcomes = vec![Ok(answered(500, "")), Ok(answered(400, "{}")), lost()];
    let client = client(&Scripted::in_order(outcomes));
    let mut since = Vec::new();
    for _ in 0..3 {
        tokio::time::advance(Duration::from_secs(10)).await;
        client.write(Method::POST, "/v2/customers", "{}".into()).await;
        since.push(client.since_success().as_secs());
    }
    assert_eq!(since, [10, 0, 10]);
    client.note_success();
    assert_eq!(client.since_success(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_echoes_the_token_does_not_bring_it_into_a_message() {
    let wire = Scripted::by(|request| {
        let echo = format!(r#"{{"message":"saw {}"}}"#, request.header("authorization").unwrap());
        Ok(answered(if request.method == Method::POST { 400 } else { 403 }, &echo))
    });
    let client = noting(&wire, Credentials::Token("t0k-secret".into()), None);
    let reply = client.write(Method::POST, "/v2/customers", "{}".into()).await;
    let Reply::Answer(answer) = reply else { panic!() };
    assert_eq!(answer.message.as_deref(), Some("saw Bearer …"));
    let error = client.read::<u32>("/v2/users/me").await.unwrap_err();
    assert!(!error.to_string().contains("t0k-secret"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_services_clock_goes_on_from_the_date_of_its_last_answer() {
    let dated = |date| Ok(with_headers(200, &[("date", date)], r#"{"id":1}"#));
    let wire = Scripted::in_order(vec![
        Ok(answered(200, r#"{"id":1}"#)),
        dated("Sun, 06 Nov 1994 08:49:37 GMT"),
        dated("yesterday"),
    ]);
    let client = client(&wire);
    client.me().await.unwrap();
    assert_eq!(client.service_now(), None);
    client.me().await.unwrap();
    tokio::time::advance(Duration::from_secs(90)).await;
    client.me().await.unwrap();
    assert_eq!(client.service_now().unwrap().to_string(), "1994-11-06T08:51:07Z");
}
