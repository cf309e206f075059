//! The bodies of refusals, in the documented shapes.
//!
//! What the API itself refuses comes as `vnd.error`; what its gateway refuses (401, 429) comes as plain JSON.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::exchange::SandboxResponse;
use super::rules::{Problem, Refusal};

const VND_ERROR: &str = "application/vnd.error+json";
const HAL: &str = "application/hal+json;charset=UTF-8";
const ABOUT: &str = "http://developer.helpscout.net/mailbox-api/overview/errors";

/// A time as the header `Date` says it.
pub(crate) fn show_date(now_ms: i64) -> String {
    let since = Duration::from_millis(u64::try_from(now_ms).unwrap_or(0));
    httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + since)
}

/// 200 with a body of HAL.
pub(crate) fn hal(body: impl Into<bytes::Bytes>) -> SandboxResponse {
    SandboxResponse::new(200).with_body(HAL, body)
}

/// 201 with the id of what was made, or 204.
pub(crate) fn done(status: u16) -> SandboxResponse {
    let answer = SandboxResponse::new(status);
    if status == 201 { answer.with_body("text/plain; charset=UTF-8", "") } else { answer }
}

/// A refusal of the API itself; `correlation` is its `logRef` too.
pub(crate) fn refused(refusal: &Refusal, correlation: &str) -> SandboxResponse {
    match refusal {
        Refusal::Unparsable => {
            vnd_error(400, "Error parsing request body into JSON", &json!([]), correlation)
        }
        Refusal::Invalid(problems) => {
            vnd_error(400, "Bad request", &problems.iter().map(show_problem).collect(), correlation)
        }
        Refusal::NotFound(message) => vnd_error(404, message, &json!([]), correlation),
        Refusal::Conflict(problem) => {
            vnd_error(409, "Conflict", &json!([show_problem(problem)]), correlation)
        }
        Refusal::Precondition(message) => vnd_error(412, message, &json!([]), correlation),
    }
}

/// A refusal that concerns no field.
pub(crate) fn plain_refusal(status: u16, message: &str, correlation: &str) -> SandboxResponse {
    vnd_error(status, message, &json!([]), correlation)
}

fn vnd_error(status: u16, message: &str, errors: &Value, correlation: &str) -> SandboxResponse {
    let links = json!({"about": {"href": ABOUT}});
    let body = json!({
        "logRef": correlation,
        "message": message,
        "_embedded": {"errors": errors},
        "_links": links,
    });
    SandboxResponse::new(status).with_body(VND_ERROR, body.to_string())
}

fn show_problem(problem: &Problem) -> Value {
    let mut shown = json!({"path": problem.path, "message": problem.message});
    if let Some(rejected) = &problem.rejected {
        shown["rejectedValue"] = json!(rejected);
    }
    shown["source"] = json!("JSON");
    shown["_links"] = json!({"about": {"href": format!("{ABOUT}#validation")}});
    shown
}

/// The gateway's answer to a missing or dead token.
pub(crate) fn unauthorized() -> SandboxResponse {
    let body = json!({
        "error": "invalid_token",
        "error_description": "The access token is invalid or has expired",
    });
    SandboxResponse::new(401)
        .with("WWW-Authenticate", "Bearer")
        .with_body("application/json; charset=utf-8", body.to_string())
}

/// The gateway's answer to one request too many.
pub(crate) fn throttled(retry_after: i64, with_standard_header: bool) -> SandboxResponse {
    let answer = SandboxResponse::new(429).with("X-RateLimit-Retry-After", retry_after.to_string());
    let answer =
        if with_standard_header { answer.with("Retry-After", retry_after.to_string()) } else { answer };
    answer.with_body("application/json; charset=utf-8", r#"{"message":"API rate limit exceeded"}"#)
}

/// A proxy's page.
pub(crate) fn page(status: u16, title: &str) -> SandboxResponse {
    let body = format!("<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>");
    SandboxResponse::new(status).with_body("text/html", body)
}

/// A script's refusal: its own body, or one that suits the status.
pub(crate) fn scripted(
    status: u16,
    body: &str,
    body_type: Option<&str>,
    correlation: &str,
) -> SandboxResponse {
    match (body.is_empty(), body_type, status) {
        (false, Some(kind), _) => SandboxResponse::new(status).with_body(kind, body.to_owned()),
        (false, None, _) => SandboxResponse::new(status).with_body("text/plain", body.to_owned()),
        (true, _, 401) => unauthorized(),
        (true, _, 429) => throttled(1, false),
        (true, _, 502) => page(502, "502 Bad Gateway"),
        (true, _, 500..) => {
            let body = json!({"logRef": correlation, "message": "Internal error", "links": []});
            SandboxResponse::new(status).with_body(VND_ERROR, body.to_string())
        }
        (true, ..) => plain_refusal(status, "refused by the fault script", correlation),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(answer: &SandboxResponse) -> Value {
        serde_json::from_slice(&answer.body).unwrap()
    }

    #[test]
    fn faults_of_a_body_come_in_the_documented_shape() {
        let problem = Problem { path: "subject".into(), message: "may not be empty".into(), rejected: None };
        let answer = refused(&Refusal::Invalid(vec![problem]), "ref#1");
        assert_eq!((answer.status, answer.header("content-type")), (400, Some("application/vnd.error+json")));
        let body = body(&answer);
        assert_eq!((&body["logRef"], &body["message"]), (&json!("ref#1"), &json!("Bad request")));
        let error = &body["_embedded"]["errors"][0];
        assert_eq!((&error["path"], &error["source"]), (&json!("subject"), &json!("JSON")));
        assert!(error.get("rejectedValue").is_none() && error["_links"]["about"]["href"].is_string());
    }

    #[test]
    fn a_body_that_is_not_json_has_no_faults_of_its_own() {
        let body = body(&refused(&Refusal::Unparsable, "r"));
        assert_eq!(body["message"], "Error parsing request body into JSON");
        assert_eq!(body["_embedded"]["errors"], json!([]));
    }

    #[test]
    fn the_gateways_refusals_are_plain_json() {
        assert_eq!(body(&unauthorized())["error"], "invalid_token");
        let answer = throttled(7, true);
        assert_eq!(body(&answer), json!({"message": "API rate limit exceeded"}));
        assert_eq!(
            (answer.header("x-ratelimit-retry-after"), answer.header("retry-after")),
            (Some("7"), Some("7"))
        );
        assert_eq!(throttled(7, false).header("retry-after"), None);
    }

    #[test]
    fn a_scripts_refusal_suits_its_status() {
        assert_eq!(body(&scripted(503, "", None, "r"))["message"], "Internal error");
        assert!(scripted(502, "", None, "r").body.starts_with(b"<html>"));
        assert_eq!(&scripted(403, "no", None, "r").body[..], b"no");
        assert_eq!(body(&scripted(403, "", None, "r"))["logRef"], "r");
    }
}
