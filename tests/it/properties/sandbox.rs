//! The sandbox: a script of faults and a seed are taken or refused with the reason, and any request has an answer.
//!
//! The input is parts, divided by lines of `%%`: the script, the seed, then requests, each a line with method and target,
//! and a body. A second passes between two of them.

use callport::sandbox::{FaultScript, Outcome, Sandbox, SandboxError, SandboxOptions, SandboxRequest, Seed};

pub(super) const WORDS: &[&str] = &[
    "\n%%\n",
    "[service]\n",
    "[[fault]]\n",
    "on = 'append'\n",
    "do = 'refuse'\n",
    "do = 'commit_late'\nafter = '2s'\n",
    "at = [1]\n",
    "every = 1\n",
    "rate = 0.5\n",
    "do = 'merge'\ninto = 5\n",
    "do = 'drop_after'\n",
    "for = '1h'\n",
    "index_lag = '99999999h'\n",
    "{\"conversations\":[",
    "{\"inboxes\":[{\"id\":1,\"name\":\"a\",\"email\":\"b\"}]",
    "\"threads\":4294967295",
    "GET ",
    "POST ",
    "PATCH ",
    "DELETE ",
    "PUT ",
    "/v2/conversations",
    "/v2/conversations/5",
    "/v2/conversations/5/threads",
    "/v2/conversations/5/phones",
    "/v2/customers",
    "/v3/customers",
    "/v2/users",
    "/v2/users/me",
    "/v2/mailboxes",
    "/v2/oauth2/token",
    "?page=",
    "&query=",
    "(body:\"x\" AND ",
    "(((",
    "NOT ",
    "[* TO *]",
    "%28",
    "%",
    "&tag=a",
    "&cursor=",
    "&createdSince=",
    "&sortField=number",
    "18446744073709551615",
    "0",
    "\n",
    "{",
    "}",
    "[",
    "]",
    "\"subject\":\"x\"",
    "\"customer\":{\"id\":1}",
    "\"text\":\"x\"",
    "\"imported\":true",
    "\"createdAt\":\"2020-01-01T00:00:00Z\"",
    "null",
    "é",
];

/// When the first request comes.
const START_MS: i64 = 1_790_000_000_000;

pub(super) fn holds(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut parts = text.split("\n%%\n");
    let faults = taken(FaultScript::parse(parts.next().unwrap_or_default()));
    let seed = taken(parts.next().map_or_else(|| Ok(Seed::default()), Seed::parse));
    let mut sandbox = Sandbox::new(SandboxOptions { faults, seed, ..SandboxOptions::default() });
    for (part, second) in parts.zip(1..) {
        let handling = sandbox.handle(START_MS + second * 1000, &request(part));
        if let Outcome::Answer(answer) = handling.outcome {
            assert!((200..600).contains(&answer.status), "{answer:?}");
        }
    }
    sandbox.advance(i64::MAX);
    sandbox.accepted_threads();
}

fn taken<T: Default>(read: Result<T, SandboxError>) -> T {
    read.unwrap_or_else(|error| {
        assert!(!error.to_string().is_empty());
        T::default()
    })
}

fn request(text: &str) -> SandboxRequest {
    let (line, body) = text.split_once('\n').unwrap_or((text, ""));
    let (method, target) = line.split_once(' ').unwrap_or(("GET", line));
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    SandboxRequest {
        method: method.to_owned(),
        target: target.to_owned(),
        headers: vec![
            header("host", "127.0.0.1:8080"),
            header("authorization", "Bearer any"),
            header("content-type", "application/json"),
        ],
        body: body.to_owned().into(),
    }
}
