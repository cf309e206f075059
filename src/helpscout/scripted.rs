//! A transport for tests: answers by a function, keeps what it was asked.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::{Transport, TransportFailure, WireRequest, WireResponse};

type Outcome = Result<WireResponse, TransportFailure>;

/// Answers each request by a function of the request.
pub(super) struct Scripted {
    answer: Box<dyn Fn(&WireRequest) -> Outcome + Send + Sync>,
    asked: Mutex<Vec<WireRequest>>,
}

impl Scripted {
    /// Answers by `answer`.
    pub(super) fn by(answer: impl Fn(&WireRequest) -> Outcome + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { answer: Box::new(answer), asked: Mutex::default() })
    }

    /// Answers in order; one request too many fails the test.
    pub(super) fn in_order(outcomes: Vec<Outcome>) -> Arc<Self> {
        let left = Mutex::new(outcomes.into_iter());
        Self::by(move |request| {
            left.lock().unwrap().next().unwrap_or_else(|| panic!("unexpected {request:?}"))
        })
    }

    /// Methods and targets that were asked for, in order.
    pub(super) fn asked(&self) -> Vec<String> {
        self.requests().iter().map(|request| format!("{} {}", request.method, request.target)).collect()
    }

    /// The requests, in order.
    pub(super) fn requests(&self) -> Vec<WireRequest> {
        self.asked.lock().unwrap().clone()
    }
}

impl Transport for Arc<Scripted> {
    async fn send(&self, request: WireRequest) -> Outcome {
        // Others get their turn while a request is under way, as on a real wire.
        tokio::task::yield_now().await;
        let outcome = (self.answer)(&request);
        self.asked.lock().unwrap().push(request);
        outcome
    }
}

pub(super) fn answered(status: u16, body: &str) -> WireResponse {
    with_headers(status, &[], body)
}

pub(super) fn with_headers(status: u16, headers: &[(&'static str, &str)], body: &str) -> WireResponse {
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| {
            (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
        })
        .collect();
    WireResponse { status, headers, body: Bytes::copy_from_slice(body.as_bytes()) }
}

pub(super) fn lost() -> Outcome {
    Err(TransportFailure { may_have_arrived: true, why: "connection reset".into() })
}
