//! Scenes for tests: a sandbox at a desk, asked by hand; and the rules of the seed page, one scene each.

mod account;
mod conversations;
mod limits;
mod lists;
mod misfortunes;
mod otherwise;
mod phone_threads;

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
