//! The sandbox as a transport, without a socket.
//!
//! Every wait is tokio's, so that paused time skips it. How long a request takes is drawn from what it says and how often
//! that was said before, not from the order in which requests come; and no two wake at the same millisecond. So a seed
//! gives one story, although commits run on threads of their own.

use std::{
    collections::{BTreeSet, HashMap, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use callport::{
    checkpoint::CommitMoment,
    helpscout::{Transport, TransportFailure, WireRequest, WireResponse},
    sandbox::{Outcome, Sandbox, SandboxRequest, SandboxResponse},
};
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until, timeout},
};

/// What the sandbox is told of its own address.
pub(super) const HOST: &str = "127.0.0.1:8080";
/// How long the client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// How the way to the service is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    pub(super) seed: u64,
    /// Milliseconds that one way takes at least and at most.
    pub(super) latency: (u64, u64),
    /// How often no connection is made.
    pub(super) unreachable: f64,
    /// Whether what answers tell of the limit, and how long to wait for it, is lost on the way.
    pub(super) is_silent: bool,
}

impl Default for Way {
    fn default() -> Self {
        Self { seed: 0, latency: (20, 120), unreachable: 0.0, is_silent: false }
    }
}

/// When the program ends without a word.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Ending {
    /// Never: it comes to its own end.
    #[default]
    Own,
    /// At this event on the wire: each request has two, before it arrives and before its answer does.
    AtEvent(u64),
    /// After so long.
    After(Duration),
    /// Just before or after this commit of the ledger.
    AtCommit(u64, CommitMoment),
}

/// The wire of one life of the program.
#[derive(Debug)]
pub(super) struct Wire {
    sandbox: Arc<Mutex<Sandbox>>,
    began_ms: i64,
    origin: Instant,
    way: Way,
    ending: Ending,
    events: AtomicU64,
    /// Whether the program has ended: nothing that it still does counts.
    is_over: AtomicBool,
    ended: Notify,
    inner: Mutex<Inner>,
    is_traced: bool,
}

#[derive(Debug, Default)]
struct Inner {
    /// How often the same was said before.
    said: HashMap<u64, u64>,
    /// Milliseconds at which something wakes.
    taken: BTreeSet<u64>,
    /// Requests that left and have not arrived yet.
    under_way: HashMap<u64, SandboxRequest>,
    numbers: u64,
    /// How many requests wait for their answer.
    on_the_wire: usize,
    seen: Seen,
}

impl Inner {
    fn goes_out(&mut self) {
        self.on_the_wire += 1;
        self.seen.most_under_way = self.seen.most_under_way.max(self.on_the_wire);
    }
}

/// What was seen on the wire that the service's own record does not show.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// The millisecond at which each request left, with its units.
    pub(super) left: Vec<(u64, u64)>,
    /// The millisecond at which an answer told of another limit than the one before, with that limit.
    pub(super) limits: Vec<(u64, u64)>,
    /// Requests that carried more threads than one may.
    pub(super) too_large: Vec<String>,
    /// Appends to conversations that were full when they arrived.
    pub(super) into_full: Vec<String>,
    /// The most requests under way at once, there and back.
    pub(super) most_under_way: usize,
}

impl Wire {
    /// A wire whose life begins now, at `began_ms` of the world's time.
    pub(super) fn new(sandbox: Arc<Mutex<Sandbox>>, began_ms: i64, way: Way, ending: Ending) -> Self {
        Self {
            sandbox,
            began_ms,
            origin: Instant::now(),
            way,
            ending,
            events: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
            ended: Notify::new(),
            inner: Mutex::default(),
            is_traced: is_traced(),
        }
    }

    /// Comes back when the program is to end.
    pub(super) async fn ends(&self) {
        match self.ending {
            Ending::Own => std::future::pending().await,
            Ending::AtEvent(_) | Ending::AtCommit(..) => self.ended.notified().await,
            Ending::After(span) => sleep_until(self.origin + span).await,
        }
    }

    /// The world's time.
    pub(super) fn now_ms(&self) -> i64 {
        self.began_ms + i64::try_from(self.origin.elapsed().as_millis()).unwrap()
    }

    /// What had left when the program ended and may still arrive, in the order in which it left.
    pub(super) fn under_way(&self) -> Vec<SandboxRequest> {
        let mut left: Vec<_> = self.inner().under_way.drain().collect();
        left.sort_unstable_by_key(|(number, _)| *number);
        left.into_iter().map(|(_, request)| request).collect()
    }

    /// What was seen so far.
    pub(super) fn seen(&self) -> Seen {
        self.inner().seen.clone()
    }

    /// The program ends here and now.
    pub(super) fn end(&self) {
        self.is_over.store(true, Ordering::SeqCst);
        self.ended.notify_one();
    }

    /// Whether it has ended.
    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_millis()).unwrap()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An event: the program may end here, and then nothing follows.
    async fn event(&self) {
        let count = self.events.fetch_add(1, Ordering::Relaxed) + 1;
        if let Ending::AtEvent(at) = self.ending
            && count >= at
        {
            self.end();
        }
        if self.is_over() {
            std::future::pending::<()>().await;
        }
    }

    /// Chances of this request: its own, whatever else is under way.
    fn chances(&self, request: &WireRequest) -> fastrand::Rng {
        let mut hasher = DefaultHasher::new();
        (self.way.seed, self.began_ms, request.method.as_str(), &request.target, &request.body)
            .hash(&mut hasher);
        let said = hasher.finish();
        let mut inner = self.inner();
        let count = inner.said.entry(said).or_default();
        *count += 1;
        fastrand::Rng::with_seed(said.wrapping_add(*count))
    }

    /// Waits so long, or a little longer: no two wake at the same millisecond.
    pub(super) async fn pause(&self, millis: u64) {
        let until = {
            let mut inner = self.inner();
            let mut at = self.elapsed_ms() + millis;
            while !inner.taken.insert(at) {
                at += 1;
            }
            at
        };
        sleep_until(self.origin + Duration::from_millis(until)).await;
    }

    async fn carry(
        &self,
        request: WireRequest,
        mut chance: fastrand::Rng,
    ) -> Result<WireResponse, TransportFailure> {
        let (least, most) = self.way.latency;
        let (there, back) = (chance.u64(least..=most), chance.u64(least..=most));
        let number = {
            let mut inner = self.inner();
            inner.numbers += 1;
            let number = inner.numbers;
            inner.under_way.insert(number, for_sandbox(&request));
            number
        };
        self.event().await;
        self.pause(there).await;
        let arrived = self.inner().under_way.remove(&number);
        let Some(arrived) = arrived else { return std::future::pending().await };
        let handling = {
            let mut sandbox = self.sandbox.lock().unwrap_or_else(PoisonError::into_inner);
            self.inner().seen.judge(&sandbox, &arrived);
            sandbox.handle(self.now_ms(), &arrived)
        };
        if self.is_traced {
            trace(self.now_ms(), &arrived, &handling.outcome);
        }
        self.event().await;
        self.pause(back + u64::try_from(handling.delay.as_millis()).unwrap()).await;
        match handling.outcome {
            Outcome::Answer(answer) => {
                let answer = if self.way.is_silent { without_limit(answer) } else { answer };
                self.inner().seen.hear(self.elapsed_ms(), &answer);
                Ok(for_client(answer))
            }
            Outcome::Cut { sent } => Err(TransportFailure {
                may_have_arrived: true,
                why: if sent.is_some() { "cut amid the answer" } else { "connection reset" }.to_owned(),
            }),
        }
    }
}

/// Most threads that one request may carry.
const MOST_THREADS: usize = 100;
/// So many threads make a conversation full for appends.
const FULL: usize = 99;

impl Seen {
    fn leaves(&mut self, at: u64, request: &WireRequest) {
        let is_token = request.target.starts_with("/v2/oauth2/");
        let units = if request.method == http::Method::GET { 1 } else { 2 };
        self.left.push((at, if is_token { 0 } else { units }));
    }

    fn hear(&mut self, at: u64, answer: &SandboxResponse) {
        let limit = answer.header("x-ratelimit-limit-minute").and_then(|text| text.parse().ok());
        if let Some(limit) = limit.filter(|limit| self.limits.last().is_none_or(|(_, last)| last != limit)) {
            self.limits.push((at, limit));
        }
    }

    fn judge(&mut self, sandbox: &Sandbox, request: &SandboxRequest) {
        let Some(rest) = request.target.strip_prefix("/v2/conversations") else { return };
        let told = || format!("{} {}", request.method, request.target);
        if request.method == "POST" && rest.is_empty() {
            let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
            if body["threads"].as_array().unwrap().len() > MOST_THREADS {
                self.too_large.push(told());
            }
        }
        let id = rest.strip_prefix('/').and_then(|rest| rest.strip_suffix("/phones"));
        let conversation = id.and_then(|id| sandbox.world().conversation(id.parse().unwrap()));
        if conversation.is_some_and(|one| one.is_live() && one.stored_threads() >= FULL) {
            self.into_full.push(told());
        }
    }
}

/// Carries the requests of one client over a [`Wire`].
#[derive(Debug, Clone)]
pub(super) struct InProcess(pub(super) Arc<Wire>);

impl Transport for InProcess {
    async fn send(&self, request: WireRequest) -> Result<WireResponse, TransportFailure> {
        let wire = &self.0;
        wire.inner().seen.leaves(wire.elapsed_ms(), &request);
        let mut chance = wire.chances(&request);
        if chance.f64() < wire.way.unreachable {
            wire.pause(1 + wire.way.latency.0).await;
            return Err(TransportFailure { may_have_arrived: false, why: "connection refused".to_owned() });
        }
        wire.inner().goes_out();
        let outcome = timeout(PATIENCE, wire.carry(request, chance)).await;
        wire.inner().on_the_wire -= 1;
        outcome
            .unwrap_or_else(|_| Err(TransportFailure { may_have_arrived: true, why: "timed out".to_owned() }))
    }
}

/// Whether every request is to be shown.
pub(super) fn is_traced() -> bool {
    std::env::var_os("CALLPORT_TRACE").is_some()
}

/// Shows a request with the calls that it carries, for whoever looks into a seed.
pub(super) fn trace(now_ms: i64, request: &SandboxRequest, outcome: &Outcome) {
    let body = String::from_utf8_lossy(&request.body);
    let calls: Vec<&str> = body.split('#').skip(1).step_by(2).collect();
    let said = if request.target == "/v2/customers" { body.to_string() } else { calls.join(" ") };
    let came = match outcome {
        Outcome::Answer(answer) => answer.status.to_string(),
        Outcome::Cut { .. } => "cut".to_owned(),
    };
    println!("{now_ms} {} {} {said} -> {came}", request.method, request.target);
}

fn for_sandbox(request: &WireRequest) -> SandboxRequest {
    let mut headers = vec![("Host".to_owned(), HOST.to_owned())];
    for (name, value) in &request.headers {
        headers.push((name.to_string(), value.to_str().unwrap().to_owned()));
    }
    SandboxRequest {
        method: request.method.to_string(),
        target: request.target.clone(),
        headers,
        body: request.body.clone().unwrap_or_default(),
    }
}

fn without_limit(mut answer: SandboxResponse) -> SandboxResponse {
    let tells = |name: &str| {
        name.to_ascii_lowercase().contains("ratelimit") || name.eq_ignore_ascii_case("retry-after")
    };
    answer.headers.retain(|(name, _)| !tells(name));
    answer
}

fn for_client(answer: SandboxResponse) -> WireResponse {
    let mut headers = HeaderMap::new();
    for (name, value) in &answer.headers {
        headers.append(HeaderName::try_from(name).unwrap(), HeaderValue::try_from(value).unwrap());
    }
    WireResponse { status: answer.status, headers, body: answer.body }
}
