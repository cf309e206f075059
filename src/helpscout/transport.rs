//! One request on the wire, and what came of it.
//!
//! The trait has two real sides: reqwest ([`super::HttpTransport`]) and a service in the same process, for simulated
//! time. A transport neither repeats nor follows anything; on failure it answers the one question that matters for a
//! write: could the request have arrived?

use std::{fmt, future::Future};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

/// Carries one request.
pub trait Transport: Send + Sync + 'static {
    /// Sends `request` once and reads the whole answer.
    fn send(
        &self,
        request: WireRequest,
    ) -> impl Future<Output = Result<WireResponse, TransportFailure>> + Send;
}

/// A request as it leaves. Debug output shows neither the query nor the body nor what the headers say.
#[derive(Clone)]
pub struct WireRequest {
    /// The method.
    pub method: Method,
    /// Path and query, e.g. `/v2/conversations?page=2`.
    pub target: String,
    /// The headers; what is secret is marked sensitive.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body, if there is one.
    pub body: Option<Bytes>,
}

impl WireRequest {
    /// The value of the header `name`, where it is readable text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.as_str() == name)?.1.to_str().ok()
    }
}

impl fmt::Debug for WireRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WireRequest")
            .field("method", &self.method)
            .field("path", &self.target.split('?').next())
            .field("headers", &self.headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>())
            .field("body_bytes", &self.body.as_ref().map(Bytes::len))
            .finish()
    }
}

/// A whole answer.
#[derive(Clone)]
pub struct WireResponse {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, empty where there was none.
    pub body: Bytes,
}

impl WireResponse {
    /// The value of the header `name`, where it is readable text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl fmt::Debug for WireResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WireResponse")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Why there is no whole answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct TransportFailure {
    /// Whether a part of the request may have reached the service.
    pub may_have_arrived: bool,
    /// What happened.
    pub why: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_shows_no_token_no_query_and_no_body() {
        let request = WireRequest {
            method: Method::GET,
            target: "/v2/users?email=jo@example.com".into(),
            headers: vec![(http::header::AUTHORIZATION, HeaderValue::from_static("Bearer hush"))],
            body: Some(Bytes::from_static(b"hush")),
        };
        let response = WireResponse { status: 200, headers: HeaderMap::new(), body: "hush".into() };
        let shown = format!("{request:?} {response:?}");
        assert!(shown.contains("/v2/users"), "{shown}");
        assert!(!shown.contains("hush") && !shown.contains("jo@"), "{shown}");
    }
}
