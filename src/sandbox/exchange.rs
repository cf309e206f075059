//! A request and what becomes of it, without a socket.
//!
//! The sandbox is a function from requests to these, so that a test or a simulation can drive it within one process. That
//! a connection breaks is an outcome like any other; the server only acts it out.

use std::time::Duration;

use bytes::Bytes;

/// One HTTP request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SandboxRequest {
    /// The method in capitals.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Every header, `host`, `authorization` and `content-type` among them; names in any case.
    pub headers: Vec<(String, String)>,
    /// The body as sent.
    pub body: Bytes,
}

impl SandboxRequest {
    /// The first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        find_header(&self.headers, name)
    }

    /// The path without the query and without a slash at its end.
    pub(crate) fn path(&self) -> &str {
        let path = self.target.split_once('?').map_or(self.target.as_str(), |(path, _)| path);
        path.strip_suffix('/').unwrap_or(path)
    }

    /// The query as sent, empty if there is none.
    pub(crate) fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }
}

/// One HTTP answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SandboxResponse {
    /// The status code.
    pub status: u16,
    /// Every header but those of the connection.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

impl SandboxResponse {
    /// An answer without headers and body.
    pub(crate) fn new(status: u16) -> Self {
        Self { status, headers: Vec::with_capacity(8), body: Bytes::new() }
    }

    /// The same with one more header.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The same with a body and its type.
    pub(crate) fn with_body(self, kind: &str, body: impl Into<Bytes>) -> Self {
        let mut answer = self.with("Content-Type", kind);
        answer.body = body.into();
        answer
    }

    /// The first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        find_header(&self.headers, name)
    }

    /// The answer as bytes of HTTP/1.1, cut somewhere in its middle: after the status line, before the end.
    pub(crate) fn first_half(&self) -> Bytes {
        let mut text = format!("HTTP/1.1 {} \r\n", self.status).into_bytes();
        for (name, value) in &self.headers {
            text.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        text.extend_from_slice(format!("Content-Length: {}\r\n\r\n", self.body.len()).as_bytes());
        text.extend_from_slice(&self.body);
        text.truncate(text.len() / 2);
        Bytes::from(text)
    }
}

fn find_header<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// How a request ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is answered.
    Answer(SandboxResponse),
    /// The connection is closed without a whole answer.
    Cut {
        /// The first bytes of the answer, as they leave; `None` if not one leaves.
        sent: Option<Bytes>,
    },
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handling {
    /// How long the outcome is held back. What was stored is stored at once.
    pub delay: Duration,
    /// How it ends.
    pub outcome: Outcome,
}

impl Handling {
    /// The answer, if there is one.
    pub fn answer(&self) -> Option<&SandboxResponse> {
        match &self.outcome {
            Outcome::Answer(answer) => Some(answer),
            Outcome::Cut { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_without_query_and_last_slash() {
        let request =
            SandboxRequest { target: "/v2/conversations/5/tags/?page=2".into(), ..Default::default() };
        assert_eq!((request.path(), request.query()), ("/v2/conversations/5/tags", "page=2"));
    }

    #[test]
    fn headers_are_found_in_any_case() {
        let answer = SandboxResponse::new(201).with("Resource-Id", "7");
        assert_eq!(answer.header("resource-ID"), Some("7"));
        assert_eq!(answer.header("location"), None);
    }

    #[test]
    fn half_an_answer_has_a_status_line_and_no_end() {
        let answer =
            SandboxResponse::new(200).with_body("text/plain", "a body of some length, cut in its middle");
        let half = answer.first_half();
        assert!(half.starts_with(b"HTTP/1.1 200 \r\n"));
        assert!(!half.ends_with(b"middle"));
    }
}
