//! The token: asked for once, renewed once by one worker for all.
//!
//! Whoever finds no valid token waits for one lock; the first asks the service, the others find what it brought. A 401
//! discards only the token that it was said to: an answer that comes late does not discard a newer one. A refusal is final
//! and remembered, so that many workers do not each ask again with credentials that are known to be wrong.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Method, header};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{ApiError, Credentials, Transport, WireRequest, WireResponse, answer, patience::Patience};

/// Where tokens come from.
const TARGET: &str = "/v2/oauth2/token";
/// How long before its end a token is renewed.
const EARLY: Duration = Duration::from_secs(60);
/// What is assumed where the service does not say how long a token lives.
const LIFETIME: u64 = 7_200;
/// No lifetime is believed beyond this, so that no sum of times overflows.
const LONGEST_LIFETIME: u64 = 30 * 24 * 60 * 60;

/// So many tokens are remembered, to be taken out of answers.
const REMEMBERED: usize = 16;

/// A token as it goes on a request.
#[derive(Clone)]
pub(super) struct Bearer {
    header: HeaderValue,
    generation: u64,
}

impl Bearer {
    /// The value of `Authorization`, marked sensitive.
    pub(super) fn header(&self) -> HeaderValue {
        self.header.clone()
    }

    fn token(&self) -> Option<&str> {
        self.header.to_str().ok()?.strip_prefix("Bearer ")
    }
}

/// Holds the token.
pub(super) struct TokenKeeper {
    credentials: Credentials,
    /// Held by the one who asks for a new token.
    renewal: tokio::sync::Mutex<()>,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    bearer: Option<Bearer>,
    /// It and those before it: an answer may repeat one that was discarded.
    used: VecDeque<Bearer>,
    /// When it is to be renewed; `None`: never.
    renew_at: Option<Instant>,
    generations: u64,
    refused: Option<String>,
}

#[derive(Serialize)]
struct TokenRequest<'a> {
    grant_type: &'static str,
    client_id: &'a str,
    client_secret: &'a str,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: SecretString,
    expires_in: Option<u64>,
}

impl TokenKeeper {
    pub(super) fn new(credentials: Credentials) -> Self {
        Self { credentials, renewal: tokio::sync::Mutex::new(()), held: Mutex::default() }
    }

    /// A token that is valid as far as is known, asked for if need be.
    pub(super) async fn bearer(
        &self,
        transport: &impl Transport,
        patience: &Patience,
    ) -> Result<Bearer, ApiError> {
        if let Some(bearer) = self.valid()? {
            return Ok(bearer);
        }
        let _asking = self.renewal.lock().await;
        if let Some(bearer) = self.valid()? {
            return Ok(bearer);
        }
        match &self.credentials {
            Credentials::Token(token) => self.keep(token, None),
            Credentials::App { id, secret } => {
                let asked = self.ask(transport, patience, id, secret).await;
                if let Err(ApiError::Credentials { words }) = &asked {
                    self.held().refused = Some(words.clone());
                }
                let TokenAnswer { access_token, expires_in } = asked?;
                let lifetime = Duration::from_secs(expires_in.unwrap_or(LIFETIME).min(LONGEST_LIFETIME));
                let renew_at = Instant::now() + lifetime.saturating_sub(EARLY).max(lifetime / 2);
                self.keep(&access_token, Some(renew_at))
            }
        }
    }

    /// The service does not take this token any more. Says whether another can be had.
    pub(super) fn discard(&self, bearer: &Bearer) -> bool {
        if matches!(self.credentials, Credentials::Token(_)) {
            return false;
        }
        let mut held = self.held();
        if held.bearer.as_ref().is_some_and(|current| current.generation == bearer.generation) {
            held.bearer = None;
        }
        true
    }

    /// Takes what nobody may see out of an answer; its body is left as it is if that `is_wanted`.
    pub(super) fn redact(&self, response: &mut WireResponse, is_wanted: bool) {
        let used = self.held().used.clone();
        self.credentials.redact(response, used.iter().filter_map(Bearer::token), is_wanted);
    }

    /// Asks for a token, again and again while the trouble passes. Asking costs no units.
    async fn ask(
        &self,
        transport: &impl Transport,
        patience: &Patience,
        id: &SecretString,
        secret: &SecretString,
    ) -> Result<TokenAnswer, ApiError> {
        let form = TokenRequest {
            grant_type: "client_credentials",
            client_id: id.expose_secret(),
            client_secret: secret.expose_secret(),
        };
        let body = Bytes::from(serde_json::to_vec(&form).unwrap_or_default());
        let mut attempts = patience.begin();
        loop {
            match transport.send(request(body.clone())).await {
                Err(failure) => attempts.pause(&failure.why, None).await?,
                Ok(response) if matches!(response.status, 408 | 429 | 500..=599) => {
                    let why = format!("{} to the request for a token", response.status);
                    attempts.pause(&why, answer::retry_after(&response)).await?;
                }
                Ok(mut response) => {
                    patience.note_success();
                    let is_wanted = response.status == 200;
                    self.redact(&mut response, is_wanted);
                    return read(&response);
                }
            }
        }
    }

    fn valid(&self) -> Result<Option<Bearer>, ApiError> {
        let held = self.held();
        if let Some(words) = &held.refused {
            return Err(ApiError::Credentials { words: words.clone() });
        }
        if held.renew_at.is_some_and(|moment| Instant::now() >= moment) {
            return Ok(None);
        }
        Ok(held.bearer.clone())
    }

    fn keep(&self, token: &SecretString, renew_at: Option<Instant>) -> Result<Bearer, ApiError> {
        let header = HeaderValue::try_from(format!("Bearer {}", token.expose_secret().trim()));
        // A header may hold more than ASCII, but could not be read back, so that the token would not be taken out.
        let mut header = header.ok().filter(|header| header.to_str().is_ok()).ok_or_else(|| {
            ApiError::Credentials { words: "the token holds characters that no header may".into() }
        })?;
        header.set_sensitive(true);
        let mut held = self.held();
        held.generations += 1;
        let bearer = Bearer { header, generation: held.generations };
        held.bearer = Some(bearer.clone());
        if held.used.len() >= REMEMBERED {
            held.used.pop_front();
        }
        held.used.push_back(bearer.clone());
        held.renew_at = renew_at;
        Ok(bearer)
    }

    /// Every change under the lock is complete in itself, so that a panic elsewhere leaves nothing half-done.
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for TokenKeeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenKeeper").finish_non_exhaustive()
    }
}

fn request(body: Bytes) -> WireRequest {
    let json = HeaderValue::from_static("application/json");
    WireRequest {
        method: Method::POST,
        target: TARGET.to_owned(),
        headers: vec![(header::CONTENT_TYPE, json.clone()), (header::ACCEPT, json)],
        body: Some(body),
    }
}

fn read(response: &WireResponse) -> Result<TokenAnswer, ApiError> {
    if matches!(response.status, 400 | 401 | 403) {
        return Err(ApiError::Credentials { words: words(response) });
    }
    let undocumented = |why: String| ApiError::Undocumented {
        status: response.status,
        target: TARGET.to_owned(),
        why,
        correlation: response.header("correlation-id").map(str::to_owned),
    };
    if let (301 | 302 | 303 | 307 | 308, Some(location)) = (response.status, response.header("location")) {
        return Err(ApiError::Moved { location: location.to_owned() });
    }
    if response.status != 200 {
        return Err(undocumented(words(response)));
    }
    // The decoder's own words may quote what it read, and that may be a token.
    serde_json::from_slice(&response.body).map_err(|_| undocumented("it holds no `access_token`".into()))
}

/// The service's own words; a body of another shape may hold a token that nobody knows yet, and is not quoted.
fn words(response: &WireResponse) -> String {
    if answer::answer(response).documented {
        answer::words(response)
    } else {
        format!("status {} and no word of its own: something before it may have answered", response.status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::helpscout::scripted::{Scripted, answered, lost};

    fn app() -> TokenKeeper {
        TokenKeeper::new(Credentials::App { id: "an-id".into(), secret: "a-secret".into() })
    }

    fn patience() -> Patience {
        Patience::new(Duration::from_secs(60), 1, None)
    }

    fn token(name: &str, expires_in: u64) -> WireResponse {
        let body = format!(r#"{{"token_type":"bearer","access_token":"{name}","expires_in":{expires_in}}}"#);
        answered(200, &body)
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_asked_for_once_and_renewed_a_minute_early() {
        let wire = Scripted::in_order(vec![Ok(token("one", 600)), Ok(token("two", 600))]);
        let (keeper, patience) = (app(), patience());
        let first = keeper.bearer(&wire, &patience).await.unwrap();
        assert!(first.header().is_sensitive());
        assert_eq!(first.header(), "Bearer one");
        tokio::time::advance(Duration::from_secs(539)).await;
        assert_eq!(keeper.bearer(&wire, &patience).await.unwrap().header(), "Bearer one");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(keeper.bearer(&wire, &patience).await.unwrap().header(), "Bearer two");
        let body = wire.requests()[0].body.clone().unwrap();
        insta::assert_snapshot!(String::from_utf8_lossy(&body), @r#"{"grant_type":"client_credentials","client_id":"an-id","client_secret":"a-secret"}"#);
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_discard_spares_the_newer_token() {
        let wire = Scripted::in_order(vec![Ok(token("one", 600)), Ok(token("two", 600))]);
        let (keeper, patience) = (app(), patience());
        let first = keeper.bearer(&wire, &patience).await.unwrap();
        assert!(keeper.discard(&first));
        keeper.bearer(&wire, &patience).await.unwrap();
        assert!(keeper.discard(&first));
        assert_eq!(keeper.bearer(&wire, &patience).await.unwrap().header(), "Bearer two");
        assert_eq!(wire.asked().len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn passing_trouble_is_waited_out() {
        let wire = Scripted::in_order(vec![lost(), Ok(answered(503, "<html>")), Ok(token("one", 600))]);
        assert!(app().bearer(&wire, &patience()).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_final_in_the_services_own_words() {
        let body = r#"{"error_description":"Invalid client authentication","error":"invalid_client"}"#;
        let wire = Scripted::in_order(vec![Ok(answered(401, body))]);
        let (keeper, patience) = (app(), patience());
        for _ in 0..3 {
            let error = keeper.bearer(&wire, &patience).await.err().unwrap();
            assert_eq!(error, ApiError::Credentials { words: "Invalid client authentication".into() });
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_given_token_is_used_as_it_is_and_cannot_be_renewed() {
        let wire = Scripted::in_order(vec![]);
        let keeper = TokenKeeper::new(Credentials::Token("given\n".into()));
        let bearer = keeper.bearer(&wire, &patience()).await.unwrap();
        assert_eq!(bearer.header(), "Bearer given");
        assert!(!keeper.discard(&bearer));
        for broken in ["a\nb", "tokén"] {
            let broken = TokenKeeper::new(Credentials::Token(broken.into()));
            assert!(matches!(broken.bearer(&wire, &patience()).await, Err(ApiError::Credentials { .. })));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_without_a_token_is_undocumented_and_not_quoted() {
        let wire = Scripted::in_order(vec![Ok(answered(200, r#"{"access_token":5,"x":"hush"}"#))]);
        let error = app().bearer(&wire, &patience()).await.err().unwrap();
        assert!(matches!(error, ApiError::Undocumented { status: 200, .. }), "{error}");
        assert!(!error.to_string().contains("hush"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_in_a_refusal_of_another_shape_is_not_quoted() {
        for status in [201, 302, 401, 421] {
            let wire =
                Scripted::in_order(vec![Ok(answered(status, r#"{"access_token":"hush-hush","x":01}"#))]);
            let error = app().bearer(&wire, &patience()).await.err().unwrap();
            assert!(!error.to_string().contains("hush"), "{error}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_that_was_discarded_is_taken_out_of_later_answers() {
        let wire = Scripted::in_order(vec![Ok(token("the-first", 600)), Ok(token("the-second", 600))]);
        let (keeper, patience) = (app(), patience());
        let first = keeper.bearer(&wire, &patience).await.unwrap();
        keeper.discard(&first);
        keeper.bearer(&wire, &patience).await.unwrap();
        let mut refused = answered(400, r#"{"message":"the-second comes after the-first"}"#);
        keeper.redact(&mut refused, false);
        assert_eq!(refused.body, r#"{"message":"… comes after …"}"#);
    }

    #[tokio::test(start_paused = true)]
    async fn the_token_before_is_taken_out_of_a_refusal_of_a_new_one() {
        let refusal = r#"{"error":"no longer the-first-token"}"#;
        let wire = Scripted::in_order(vec![Ok(token("the-first-token", 600)), Ok(answered(400, refusal))]);
        let (keeper, patience) = (app(), patience());
        let first = keeper.bearer(&wire, &patience).await.unwrap();
        assert!(keeper.discard(&first));
        let error = keeper.bearer(&wire, &patience).await.err().unwrap();
        assert_eq!(error, ApiError::Credentials { words: "no longer …".into() });
    }
}
