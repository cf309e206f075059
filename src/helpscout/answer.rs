//! Answers, reduced to what decisions are made of.
//!
//! Bodies are read tolerantly: the service's own errors (vnd.error), those of the gateway before it (`message`) and of its
//! OAuth (`error`, `error_description`) are JSON; a proxy's may be a page of HTML. Whatever is none of the documented
//! shapes is marked so, because a 404 that the service did not say proves nothing.

use std::time::Duration;

use serde::Deserialize;

use super::{TransportFailure, WireResponse};
use crate::policy::{Answer, FieldError, Reply};

/// Characters kept of a text that is none of the documented shapes.
const EXCERPT: usize = 200;
/// Characters kept of the service's own words.
const WORDS: usize = 1_000;
/// No stated wait is believed beyond this, so that no sum of times overflows.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// Every documented shape of an error at once.
#[derive(Default, Deserialize)]
struct ErrorBody {
    message: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
    #[serde(rename = "_embedded")]
    embedded: Option<EmbeddedErrors>,
}

#[derive(Deserialize)]
struct EmbeddedErrors {
    #[serde(default)]
    errors: Vec<NamedError>,
}

#[derive(Deserialize)]
struct NamedError {
    path: Option<String>,
    message: Option<String>,
}

/// What came of sending.
pub(super) fn reply(outcome: Result<WireResponse, TransportFailure>) -> Reply {
    match outcome {
        Ok(response) => Reply::Answer(answer(&response)),
        Err(TransportFailure { may_have_arrived: true, why }) => Reply::Lost { why },
        Err(TransportFailure { may_have_arrived: false, why }) => Reply::NeverLeft { why },
    }
}

/// Reduces an answer.
pub(super) fn answer(response: &WireResponse) -> Answer {
    let text = |name| response.header(name).map(str::to_owned);
    let said = said(response);
    Answer {
        status: response.status,
        resource_id: response.header("resource-id").and_then(|id| id.trim().parse().ok()),
        location: text("location"),
        retry_after: retry_after(response),
        correlation: text("correlation-id"),
        message: said.message,
        errors: said.errors,
        documented: said.documented,
    }
}

/// The service's own words in an answer, or what stands for them.
pub(super) fn words(response: &WireResponse) -> String {
    let answer = answer(response);
    let mut words = answer.message.unwrap_or_else(|| format!("status {}", answer.status));
    for error in answer.errors {
        words.push_str("; ");
        words.push_str(&error.path);
        words.push_str(": ");
        words.push_str(&error.message);
    }
    words
}

struct Said {
    message: Option<String>,
    errors: Vec<FieldError>,
    documented: bool,
}

fn said(response: &WireResponse) -> Said {
    let body = response.body.trim_ascii();
    if body.is_empty() {
        return Said { message: None, errors: Vec::new(), documented: true };
    }
    if (200..300).contains(&response.status) {
        let documented = serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok();
        let message = (!documented).then(|| excerpt(body));
        return Said { message, errors: Vec::new(), documented };
    }
    let read: ErrorBody = serde_json::from_slice(body).unwrap_or_default();
    let errors = read.embedded.map(|embedded| embedded.errors).unwrap_or_default();
    match read.message.or(read.error_description).or(read.error) {
        Some(message) => Said {
            message: Some(shortened(&message, WORDS)),
            errors: errors.into_iter().map(field_error).collect(),
            documented: true,
        },
        None => Said { message: Some(excerpt(body)), errors: Vec::new(), documented: false },
    }
}

fn field_error(named: NamedError) -> FieldError {
    FieldError {
        path: shortened(&named.path.unwrap_or_default(), WORDS),
        message: shortened(&named.message.unwrap_or_default(), WORDS),
    }
}

fn excerpt(body: &[u8]) -> String {
    shortened(&String::from_utf8_lossy(body), EXCERPT)
}

fn shortened(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

/// The larger of `X-RateLimit-Retry-After` and `Retry-After`.
pub(super) fn retry_after(response: &WireResponse) -> Option<Duration> {
    let own = response.header("x-ratelimit-retry-after").and_then(seconds);
    let standard =
        response.header("retry-after").and_then(|text| seconds(text).or_else(|| until(text, response)));
    own.max(standard).map(|wait| wait.min(LONGEST_WAIT))
}

fn seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// A moment, as `Retry-After` may also say it, from the service's own `Date`: this machine's clock takes no part.
fn until(text: &str, response: &WireResponse) -> Option<Duration> {
    let now = httpdate::parse_http_date(response.header("date")?).ok()?;
    httpdate::parse_http_date(text).ok()?.duration_since(now).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::helpscout::scripted::{answered, with_headers};

    #[test]
    fn a_created_thread_has_its_id_and_correlation() {
        let response = with_headers(201, &[("Resource-ID", "7900000001"), ("Correlation-Id", "u#0")], "");
        let answer = answer(&response);
        assert_eq!(answer.resource_id, Some(7_900_000_001));
        assert_eq!(answer.correlation.as_deref(), Some("u#0"));
        assert!(answer.documented && answer.message.is_none());
    }

    #[test]
    fn a_validation_error_names_its_paths() {
        let body = r#"{"logRef":"x#1","message":"Bad request","_embedded":{"errors":[
            {"path":"threads[3].customer.email","message":"may not be empty","rejectedValue":"","source":"JSON","_links":{}},
            {"message":"odd"}]},"_links":{}}"#;
        let answer = answer(&answered(400, body));
        assert_eq!(answer.message.as_deref(), Some("Bad request"));
        assert_eq!(answer.errors.len(), 2);
        assert_eq!(answer.errors[0].path, "threads[3].customer.email");
        assert_eq!(answer.errors[0].message, "may not be empty");
        assert!(answer.documented);
        assert_eq!(
            words(&answered(400, body)),
            "Bad request; threads[3].customer.email: may not be empty; : odd"
        );
    }

    #[test]
    fn gateway_and_token_errors_are_read_as_well() {
        let cases = [
            (429, r#"{"message":"API rate limit exceeded"}"#, "API rate limit exceeded"),
            (
                400,
                r#"{"error_description":"Invalid refresh_token","error":"invalid_request"}"#,
                "Invalid refresh_token",
            ),
            (401, r#"{"error":"invalid_token"}"#, "invalid_token"),
            (400, r#"{"message":"Error parsing","_embedded":{"errors":[]}}"#, "Error parsing"),
        ];
        for (status, body, message) in cases {
            let answer = answer(&answered(status, body));
            assert_eq!(answer.message.as_deref(), Some(message));
            assert!(answer.documented, "{body}");
        }
    }

    #[test]
    fn a_page_of_html_is_no_documented_shape() {
        let page = format!("<html>{}</html>", "é".repeat(500));
        for body in [page.as_str(), "[]", "{\"errors\":1}", "{\"message\":{}}", "null"] {
            let answer = answer(&answered(404, body));
            assert!(!answer.documented, "{body}");
            assert!(answer.message.unwrap().chars().count() <= EXCERPT);
        }
        assert!(!answer(&answered(200, &page)).documented);
        assert!(answer(&answered(200, "{}")).documented);
        assert!(answer(&answered(502, "")).documented);
    }

    #[test]
    fn the_larger_wait_counts() {
        let wait = |headers: &[(&'static str, &str)]| retry_after(&with_headers(429, headers, ""));
        assert_eq!(wait(&[]), None);
        assert_eq!(wait(&[("x-ratelimit-retry-after", "5")]), Some(Duration::from_secs(5)));
        assert_eq!(
            wait(&[("x-ratelimit-retry-after", "5"), ("retry-after", "9")]),
            Some(Duration::from_secs(9))
        );
        assert_eq!(wait(&[("retry-after", "soon")]), None);
        assert_eq!(wait(&[("retry-after", "-3")]), None);
        assert_eq!(wait(&[("retry-after", "1e300")]), None);
        assert_eq!(wait(&[("retry-after", "99999999999")]), Some(LONGEST_WAIT));
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        let then = ("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT");
        assert_eq!(wait(&[date, then]), Some(Duration::from_secs(60)));
        assert_eq!(wait(&[then]), None);
    }

    #[test]
    fn how_a_request_was_lost_is_kept() {
        let failure = |may_have_arrived| Err(TransportFailure { may_have_arrived, why: "reset".into() });
        assert_eq!(reply(failure(true)), Reply::Lost { why: "reset".into() });
        assert_eq!(reply(failure(false)), Reply::NeverLeft { why: "reset".into() });
    }
}
