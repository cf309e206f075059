//! What came back for one request.

use std::time::Duration;

/// What came of a request: an answer, or how it was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The service, or something before it, answered.
    Answer(Answer),
    /// The request, or a part of it, may have arrived, and no whole answer was read.
    Lost {
        /// What happened on the wire.
        why: String,
    },
    /// Nothing can have arrived: the name was not resolved, the connection or its TLS was not made.
    NeverLeft {
        /// What happened on the wire.
        why: String,
    },
}

/// An answer, reduced to what decisions are made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// `Resource-ID`, if it is a number.
    pub resource_id: Option<u64>,
    /// `Location`, as it came.
    pub location: Option<String>,
    /// The larger of `X-RateLimit-Retry-After` and `Retry-After`.
    pub retry_after: Option<Duration>,
    /// `Correlation-Id`: the service's staff ask for it.
    pub correlation: Option<String>,
    /// The service's own words for an error (`message`, `error_description` or `error`); the first 200 characters of the
    /// text, where the body is none of the documented shapes.
    pub message: Option<String>,
    /// The faults that a 400 names, in their order.
    pub errors: Vec<FieldError>,
    /// Whether the body was one of the documented shapes, or empty. A proxy's HTML page is not.
    pub documented: bool,
}

/// One fault that a 400 names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Where in the request's body, e.g. `threads[3].customer.email`.
    pub path: String,
    /// The service's words.
    pub message: String,
}
