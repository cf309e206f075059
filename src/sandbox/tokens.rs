//! Tokens: given to any client, and good until they expire, are refreshed or are revoked by a fault.
//!
//! A token that the sandbox never gave is taken as well, because a caller may bring one in `HELPSCOUT_ACCESS_TOKEN`.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use serde_json::json;

use super::exchange::{SandboxRequest, SandboxResponse};
use super::json::Json;
use super::query::decode_pairs;

/// The tokens so far.
#[derive(Debug)]
pub(crate) struct Tokens {
    lifetime: Duration,
    chance: fastrand::Rng,
    /// When each token expires, in milliseconds since 1970.
    expiry: HashMap<String, i64>,
    dead: HashSet<String>,
    /// The access token that was given with each refresh token.
    refresh: HashMap<String, String>,
    used_codes: HashSet<String>,
}

impl Tokens {
    pub(crate) fn new(lifetime: Duration, seed: u64) -> Self {
        Self {
            lifetime,
            chance: fastrand::Rng::with_seed(seed),
            expiry: HashMap::new(),
            dead: HashSet::new(),
            refresh: HashMap::new(),
            used_codes: HashSet::new(),
        }
    }

    /// Whether a request may pass by its header.
    pub(crate) fn is_good(&self, authorization: Option<&str>, now_ms: i64) -> bool {
        bearer(authorization).is_some_and(|token| {
            !self.dead.contains(token) && self.expiry.get(token).is_none_or(|end| now_ms < *end)
        })
    }

    /// Revokes every token that was given, and the one that is shown.
    pub(crate) fn revoke(&mut self, authorization: Option<&str>) {
        self.dead.extend(self.expiry.drain().map(|(token, _)| token));
        self.dead.extend(bearer(authorization).map(str::to_owned));
    }

    /// Answers a request for a token. The parameters stand in a JSON body, a form or the query.
    pub(crate) fn answer(&mut self, request: &SandboxRequest, now_ms: i64) -> SandboxResponse {
        let given = parameters(request);
        let get = |name: &str| given.get(name).map(String::as_str).filter(|value| !value.is_empty());
        if get("client_id").is_none() || get("client_secret").is_none() {
            return refusal("invalid_client", "Invalid client authentication");
        }
        match get("grant_type") {
            Some("client_credentials") => self.give(now_ms, false),
            Some("authorization_code") => match get("code") {
                Some(code) if self.used_codes.insert(code.to_owned()) => self.give(now_ms, true),
                _ => refusal("invalid_request", "Invalid code"),
            },
            Some("refresh_token") => {
                match get("refresh_token").and_then(|token| self.refresh.remove(token)) {
                    Some(old) => {
                        self.expiry.remove(&old);
                        self.dead.insert(old);
                        self.give(now_ms, true)
                    }
                    None => refusal("invalid_request", "Invalid refresh_token"),
                }
            }
            _ => refusal("unsupported_grant_type", "Invalid grant_type"),
        }
    }

    fn give(&mut self, now_ms: i64, with_refresh: bool) -> SandboxResponse {
        let token = self.word();
        let lifetime_ms = i64::try_from(self.lifetime.as_millis()).unwrap_or(i64::MAX);
        self.expiry.insert(token.clone(), now_ms.saturating_add(lifetime_ms));
        let mut body =
            json!({"token_type": "bearer", "access_token": token, "expires_in": self.lifetime.as_secs()});
        if with_refresh {
            let refresh = self.word();
            body["refresh_token"] = json!(refresh);
            self.refresh.insert(refresh, token);
        }
        SandboxResponse::new(200)
            .with("Cache-Control", "no-store")
            .with("Pragma", "no-cache")
            .with_body("application/json; charset=utf-8", body.to_string())
    }

    fn word(&mut self) -> String {
        format!("{:016x}{:016x}", self.chance.u64(..), self.chance.u64(..))
    }
}

fn bearer(authorization: Option<&str>) -> Option<&str> {
    let (scheme, token) = authorization?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

fn parameters(request: &SandboxRequest) -> HashMap<String, String> {
    let mut given: HashMap<_, _> = decode_pairs(request.query()).into_iter().collect();
    if request.header("content-type").is_some_and(|kind| kind.starts_with("application/json")) {
        if let Some(Json::Object(members)) = Json::parse(&request.body) {
            let text = |(key, value): (std::borrow::Cow<'_, str>, Json<'_>)| {
                Some((key.into_owned(), value.text()?.to_owned()))
            };
            given.extend(members.into_iter().filter_map(text));
        }
    } else {
        given.extend(decode_pairs(&String::from_utf8_lossy(&request.body)));
    }
    given
}

fn refusal(error: &str, description: &str) -> SandboxResponse {
    let body = json!({"error_description": description, "error": error});
    SandboxResponse::new(400).with_body("application/json; charset=utf-8", body.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn ask(tokens: &mut Tokens, query: &str, kind: &str, body: &str, now_ms: i64) -> (u16, Value) {
        let request = SandboxRequest {
            method: "POST".into(),
            target: format!("/v2/oauth2/token{query}"),
            headers: vec![("content-type".into(), kind.into())],
            body: body.to_owned().into(),
        };
        let answer = tokens.answer(&request, now_ms);
        (answer.status, serde_json::from_slice(&answer.body).unwrap())
    }

    const FORM: &str = "application/x-www-form-urlencoded";
    const CLIENT: &str = "client_id=a&client_secret=b&";

    fn tokens() -> Tokens {
        Tokens::new(Duration::from_secs(100), 1)
    }

    #[test]
    fn parameters_may_stand_in_json_form_or_query() {
        let mut tokens = tokens();
        let json = r#"{"grant_type":"client_credentials","client_id":"a","client_secret":"b"}"#;
        let (status, body) = ask(&mut tokens, "", "application/json", json, 0);
        assert_eq!(
            (status, &body["token_type"], body["expires_in"].as_u64()),
            (200, &json!("bearer"), Some(100))
        );
        assert!(body.get("refresh_token").is_none());
        let pairs = format!("{CLIENT}grant_type=client_credentials");
        assert_eq!(ask(&mut tokens, "", FORM, &pairs, 0).0, 200);
        assert_eq!(ask(&mut tokens, &format!("?{pairs}"), "", "", 0).0, 200);
    }

    #[test]
    fn a_token_is_good_until_it_expires() {
        let mut tokens = tokens();
        let (_, body) = ask(&mut tokens, "", FORM, &format!("{CLIENT}grant_type=client_credentials"), 1000);
        let header = format!("Bearer {}", body["access_token"].as_str().unwrap());
        assert!(tokens.is_good(Some(&header), 100_999));
        assert!(!tokens.is_good(Some(&header), 101_000));
        assert!(
            !tokens.is_good(None, 0)
                && !tokens.is_good(Some("Basic x"), 0)
                && !tokens.is_good(Some("Bearer "), 0)
        );
        assert!(tokens.is_good(Some("bearer brought-along"), 0));
    }

    #[test]
    fn several_tokens_live_at_a_time_until_all_are_revoked() {
        let mut tokens = tokens();
        let pairs = format!("{CLIENT}grant_type=client_credentials");
        let mut header = || {
            format!("Bearer {}", ask(&mut tokens, "", FORM, &pairs, 0).1["access_token"].as_str().unwrap())
        };
        let (one, two) = (header(), header());
        assert!(one != two && tokens.is_good(Some(&one), 1) && tokens.is_good(Some(&two), 1));
        tokens.revoke(Some("Bearer own"));
        assert!([one.as_str(), &two, "Bearer own"].iter().all(|header| !tokens.is_good(Some(header), 1)));
    }

    #[test]
    fn a_code_works_once_and_a_refresh_token_rotates() {
        let mut tokens = tokens();
        let code = format!("{CLIENT}grant_type=authorization_code&code=x");
        let (_, first) = ask(&mut tokens, "", FORM, &code, 0);
        assert_eq!(ask(&mut tokens, "", FORM, &code, 0).0, 400);
        let refresh = format!(
            "{CLIENT}grant_type=refresh_token&refresh_token={}",
            first["refresh_token"].as_str().unwrap()
        );
        let (status, second) = ask(&mut tokens, "", FORM, &refresh, 0);
        assert!(status == 200 && second["refresh_token"] != first["refresh_token"]);
        let old = format!("Bearer {}", first["access_token"].as_str().unwrap());
        assert!(!tokens.is_good(Some(&old), 0), "the old token dies at once");
        let (status, body) = ask(&mut tokens, "", FORM, &refresh, 0);
        assert_eq!(
            (status, body),
            (400, json!({"error_description":"Invalid refresh_token","error":"invalid_request"}))
        );
    }

    #[test]
    fn without_a_client_or_a_known_grant_there_is_no_token() {
        let mut tokens = tokens();
        assert_eq!(
            ask(&mut tokens, "", FORM, "grant_type=client_credentials", 0).1["error"],
            "invalid_client"
        );
        assert_eq!(ask(&mut tokens, "", FORM, CLIENT, 0).1["error"], "unsupported_grant_type");
    }
}
