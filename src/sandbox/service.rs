//! The whole sandbox as a function: a request and the time go in, what becomes of it comes out.
//!
//! A request passes the token, the limit, the faults of the script and then the endpoint, in the order in which the real
//! service's gateway and application see it: 401 and requests for tokens use no units, 429 uses none, and everything
//! behind it does. What it changes is in the journal, if there is one, before it is answered.

use std::path::Path;
use std::time::Duration;

use super::answers::{done, page, plain_refusal, refused, scripted, show_date, throttled, unauthorized};
use super::error::SandboxError;
use super::exchange::{Handling, Outcome, SandboxRequest, SandboxResponse};
use super::fault_script::{Deed, FaultScript, Service, Window};
use super::faults::Faults;
use super::journal::Journal;
use super::json::Json;
use super::limiter::{Limiter, Verdict};
use super::person::PersonAct;
use super::reading::Reading;
use super::route::{Method, RequestKind, Route};
use super::rules::{Problem, Refusal};
use super::seed::Seed;
use super::tally::{AcceptedThread, Tally};
use super::tokens::Tokens;
use super::views::View;
use super::world::{Event, World};
use super::writing::{self, Decision, Setting};

/// How a sandbox is set up.
#[derive(Debug, Clone, Default)]
pub struct SandboxOptions {
    /// Units a minute; 0 for no limit and no headers of one. The seed's own limit is the caller's to pass on.
    pub rate: u32,
    /// The world to start with.
    pub seed: Seed,
    /// Misfortunes and switches.
    pub faults: FaultScript,
    /// Held back before every answer.
    pub latency: Duration,
    /// The seed of tokens, correlation ids, and of the faults' chances unless the script has its own.
    pub chance_seed: u64,
    /// Whether the limit is of the last sixty seconds; a script that names a window wins.
    pub sliding_window: bool,
}

/// A local Help Scout.
#[derive(Debug)]
pub struct Sandbox {
    world: World,
    tokens: Tokens,
    limiter: Limiter,
    faults: Faults,
    service: Service,
    latency: Duration,
    journal: Option<Journal>,
    /// Requests that are to be stored later, by when.
    late: Vec<(i64, SandboxRequest)>,
    tally: Tally,
    chance: fastrand::Rng,
}

/// A request under way.
#[derive(Debug, Clone, Copy)]
struct Call<'r> {
    request: &'r SandboxRequest,
    method: Method,
    route: Option<Route>,
    kind: RequestKind,
    now_ms: i64,
    /// How old the index is that answers it, if older than the service's lag.
    stale: Duration,
    correlation: &'r str,
}

impl Sandbox {
    /// A sandbox whose world ends with it.
    pub fn new(options: SandboxOptions) -> Self {
        let world = options.seed.clone().into_world();
        Self::with_world(options, world, None)
    }

    /// A sandbox whose world is kept in a file. The seed counts only if the file is new.
    pub fn open(options: SandboxOptions, data: &Path) -> Result<Self, SandboxError> {
        let (journal, world) = Journal::open(data, || options.seed.clone().into_world())?;
        Ok(Self::with_world(options, world, Some(journal)))
    }

    fn with_world(options: SandboxOptions, world: World, journal: Option<Journal>) -> Self {
        let FaultScript { seed, service, faults } = options.faults;
        let is_sliding = service.window.map_or(options.sliding_window, |window| window == Window::Sliding);
        Self {
            world,
            tokens: Tokens::new(service.token_lifetime, options.chance_seed),
            limiter: Limiter::new(options.rate, is_sliding),
            faults: Faults::new(faults, seed.unwrap_or(options.chance_seed)),
            service,
            latency: options.latency,
            journal,
            late: Vec::new(),
            tally: Tally::default(),
            chance: fastrand::Rng::with_seed(options.chance_seed ^ 0x5eed),
        }
    }

    /// What the service holds.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// What was asked of it.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Every thread that a request stored, in the order of storing; those of deleted conversations too.
    pub fn accepted_threads(&self) -> Vec<AcceptedThread> {
        let stored = self.world.conversations().flat_map(|conversation| {
            conversation.threads.iter().map(|thread| AcceptedThread {
                thread: thread.id,
                conversation: conversation.id,
                text: thread.text.to_string(),
                imported: thread.imported,
                created: thread.created,
                customer: thread.customer,
            })
        });
        let mut threads: Vec<_> = stored.collect();
        threads.sort_unstable_by_key(|thread| thread.thread);
        threads
    }

    /// Lets time pass without a request: what a script stores late is stored when due.
    pub fn advance(&mut self, now_ms: i64) {
        self.store_due(now_ms);
    }

    /// From now on nothing of the script strikes any more. How the service behaves stays as it is.
    pub fn end_misfortunes(&mut self) {
        self.faults = Faults::new(Vec::new(), 0);
    }

    /// A person does something in Help Scout at `now_ms`, without any request.
    pub fn by_person(&mut self, now_ms: i64, act: PersonAct) {
        self.store_due(now_ms);
        // A journal that cannot be written shows at the next request.
        drop(self.commit(act.events(&self.world, now_ms)));
    }

    /// Handles one request that came at `now_ms`, in milliseconds since 1970.
    pub fn handle(&mut self, now_ms: i64, request: &SandboxRequest) -> Handling {
        self.store_due(now_ms);
        let method = Method::parse(&request.method);
        let route = Route::parse(request.path());
        let kind = route.map_or(RequestKind::Other, |route| route.kind(method, request.query()));
        self.tally.count(method, kind);
        let correlation = self.correlate();
        let stale = Duration::ZERO;
        let call = Call { request, method, route, kind, now_ms, stale, correlation: &correlation };
        let is_api = kind != RequestKind::Token;
        if is_api && !self.tokens.is_good(request.header("authorization"), now_ms) {
            return self.answer(unauthorized(), call);
        }
        let verdict = if is_api { self.limiter.take(method.units(), now_ms) } else { Verdict::Unlimited };
        if let Verdict::Refused { retry_after, .. } = verdict {
            self.tally.throttled += 1;
            let answer = throttled(retry_after, self.service.retry_after_header);
            return self.answer(with_rate(answer, verdict), call);
        }
        if is_api {
            self.tally.use_units(method.units(), now_ms);
        }
        let deeds = self.faults.strike(kind, now_ms);
        let mut handling = self.carry_out(call, verdict, &deeds);
        for deed in deeds {
            if let Deed::Delay(more) = deed {
                handling.delay += more;
            }
        }
        handling
    }

    fn answer(&self, answer: SandboxResponse, call: Call<'_>) -> Handling {
        Handling { delay: self.latency, outcome: Outcome::Answer(dressed(answer, call)) }
    }

    fn cut(&self, sent: Option<bytes::Bytes>) -> Handling {
        Handling { delay: self.latency, outcome: Outcome::Cut { sent } }
    }

    fn correlate(&mut self) -> String {
        let (high, low) = (self.chance.u64(..), self.chance.u64(..));
        let (first, second, third) = (high >> 32, high >> 16 & 0xffff, high & 0xfff);
        let (fourth, fifth) = (low >> 52, low & 0xffff_ffff_ffff);
        format!("{first:08x}-{second:04x}-4{third:03x}-a{fourth:03x}-{fifth:012x}#{}", self.tally.requests)
    }

    /// A request that the limit let through, with what strikes it.
    fn carry_out(&mut self, mut call: Call<'_>, verdict: Verdict, deeds: &[Deed]) -> Handling {
        for deed in deeds {
            self.prepare(call, deed);
            if let Deed::Stale(span) = deed {
                call.stale = call.stale.max(*span);
            }
        }
        for deed in deeds {
            match self.intercept(call, deed) {
                None => {}
                Some(Outcome::Answer(answer)) => {
                    return self.answer(with_rate(answer, verdict), call);
                }
                Some(Outcome::Cut { sent }) => return self.cut(sent),
            }
        }
        let mut answer = if call.kind == RequestKind::Token {
            self.tokens.answer(call.request, call.now_ms)
        } else {
            with_rate(self.perform(call), verdict)
        };
        for deed in deeds {
            match deed {
                Deed::DropAfter => return self.cut(None),
                Deed::HalfAnswer => return self.cut(Some(dressed(answer, call).first_half())),
                Deed::BadGatewayAfter => {
                    return self.answer(with_rate(page(502, "502 Bad Gateway"), verdict), call);
                }
                Deed::OmitResourceId => answer.headers.retain(|(name, _)| {
                    !name.eq_ignore_ascii_case("resource-id") && !name.eq_ignore_ascii_case("location")
                }),
                _ => {}
            }
        }
        self.answer(answer, call)
    }

    /// Faults that change the service before the request is looked at.
    fn prepare(&mut self, call: Call<'_>, deed: &Deed) {
        match deed {
            Deed::Lag(span) => self.service.index_lag = *span,
            Deed::SetLimit(units) => self.limiter.set_limit(*units),
            Deed::ExpireTokens => self.tokens.revoke(call.request.header("authorization")),
            _ => {
                let named = call.route.and_then(Route::conversation);
                if let Some(act) = named.and_then(|id| act_of(deed, id)) {
                    self.by_person(call.now_ms, act);
                }
            }
        }
    }

    /// Faults that keep the request from being carried out now: an answer, or a connection that breaks.
    fn intercept(&mut self, call: Call<'_>, deed: &Deed) -> Option<Outcome> {
        let answer = match deed {
            Deed::DropBefore => return Some(Outcome::Cut { sent: None }),
            Deed::CommitLate(after) => {
                let after_ms = i64::try_from(after.as_millis()).unwrap_or(i64::MAX);
                self.late.push((call.now_ms.saturating_add(after_ms), call.request.clone()));
                return Some(Outcome::Cut { sent: None });
            }
            Deed::Refuse { status, body, body_type, retry_after } => {
                let answer = scripted(*status, body, body_type.as_deref(), call.correlation);
                match retry_after {
                    Some(seconds) => answer
                        .with("X-RateLimit-Retry-After", seconds.to_string())
                        .with("Retry-After", seconds.to_string()),
                    None => answer,
                }
            }
            Deed::RefuseThread { thread, containing, named } => {
                let path = bad_thread(call, *thread, containing.as_deref())?;
                let problem = Problem { path, message: "invalid text".to_owned(), rejected: None };
                let problems = if *named { vec![problem] } else { Vec::new() };
                refused(&Refusal::Invalid(problems), call.correlation)
            }
            Deed::Html => page(200, "Sign in to the network"),
            Deed::Redirect(location) => SandboxResponse::new(302).with("Location", location.clone()),
            Deed::ExpireTokens if call.kind != RequestKind::Token => unauthorized(),
            _ => return None,
        };
        Some(Outcome::Answer(answer))
    }

    /// Stores what was to be stored late and is due.
    fn store_due(&mut self, now_ms: i64) {
        if self.late.is_empty() {
            return;
        }
        let (mut due, later): (Vec<_>, Vec<_>) = self.late.drain(..).partition(|(at, _)| *at <= now_ms);
        self.late = later;
        due.sort_by_key(|(at, _)| *at);
        for (due_ms, request) in due {
            let method = Method::parse(&request.method);
            let route = Route::parse(request.path());
            let kind = route.map_or(RequestKind::Other, |route| route.kind(method, request.query()));
            self.perform(Call {
                request: &request,
                method,
                route,
                kind,
                now_ms: due_ms,
                stale: Duration::ZERO,
                correlation: "late",
            });
        }
    }

    /// The endpoint itself.
    fn perform(&mut self, call: Call<'_>) -> SandboxResponse {
        let Some(route) = call.route else {
            return plain_refusal(404, "not found", call.correlation);
        };
        if call.kind == RequestKind::Other {
            return plain_refusal(405, "method not allowed", call.correlation).with("Allow", route.allowed());
        }
        let base = base(call.request);
        if call.method == Method::Get {
            let reading = Reading {
                view: View { world: &self.world, base: &base, author: self.service.author },
                request: call.request,
                now_ms: call.now_ms,
                lag_ms: i64::try_from(self.service.index_lag.max(call.stale).as_millis()).unwrap_or(i64::MAX),
                shows_company: self.service.company_id,
            };
            return reading.answer(route).unwrap_or_else(|refusal| refused(&refusal, call.correlation));
        }
        if call.request.body.len() > self.service.request_size {
            return plain_refusal(413, "request entity too large", call.correlation);
        }
        if call.method != Method::Delete && !is_json(call.request.header("content-type")) {
            return plain_refusal(415, "unsupported media type: send application/json", call.correlation);
        }
        let decision = match self.decide(route, call) {
            Ok(decision) => decision,
            Err(refusal) => return refused(&refusal, call.correlation),
        };
        let made = decision.made;
        if self.commit(decision.events).is_err() {
            return scripted(500, "", None, call.correlation);
        }
        self.made(call.kind, made, &base)
    }

    fn decide(&self, route: Route, call: Call<'_>) -> Result<Decision, Refusal> {
        let set = Setting { now_ms: call.now_ms, service: &self.service };
        let world = &self.world;
        if call.method == Method::Delete {
            return match route {
                Route::Customer(id) => writing::delete_customer(world, id),
                Route::Conversation(id) => writing::delete_conversation(world, id, set),
                _ => Err(Refusal::NotFound("not found".to_owned())),
            };
        }
        let json = Json::parse(&call.request.body).filter(|json| matches!(json, Json::Object(_)));
        let json = &json.ok_or(Refusal::Unparsable)?;
        match route {
            Route::Customers => writing::create_customer(world, json, set),
            Route::Conversations => writing::create_conversation(world, json, set),
            Route::Append(id, kind) => writing::append_thread(world, id, kind, json, set),
            Route::Tags(id) => writing::put_tags(world, id, json, set),
            Route::Conversation(id) => writing::patch_conversation(world, id, json, set),
            Route::Thread(id, thread) => writing::patch_thread(world, (id, thread), json, set),
            _ => Err(Refusal::NotFound("not found".to_owned())),
        }
    }

    /// Keeps the changes, first in the journal.
    fn commit(&mut self, events: Vec<Event>) -> std::io::Result<()> {
        if let (Some(journal), false) = (&mut self.journal, events.is_empty()) {
            journal.append(&events)?;
        }
        for event in events {
            // Only a script's merge into a conversation that is not there does not fit, and then nothing happens.
            let _fits = self.world.apply(event);
        }
        Ok(())
    }

    fn made(&self, kind: RequestKind, made: Option<u64>, base: &str) -> SandboxResponse {
        let Some(id) = made else { return done(204) };
        let path = match kind {
            RequestKind::Append if !self.service.resource_id => return done(201),
            RequestKind::Append => return done(201).with("Resource-Id", id.to_string()),
            RequestKind::Customer => "customers",
            _ => "conversations",
        };
        done(201).with("Resource-Id", id.to_string()).with("Location", format!("{base}/v2/{path}/{id}"))
    }
}

/// What a person does to the conversation `id`, where that is the deed.
fn act_of(deed: &Deed, id: u64) -> Option<PersonAct> {
    Some(match deed {
        Deed::Merge(into) => PersonAct::Merge { from: id, into: *into },
        Deed::Lock => PersonAct::Lock { id },
        Deed::Delete => PersonAct::Delete { id },
        Deed::Fill(notes) => PersonAct::Fill { id, notes: *notes },
        _ => return None,
    })
}

/// An answer with what every answer carries.
fn dressed(answer: SandboxResponse, call: Call<'_>) -> SandboxResponse {
    answer.with("Date", show_date(call.now_ms)).with("Correlation-Id", call.correlation)
}

/// The place of the thread that a script calls bad, if the request holds it.
fn bad_thread(call: Call<'_>, thread: usize, containing: Option<&str>) -> Option<String> {
    let json = Json::parse(&call.request.body)?;
    let is_bad = |entry: &Json<'_>| {
        let text = entry.get("text").and_then(Json::text).unwrap_or("");
        containing.is_none_or(|part| text.contains(part))
    };
    match (call.kind, json.get("threads")) {
        (RequestKind::Append, _) => is_bad(&json).then(|| "text".to_owned()),
        (RequestKind::Create, Some(Json::Array(threads))) => {
            let index = if containing.is_some() { threads.iter().position(is_bad)? } else { thread };
            (index < threads.len()).then(|| format!("threads[{index}].text"))
        }
        _ => None,
    }
}

/// Scheme and host of links, from the header `Host`.
fn base(request: &SandboxRequest) -> String {
    match request.header("host") {
        Some(host) if !host.is_empty() => format!("http://{host}"),
        _ => "https://api.helpscout.net".to_owned(),
    }
}

fn is_json(kind: Option<&str>) -> bool {
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or("").trim();
    kind.eq_ignore_ascii_case("application/json")
}

fn with_rate(answer: SandboxResponse, verdict: Verdict) -> SandboxResponse {
    let (Verdict::Passed { limit, remaining } | Verdict::Refused { limit, remaining, .. }) = verdict else {
        return answer;
    };
    answer
        .with("X-RateLimit-Limit-Minute", limit.to_string())
        .with("X-RateLimit-Remaining-Minute", remaining.to_string())
}
