//! The client: a token on every request, a place in the line for each, and patience for reads.
//!
//! Reads and writes differ on purpose. A read is repeated while the trouble passes. A write is put on the wire once: what
//! came of it, a lost answer above all, is handed to the caller, who has written down what was sent and alone can find
//! out. The one exception is a 401, after which nothing was done: with a new token the write is sent once more.

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, UNIX_EPOCH},
};

use bytes::Bytes;
use http::{HeaderValue, Method, header};
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    ApiError, ApiUrl, ClientNote, Credentials, NoteSink, PaceSnapshot, Pacer, READ_UNITS, Transport,
    TransportFailure, WRITE_UNITS, WireRequest, WireResponse, answer,
    patience::Patience,
    target::path_of,
    token::{Bearer, TokenKeeper},
};
use crate::{
    call::Moment,
    policy::{Answer, Reply},
};

/// How long nothing leaves after a 429 that states no wait: the limit is counted by the minute.
const UNSTATED_WAIT: Duration = Duration::from_secs(60);
/// How long after a wish to stop a read may still wait for the pace: what was sent is looked at before the end, but a
/// closed gate is not waited out.
const FINISHING: Duration = Duration::from_secs(10);
/// Waited beyond what the service states: coming a moment too early costs another wait.
const MARGIN: Duration = Duration::from_secs(1);
/// What the service speaks, and its gateway.
const ACCEPT: HeaderValue =
    HeaderValue::from_static("application/hal+json, application/json;q=0.9, */*;q=0.1");
const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// What a client needs to know.
pub struct ClientSettings {
    /// Where the service is: a redirect is followed on its host only.
    pub api_url: ApiUrl,
    /// Without any success for so long, reads fail for good.
    pub give_up: Duration,
    /// Where the chance in waits begins.
    pub chance_seed: u64,
    /// Listens to waits.
    pub on_note: Option<NoteSink>,
}

impl fmt::Debug for ClientSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSettings")
            .field("api_url", &self.api_url)
            .field("give_up", &self.give_up)
            .finish_non_exhaustive()
    }
}

/// Speaks with the service; shared by all workers.
pub struct Client<T> {
    transport: T,
    tokens: TokenKeeper,
    pacer: Pacer,
    patience: Patience,
    api_url: ApiUrl,
    /// What the service's clock showed last, and when that was read.
    service_clock: Mutex<Option<(Moment, Instant)>>,
}

impl<T> fmt::Debug for Client<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("api_url", &self.api_url)
            .field("pacer", &self.pacer)
            .finish_non_exhaustive()
    }
}

impl<T: Transport> Client<T> {
    /// A client that has sent nothing yet.
    pub fn new(transport: T, credentials: Credentials, pacer: Pacer, settings: ClientSettings) -> Self {
        let ClientSettings { api_url, give_up, chance_seed, on_note } = settings;
        let patience = Patience::new(give_up, chance_seed, on_note);
        Self {
            transport,
            tokens: TokenKeeper::new(credentials),
            pacer,
            patience,
            api_url,
            service_clock: Mutex::default(),
        }
    }

    /// The same, whose waits for a service that is away end when `stop` is cancelled.
    #[must_use]
    pub fn with_stop(mut self, stop: CancellationToken) -> Self {
        self.patience.stop_with(stop);
        self
    }

    /// What the service's clock shows, by the `Date` of its last answer; none before the first and where it sends none.
    /// At most a second or two late: a `Date` counts whole seconds and was on its way.
    pub fn service_now(&self) -> Option<Moment> {
        let (shown, read_at) = (*self.clock())?;
        Some(shown.plus_seconds(i64::try_from(read_at.elapsed().as_secs()).unwrap_or(i64::MAX)))
    }

    fn clock(&self) -> MutexGuard<'_, Option<(Moment, Instant)>> {
        self.service_clock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `units` may be used; a wait that is dropped costs nothing.
    pub async fn permit(&self, units: u32) {
        self.pacer.permit(units).await;
    }

    /// Takes `units`, at most those of a write, if they may be used at once.
    pub fn permit_now(&self, units: u32) -> bool {
        self.pacer.permit_now(units)
    }

    /// How the pace stands.
    pub fn pace(&self) -> PaceSnapshot {
        self.pacer.snapshot()
    }

    /// The service was of use: it is not away.
    pub fn note_success(&self) {
        self.patience.note_success();
    }

    /// How long ago the service last answered properly.
    pub fn since_success(&self) -> Duration {
        self.patience.since_success()
    }

    /// Where the service is.
    pub fn api_url(&self) -> &ApiUrl {
        &self.api_url
    }

    /// Sends a write for which the caller holds a permit: one attempt on the wire. After a 401 the token is renewed, a
    /// permit taken and the write sent once more. Without a token nothing is sent: a refusal of the credentials reads as
    /// a 401, their silence as never left.
    pub async fn write(&self, method: Method, target: &str, body: Bytes) -> Reply {
        let body = (!body.is_empty()).then_some(body);
        let first = match self.bearer().await {
            Ok(bearer) => bearer,
            Err(error) => return tokenless(error),
        };
        let outcome = self.send(method.clone(), target, body.clone(), &first).await;
        let refused = outcome.as_ref().is_ok_and(|response| response.status == 401);
        if !refused || !self.tokens.discard(&first) {
            return answer::reply(outcome);
        }
        match self.bearer().await {
            Ok(renewed) => {
                self.permit(WRITE_UNITS).await;
                answer::reply(self.send(method, target, body, &renewed).await)
            }
            Err(error) => tokenless(error),
        }
    }

    /// Asks for `target` and decodes the answer; repeated while the trouble passes.
    pub async fn read<B: DeserializeOwned>(&self, target: &str) -> Result<B, ApiError> {
        let response = self.get(target).await?;
        serde_json::from_slice(&response.body).map_err(|fault| {
            undocumented(&response, target, format!("not the documented shape: {}", place_of(&fault)))
        })
    }

    /// Asks for `target` until there is an answer that is not passing trouble.
    async fn get(&self, target: &str) -> Result<WireResponse, ApiError> {
        let mut attempts = self.patience.begin();
        let mut renewed = false;
        loop {
            tokio::select! {
                biased;
                () = self.permit(READ_UNITS) => {}
                () = self.patience.stopped_for(FINISHING) => return Err(ApiError::Stopped),
            }
            let bearer = self.bearer().await?;
            match self.send(Method::GET, target, None, &bearer).await {
                Err(failure) => attempts.pause(&failure.why, None).await?,
                Ok(response) => match response.status {
                    401 if !renewed && self.tokens.discard(&bearer) => renewed = true,
                    // The gate is closed: the wait is in the next permit.
                    429 => drop(attempts.failed("the rate limit is exceeded")?),
                    408 | 500..=599 => {
                        let why = format!("status {} to `{}`", response.status, path_of(target));
                        attempts.pause(&why, answer::retry_after(&response)).await?;
                    }
                    200..=299 => return Ok(response),
                    _ => return Err(refusal(&response, target)),
                },
            }
        }
    }

    async fn bearer(&self) -> Result<Bearer, ApiError> {
        self.tokens.bearer(&self.transport, &self.patience).await
    }

    /// One request on the wire; takes note of what the answer's headers say.
    async fn send(
        &self,
        method: Method,
        target: &str,
        body: Option<Bytes>,
        bearer: &Bearer,
    ) -> Result<WireResponse, TransportFailure> {
        let mut headers = Vec::with_capacity(3);
        headers.push((header::AUTHORIZATION, bearer.header()));
        headers.push((header::ACCEPT, ACCEPT));
        if body.is_some() {
            headers.push((header::CONTENT_TYPE, JSON));
        }
        self.pacer.count_request();
        let is_read = method == Method::GET;
        let request = WireRequest { method, target: target.to_owned(), headers, body };
        let left = Instant::now();
        let mut response = self.transport.send(request).await?;
        let is_wanted = is_read && (200..300).contains(&response.status);
        self.tokens.redact(&mut response, is_wanted);
        self.heed(&response, left);
        Ok(response)
    }

    fn heed(&self, response: &WireResponse, left: Instant) {
        let number = |name| response.header(name).and_then(|text| text.trim().parse().ok());
        self.pacer.learn(left, number("x-ratelimit-limit-minute"), number("x-ratelimit-remaining-minute"));
        if let Some(shown) = dated(response) {
            *self.clock() = Some((shown, Instant::now()));
        }
        match response.status {
            429 => {
                let stated = answer::retry_after(response);
                self.pacer.refused(left, stated);
                let wait = stated.unwrap_or(UNSTATED_WAIT) + MARGIN;
                self.pacer.close_gate(wait);
                self.patience.tell(ClientNote::Throttled { wait });
            }
            401 | 408 | 500.. => {}
            _ => self.patience.note_success(),
        }
    }
}

fn dated(response: &WireResponse) -> Option<Moment> {
    let date = httpdate::parse_http_date(response.header("date")?).ok()?;
    let seconds = date.duration_since(UNIX_EPOCH).ok()?.as_secs();
    Moment::from_epoch_seconds(i64::try_from(seconds).ok()?)
}

/// What a write comes to that had no token to go with.
fn tokenless(error: ApiError) -> Reply {
    match error {
        ApiError::Credentials { words } => {
            Reply::Answer(Answer { status: 401, message: Some(words), documented: true, ..Answer::default() })
        }
        other => Reply::NeverLeft { why: format!("no token: {other}") },
    }
}

/// Why an answer is not what was asked for.
fn refusal(response: &WireResponse, target: &str) -> ApiError {
    let said = answer::answer(response);
    match (said.status, said.location) {
        (301 | 302 | 307 | 308, Some(location)) => ApiError::Moved { location },
        (401, _) => ApiError::Credentials { words: answer::words(response) },
        // A page of a proxy proves nothing about what the service holds or allows.
        (403, _) if said.documented => {
            ApiError::Forbidden { target: path_of(target), words: answer::words(response) }
        }
        (404, _) if said.documented => ApiError::NotFound { target: path_of(target) },
        _ => undocumented(response, target, answer::words(response)),
    }
}

pub(super) fn undocumented(response: &WireResponse, target: &str, why: String) -> ApiError {
    let correlation = response.header("correlation-id").map(str::to_owned);
    ApiError::Undocumented { status: response.status, target: path_of(target), why, correlation }
}

/// Where and how a body cannot be decoded, without the value that the decoder quotes.
fn place_of(fault: &serde_json::Error) -> String {
    let kind = match fault.classify() {
        serde_json::error::Category::Data => "a value of another kind, or a missing one",
        serde_json::error::Category::Eof => "it ends too early",
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => "no JSON",
    };
    format!("{kind} at line {} column {}", fault.line(), fault.column())
}

#[cfg(test)]
pub(super) mod tests;
