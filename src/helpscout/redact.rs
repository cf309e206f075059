//! A service, or a proxy before it, may repeat in a refusal what it was given. Whatever is told of an answer comes from
//! its body or its headers, so secrets are taken out there, before anybody reads them.

use bytes::Bytes;
use http::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};

use super::{Credentials, WireResponse};

/// What stands in a secret's place.
const MASK: &str = "…";
/// Shorter texts are no secrets worth the name, and would blot out half of a message.
const SHORTEST: usize = 6;

impl Credentials {
    /// Takes these credentials, and `token`, out of an answer that is not a success.
    pub(super) fn redact(&self, response: &mut WireResponse, token: Option<&str>) {
        if response.status < 300 {
            return;
        }
        let own: Vec<&SecretString> = match self {
            Self::App { id, secret } => vec![id, secret],
            Self::Token(token) => vec![token],
        };
        let secrets = own.into_iter().map(|secret| secret.expose_secret().trim()).chain(token);
        for secret in secrets.filter(|secret| secret.len() >= SHORTEST) {
            take_out(response, secret);
        }
    }
}

fn take_out(response: &mut WireResponse, secret: &str) {
    let text = String::from_utf8_lossy(&response.body);
    if text.contains(secret) {
        response.body = Bytes::from(text.replace(secret, MASK));
    }
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

    #[test]
    fn a_refusal_that_repeats_secrets_is_cleaned_and_a_success_is_left_alone() {
        let app = Credentials::App { id: "the-app-id".into(), secret: "the-secret".into() };
        let mut refused = response(400, r#"{"error":"no the-app-id with the-secret and a-token-x"}"#);
        app.redact(&mut refused, Some("a-token-x"));
        assert_eq!(refused.body, r#"{"error":"no … with … and …"}"#);
        assert_eq!(refused.header("location"), Some("redacted"));
        let mut found = response(200, r#"{"name":"the-secret"}"#);
        app.redact(&mut found, None);
        assert_eq!(found.body, r#"{"name":"the-secret"}"#);
    }
}
