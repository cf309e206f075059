//! Answers of the service, or of whatever stands before it: reads and writes end, ask no more than they may, believe no
//! wait and no length beyond the bounds, and let no secret through.
//!
//! The input is parts, divided by lines of `%%`: first what is asked, then the answers in their order, each a status (or
//! `lost`, or `never`), headers, an empty line and a body. After the last one nothing is reached any more.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use callport::{
    call::Moment,
    helpscout::{
        ApiUrl, Client, ClientSettings, Credentials, Pacer, Share, Transport, TransportFailure, WRITE_UNITS,
        WireRequest, WireResponse,
    },
    policy::Reply,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use tokio::time::Instant;

pub(super) const WORDS: &[&str] = &[
    "\n%%\n",
    "me",
    "inboxes",
    "user",
    "conversation",
    "tagged",
    "search",
    "threads",
    "customers",
    "append",
    "create",
    "200",
    "201",
    "301",
    "400",
    "401",
    "404",
    "408",
    "429",
    "500",
    "lost",
    "never",
    "\n",
    "\n\n",
    "\nlocation: ",
    "/v2/conversations/7",
    "https://example.com/",
    "\nretry-after: ",
    "99999999999",
    "Sun, 06 Nov 1994 08:49:37 GMT",
    "\ndate: ",
    "1e9",
    "-1",
    "nan",
    "\nx-ratelimit-limit-minute: ",
    "4294967295",
    "1",
    "\nresource-id: ",
    "\ncorrelation-id: ",
    "{\"access_token\":\"our-token-of-the-app\",\"expires_in\":7200}",
    "{\"message\":\"no\"}",
    "{\"_embedded\":{\"errors\":[{\"path\":\"threads[0]\",\"message\":\"no\"}]},\"message\":\"no\"}",
    "{\"page\":{\"totalPages\":4294967295}}",
    "our-secret-of-the-app",
    "our-token-of-the-app",
    "\"id\":1",
    "{",
    "}",
    "[",
    "]",
    "\"_embedded\":",
    "null",
    "<html>",
    "é",
];

// Their first letters follow no backslash where a text is shown for debugging: `\t` and `he-…` make no secret.
const ID: &str = "our-id-of-the-app";
const SECRET: &str = "our-secret-of-the-app";
const TOKEN: &str = "our-token-of-the-app";
/// Without any success for so long, a read fails.
const GIVE_UP: Duration = Duration::from_secs(60);
/// The longest wait that an answer is believed, and what a request may wait for its turn at a limit of one unit.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);
const TURN: Duration = Duration::from_secs(10 * 60);
/// How often is tried within [`GIVE_UP`] at most.
const ATTEMPTS: usize = 100;
/// The most characters of the service's words.
const WORDS_KEPT: usize = 1_000;

type Ended = Result<WireResponse, TransportFailure>;

pub(super) fn holds(data: &[u8]) {
    let mut parts = divided(data).into_iter();
    let question = Question::parse(parts.next().unwrap_or_default());
    let wire = Wire(Arc::new(Script { answers: parts.map(ended).collect(), ..Script::default() }));
    let script = Arc::clone(&wire.0);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let start = Instant::now();
        let told = question.ask(&client(wire)).await;
        keeps_bounds(&script, start.elapsed());
        holds_no_secret(&script, &told);
    });
}

fn keeps_bounds(script: &Script, took: Duration) {
    let asked = script.asked.lock().expect("one thread");
    let most = script.answers.len() + ATTEMPTS;
    assert!(asked.len() <= most, "{} requests, {} answers", asked.len(), script.answers.len());
    let longest = (LONGEST_WAIT + TURN) * u32::try_from(asked.len() + 1).expect("few");
    assert!(took <= longest, "{took:?} for {} requests", asked.len());
    let is_write = |request: &&WireRequest| request.method != Method::GET && !is_for_token(request);
    assert!(asked.iter().filter(is_write).count() <= 2, "a write is sent once, and again after a 401 alone");
    for request in asked.iter() {
        assert!(["/v2/", "/v3/"].iter().any(|start| request.target.starts_with(start)), "{request:?}");
        assert!(is_for_token(request) || request.header("authorization").is_some());
    }
}

fn is_for_token(request: &WireRequest) -> bool {
    request.target == "/v2/oauth2/token"
}

fn client(wire: Wire) -> Client<Wire> {
    let credentials = Credentials::App { id: ID.into(), secret: SECRET.into() };
    let pacer = Pacer::new(0, Share::parse("1").expect("a share"), || 0);
    let api_url = ApiUrl::parse(ApiUrl::DEFAULT).expect("an address");
    let settings = ClientSettings { api_url, give_up: GIVE_UP, chance_seed: 3, on_note: None };
    Client::new(wire, credentials, pacer, settings)
}

/// What is asked of the service.
enum Question {
    Me,
    Inboxes,
    User,
    Conversation,
    Tagged,
    Search,
    Threads,
    Customers,
    Append,
    Create,
}

impl Question {
    fn parse(text: &[u8]) -> Self {
        match text.trim_ascii() {
            b"inboxes" => Self::Inboxes,
            b"user" => Self::User,
            b"conversation" => Self::Conversation,
            b"tagged" => Self::Tagged,
            b"search" => Self::Search,
            b"threads" => Self::Threads,
            b"customers" => Self::Customers,
            b"append" => Self::Append,
            b"create" => Self::Create,
            _ => Self::Me,
        }
    }

    /// What is told of it.
    async fn ask(&self, client: &Client<Wire>) -> String {
        match self {
            Self::Me => read(client.me().await),
            Self::Inboxes => read(client.inboxes().await),
            Self::User => read(client.user_by_email("jo@example.com").await),
            Self::Conversation => read(client.conversation(5).await),
            Self::Tagged => read(client.conversations_by_tag("callport", 1).await),
            Self::Search => read(client.search_conversations("Ref: x", 1).await),
            Self::Threads => read(client.threads(5, 1).await),
            Self::Customers => {
                let since = Moment::from_epoch_seconds(0).expect("a moment");
                read(client.customers_created_since(since, None).await)
            }
            Self::Append => written(client, client.append_phone(5, "{}".into())).await,
            Self::Create => written(client, client.create_conversation("{}".into())).await,
        }
    }
}

/// What was read is the service's; why nothing was is told without a secret.
fn read<T, E: std::error::Error>(found: Result<T, E>) -> String {
    let Err(error) = found else { return String::new() };
    assert!(!error.to_string().is_empty());
    format!("{error} {error:?}")
}

async fn written(client: &Client<Wire>, sent: impl Future<Output = Reply>) -> String {
    client.permit(WRITE_UNITS).await;
    let reply = sent.await;
    if let Reply::Answer(answer) = &reply {
        assert!(answer.retry_after.is_none_or(|wait| wait <= LONGEST_WAIT));
        let errors = answer.errors.iter().flat_map(|error| [&error.path, &error.message]);
        for words in answer.message.iter().chain(errors) {
            assert!(words.chars().count() <= WORDS_KEPT);
        }
    }
    format!("{reply:?}")
}

/// A token is a secret once it was used; before, nobody can know that it is one.
fn holds_no_secret(script: &Script, told: &str) {
    let asked = script.asked.lock().expect("one thread");
    let is_used = asked.iter().any(|request| {
        request.header("authorization").is_some_and(|value| value.trim_start_matches("Bearer ") == TOKEN)
    });
    let secrets = [ID, SECRET].into_iter().chain(is_used.then_some(TOKEN));
    for secret in secrets {
        assert!(!told.contains(secret), "{told}");
    }
}

/// Answers in their order.
#[derive(Default)]
struct Script {
    answers: Vec<Ended>,
    next: AtomicUsize,
    asked: Mutex<Vec<WireRequest>>,
}

struct Wire(Arc<Script>);

impl Transport for Wire {
    async fn send(&self, request: WireRequest) -> Ended {
        self.0.asked.lock().expect("one thread").push(request);
        let answer = self.0.answers.get(self.0.next.fetch_add(1, Ordering::Relaxed));
        answer.cloned().unwrap_or_else(|| gone(false))
    }
}

/// The parts between lines of `%%`.
fn divided(data: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let mut rest = data;
    while let Some(at) = rest.windows(4).position(|mark| mark == b"\n%%\n") {
        parts.push(&rest[..at]);
        rest = &rest[at + 4..];
    }
    parts.push(rest);
    parts
}

fn ended(part: &[u8]) -> Ended {
    let (first, mut rest) = line(part);
    match first {
        b"lost" => return gone(true),
        b"never" => return gone(false),
        _ => {}
    }
    let status = std::str::from_utf8(first).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(200);
    let mut headers = HeaderMap::new();
    while !rest.is_empty() {
        let (header, behind) = line(rest);
        rest = behind;
        if header.is_empty() {
            break;
        }
        if let Some(at) = header.iter().position(|byte| *byte == b':')
            && let (Ok(name), Ok(value)) = (
                HeaderName::from_bytes(&header[..at]),
                HeaderValue::from_bytes(header[at + 1..].trim_ascii()),
            )
        {
            headers.append(name, value);
        }
    }
    Ok(WireResponse { status, headers, body: Bytes::copy_from_slice(rest) })
}

fn line(text: &[u8]) -> (&[u8], &[u8]) {
    match text.iter().position(|byte| *byte == b'\n') {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &[]),
    }
}

fn gone(may_have_arrived: bool) -> Ended {
    Err(TransportFailure { may_have_arrived, why: "gone".into() })
}
