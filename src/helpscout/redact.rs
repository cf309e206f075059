//! A service, or a proxy before it, may repeat in a refusal what it was given. Whatever is told of an answer comes from
//! its body or its headers, so secrets are taken out there, before anybody reads them.

use bytes::Bytes;
use http::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::{Credentials, WireResponse};

/// What stands in a secret's place.
const MASK: &str = "…";
/// Shorter texts are no secrets worth the name, and would blot out half of a message.
const SHORTEST: usize = 6;

impl Credentials {
    /// Takes these credentials, and `tokens`, out of an answer: out of its headers, and out of its body unless that
    /// `is_wanted`, as what a read asks for is. Nothing else is told of such a body.
    pub(super) fn redact<'s>(
        &'s self,
        response: &mut WireResponse,
        tokens: impl Iterator<Item = &'s str>,
        is_wanted: bool,
    ) {
        let own: Vec<&SecretString> = match self {
            Self::App { id, secret } => vec![id, secret],
            Self::Token(token) => vec![token],
        };
        let secrets = own.into_iter().map(|secret| secret.expose_secret().trim()).chain(tokens);
        for secret in secrets.filter(|secret| secret.len() >= SHORTEST) {
            if !is_wanted {
                take_out(&mut response.body, secret);
            }
            take_out_of_headers(response, secret);
        }
    }
}

/// JSON may spell a secret's characters in ways of its own, so a body is looked at as it reads, too.
fn take_out(body: &mut Bytes, secret: &str) {
    let text = String::from_utf8_lossy(body);
    if text.contains(secret) {
        *body = Bytes::from(text.replace(secret, MASK));
    }
    if body.contains(&b'\\')
        && let Ok(mut value) = serde_json::from_slice(body)
        && take_out_of_value(&mut value, secret)
    {
        *body = Bytes::from(value.to_string().replace(secret, MASK));
    }
}

/// Says whether there was something to take out.
fn take_out_of_value(value: &mut Value, secret: &str) -> bool {
    match value {
        Value::String(text) if text.contains(secret) => {
            *text = text.replace(secret, MASK);
            true
        }
        Value::Array(items) => take_out_of_all(items.iter_mut(), secret),
        Value::Object(members) => take_out_of_all(members.values_mut(), secret),
        _ => false,
    }
}

fn take_out_of_all<'v>(values: impl Iterator<Item = &'v mut Value>, secret: &str) -> bool {
    values.map(|value| take_out_of_value(value, secret)).filter(|found| *found).count() > 0
}

fn take_out_of_headers(response: &mut WireResponse, secret: &str) {
    for value in response.headers.values_mut() {
        if value.to_str().is_ok_and(|text| text.contains(secret)) {
            *value = HeaderValue::from_static("redacted");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;

    fn response(status: u16, body: &'static str) -> WireResponse {
        let mut headers = HeaderMap::new();
        headers.insert("location", HeaderValue::from_static("https://example.com/?id=the-app-id"));
        WireResponse { status, headers, body: Bytes::from_static(body.as_bytes()) }
    }

    fn app() -> Credentials {
        Credentials::App { id: "the-app-id".into(), secret: "the-secret".into() }
    }

    #[test]
    fn a_refusal_that_repeats_secrets_is_cleaned_and_what_is_wanted_is_left_alone() {
        let mut refused = response(400, r#"{"error":"no the-app-id with the-secret and a-token-x"}"#);
        app().redact(&mut refused, ["a-token-x"].into_iter(), false);
        assert_eq!(refused.body, r#"{"error":"no … with … and …"}"#);
        assert_eq!(refused.header("location"), Some("redacted"));
        let mut found = response(200, r#"{"name":"the-secret"}"#);
        app().redact(&mut found, std::iter::empty(), true);
        assert_eq!(found.body, r#"{"name":"the-secret"}"#);
        assert_eq!(found.header("location"), Some("redacted"));
    }

    #[test]
    fn a_secret_that_is_spelled_with_escapes_is_found() {
        let mut refused = response(400, r#"{"errors":[{"path":"the\u002dsecret"}],"n":1.50}"#);
        app().redact(&mut refused, std::iter::empty(), false);
        assert_eq!(refused.body, r#"{"errors":[{"path":"…"}],"n":1.50}"#);
    }
}
