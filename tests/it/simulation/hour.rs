//! How evenly an import uses what it is allowed, in simulated time: the whole engine against the sandbox's router.
//!
//! Every call is a conversation of its own, so that each write carries one and there is always another to send. What
//! counts is when requests leave.

use std::{
    fmt::Write as _,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use callport::{
    call::Moment,
    checkpoint::Checkpoint,
    helpscout::{ApiUrl, Client, ClientSettings, Credentials, Pacer, Share},
    import::{ImportJob, Imported, import},
    sandbox::{FaultScript, Sandbox, SandboxOptions, SandboxRequest, Seed},
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    commits::{self, Idle},
    fate::Fate,
    in_process::{Ending, HOST, InProcess, Seen, Way, Wire},
    job::{GIVE_UP, job},
    recorder::Recorder,
};

/// 2026-09-21, 14:13:20 UTC: the clock's minute ends 40 seconds after the beginning.
const BEGIN_MS: i64 = 1_790_000_000_000;
const MINUTE_MS: u64 = 60_000;

/// What the service, the way to it and the account's other users are like.
#[derive(Debug, Clone)]
pub(super) struct Hour {
    /// Units a minute.
    pub(super) limit: u32,
    /// The part to use, or a timetable.
    pub(super) share: &'static str,
    /// Milliseconds of one way, at least and at most.
    pub(super) latency: (u64, u64),
    /// Whether the limit is of the last sixty seconds.
    pub(super) is_sliding: bool,
    /// What goes wrong.
    pub(super) faults: &'static str,
    /// Somebody else at work.
    pub(super) neighbour: Option<Neighbour>,
    /// Whether no answer tells of the limit, nor how long to wait for it.
    pub(super) is_silent: bool,
    /// What is assumed until the service states its limit.
    pub(super) assumed: u32,
    /// How long it is watched.
    pub(super) minutes: u64,
    /// The most that the limit ever is, or is taken for.
    pub(super) most: u32,
    /// How many calls there are; without it more than there is time for.
    pub(super) calls: Option<u64>,
    /// Conversations at the same time at most.
    pub(super) workers: Option<usize>,
}

/// Another client of the account, evenly at work for a while; it takes no notice of anybody.
#[derive(Debug, Clone, Copy)]
pub(super) struct Neighbour {
    /// The minute at which it begins.
    pub(super) from: u64,
    /// The minute at which it ends.
    pub(super) until: u64,
    /// How much of the limit it asks for.
    pub(super) part: f64,
}

impl Default for Hour {
    fn default() -> Self {
        Self {
            limit: 400,
            share: "0.8",
            latency: (100, 100),
            is_sliding: false,
            faults: "",
            neighbour: None,
            is_silent: false,
            assumed: 200,
            most: 400,
            minutes: 60,
            calls: None,
            workers: None,
        }
    }
}

/// How it went.
#[derive(Debug)]
pub(super) struct Used {
    /// Units used of those allowed, where nobody else was at work. The minute after a limit was lowered does not count.
    pub(super) alone: f64,
    /// Units used of those that the share and the neighbour left.
    pub(super) beside: Option<f64>,
    /// Answers with 429.
    pub(super) throttled: u64,
    /// The neighbour's.
    pub(super) neighbour_throttled: u64,
    /// The most units of any sixty seconds, of those allowed in them.
    pub(super) fullest: f64,
    /// Units and the units allowed, minute by minute from the beginning.
    pub(super) minutes: Vec<(u64, f64)>,
    /// Milliseconds from the beginning to the last request.
    pub(super) last_left: u64,
    /// Units in all.
    pub(super) units: u64,
    /// The most requests under way at once.
    pub(super) in_flight: usize,
}

impl Hour {
    /// Watches an import that has more to send than the time allows.
    pub(super) fn watch(&self) -> Used {
        let idle = Arc::new(Idle::default());
        let (parks, wakes) = (Arc::clone(&idle), Arc::clone(&idle));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .on_thread_park(move || parks.set(true))
            .on_thread_unpark(move || wakes.set(false))
            .build()
            .unwrap();
        let (seen, refused, sheet) = runtime.block_on(self.live(&idle));
        idle.set(true);
        drop(runtime);
        self.judge(&seen, refused, &sheet)
    }

    async fn live(&self, idle: &Arc<Idle>) -> (Seen, u64, Imported) {
        let window = if self.is_sliding { "sliding" } else { "fixed" };
        let script = format!("seed = 7\n[service]\nwindow = \"{window}\"\n{}", self.faults);
        let sandbox = Arc::new(Mutex::new(Sandbox::new(SandboxOptions {
            rate: self.limit,
            seed: Seed::parse(r#"{"customers":[{"id":1001,"emails":["jo@example.com"]}]}"#).unwrap(),
            faults: FaultScript::parse(&script).unwrap(),
            chance_seed: 7,
            ..SandboxOptions::default()
        })));
        let way = Way { seed: 7, latency: self.latency, is_silent: self.is_silent, ..Way::default() };
        let wire = Arc::new(Wire::new(Arc::clone(&sandbox), BEGIN_MS, way, Ending::Own));
        let memory = Path::new("/dev/shm");
        let folder =
            if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
        let file = folder.path().join("calls.csv");
        std::fs::write(&file, self.rows()).unwrap();
        let mut checkpoint = Checkpoint::open(&folder.path().join("callport.checkpoint")).unwrap();
        checkpoint.set_commit_probe(commits::probe(&Fate::default(), Arc::clone(&wire), Arc::clone(idle)));
        let local = Arc::clone(&wire);
        let pacer = Pacer::new(self.assumed, Share::parse(self.share).unwrap(), move || {
            minute_of_day(local.now_ms())
        });
        let settings = ClientSettings {
            api_url: ApiUrl::parse(&format!("http://{HOST}")).unwrap(),
            give_up: GIVE_UP,
            chance_seed: 7,
            on_note: None,
        };
        let credentials = Credentials::App { id: "app".into(), secret: "secret".into() };
        let client = Client::new(InProcess(Arc::clone(&wire)), credentials, pacer, settings);
        let stop = CancellationToken::new();
        let span = Duration::from_millis(self.minutes * MINUTE_MS);
        let ends = stop.clone();
        tokio::spawn(async move {
            tokio::time::sleep(span).await;
            ends.cancel();
        });
        let refused = Arc::new(AtomicU64::new(0));
        if let Some(neighbour) = self.neighbour {
            tokio::spawn(neighbour.work(
                self.limit,
                Arc::clone(&sandbox),
                Arc::clone(&wire),
                Arc::clone(&refused),
            ));
        }
        let told = Arc::new(Recorder::default());
        let imported = import(self.job(&file), checkpoint, client, told, stop).await.unwrap();
        (wire.seen(), refused.load(Ordering::Relaxed), imported)
    }

    /// More calls than there is time for.
    fn rows(&self) -> String {
        let mut rows = "id,started_at,duration,direction,customer_id,notes\n".to_owned();
        for number in 0..self.calls.unwrap_or(u64::from(self.most) * self.minutes / 2 + 1000) {
            let began = Moment::from_epoch_seconds(1_600_000_000 + i64::try_from(number).unwrap()).unwrap();
            writeln!(rows, "c{number},{began},{},inbound,1001,about an order", number % 600).unwrap();
        }
        rows
    }

    fn job(&self, file: &Path) -> ImportJob {
        let mut job = job(file, "call", Moment::from_epoch_seconds(BEGIN_MS / 1000).unwrap());
        job.delivery.workers = self.workers;
        job
    }

    /// Units that may be used in the millisecond `at`, of a limit as it was last heard of.
    fn allowed_in(&self, limits: &[(u64, u64)], share: &Share, at: u64) -> f64 {
        let stated = limits.iter().rev().find(|(heard, _)| *heard <= at).map(|(_, limit)| *limit);
        let limit = stated.unwrap_or(u64::from(self.limit)) as f64;
        let part = share.at(minute_of_day(BEGIN_MS + i64::try_from(at).unwrap()));
        let left = self.neighbour.filter(|one| one.is_at_work(at)).map_or(1.0, |one| 1.0 - one.part);
        limit * part.min(left) / MINUTE_MS as f64
    }

    fn judge(&self, seen: &Seen, refused: u64, imported: &Imported) -> Used {
        let share = Share::parse(self.share).unwrap();
        let span = self.minutes * MINUTE_MS;
        let left: Vec<(u64, u64)> = seen.left.iter().copied().filter(|(at, _)| *at < span).collect();
        let mut minutes = vec![(0, 0.0); usize::try_from(self.minutes).unwrap()];
        let (mut alone, mut beside) = ((0, 0.0), (0, 0.0));
        for (at, units) in &left {
            minutes[usize::try_from(at / MINUTE_MS).unwrap()].0 += units;
            if is_filled(&seen.limits, *at) {
                continue;
            }
            let sum = if self.is_beside(*at) { &mut beside } else { &mut alone };
            sum.0 += units;
        }
        // By the tenth of a second: nothing that is allowed changes faster.
        for at in (0..span).step_by(100) {
            let allowed = self.allowed_in(&seen.limits, &share, at) * 100.0;
            minutes[usize::try_from(at / MINUTE_MS).unwrap()].1 += allowed;
            if is_filled(&seen.limits, at) {
                continue;
            }
            let sum = if self.is_beside(at) { &mut beside } else { &mut alone };
            sum.1 += allowed;
        }
        Used {
            alone: alone.0 as f64 / alone.1,
            beside: self.neighbour.map(|_| beside.0 as f64 / beside.1),
            throttled: imported.sheet.throttled,
            neighbour_throttled: refused,
            fullest: self.fullest(&left, &seen.limits, &share),
            minutes,
            last_left: left.last().map_or(0, |(at, _)| *at),
            units: imported.sheet.rate_units,
            in_flight: seen.most_under_way,
        }
    }

    fn is_beside(&self, at: u64) -> bool {
        self.neighbour.is_some_and(|one| one.is_at_work(at))
    }

    /// The fullest sixty seconds. Where the limit or the share changed in them, by what was more.
    fn fullest(&self, left: &[(u64, u64)], limits: &[(u64, u64)], share: &Share) -> f64 {
        let allowed_at = |at: u64| {
            let stated = limits.iter().rev().find(|(heard, _)| *heard <= at).or(limits.first());
            let limit = stated.map_or(u64::from(self.limit), |(_, limit)| *limit);
            limit as f64 * share.at(minute_of_day(BEGIN_MS + i64::try_from(at).unwrap()))
        };
        let (mut first, mut units, mut fullest) = (0, 0, 0.0_f64);
        for (at, more) in left {
            units += more;
            while left[first].0 + MINUTE_MS <= *at {
                units -= left[first].1;
                first += 1;
            }
            let allowed = allowed_at(*at).max(allowed_at(left[first].0));
            fullest = fullest.max(units as f64 / allowed);
        }
        fullest
    }
}

impl Neighbour {
    fn is_at_work(&self, at: u64) -> bool {
        (self.from * MINUTE_MS..self.until * MINUTE_MS).contains(&at)
    }

    async fn work(self, limit: u32, sandbox: Arc<Mutex<Sandbox>>, wire: Arc<Wire>, refused: Arc<AtomicU64>) {
        let began = Instant::now();
        let gap = Duration::from_secs_f64(60.0 / (f64::from(limit) * self.part));
        let mut next = began + Duration::from_millis(self.from * MINUTE_MS);
        let until = began + Duration::from_millis(self.until * MINUTE_MS);
        let request = SandboxRequest {
            method: "GET".to_owned(),
            target: "/v2/users/me".to_owned(),
            headers: vec![("Authorization".to_owned(), "Bearer somebody-else".to_owned())],
            ..SandboxRequest::default()
        };
        while next < until {
            tokio::time::sleep_until(next).await;
            next += gap;
            let handling =
                sandbox.lock().unwrap_or_else(PoisonError::into_inner).handle(wire.now_ms(), &request);
            if handling.answer().is_some_and(|answer| answer.status == 429) {
                refused.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Whether a limit was lowered in the minute before: what was used until then fills it, and nothing may be added.
fn is_filled(limits: &[(u64, u64)], at: u64) -> bool {
    let lowered = limits.windows(2).filter(|pair| pair[1].1 < pair[0].1).map(|pair| pair[1].0);
    lowered.into_iter().any(|heard| (heard..heard + MINUTE_MS).contains(&at))
}

fn minute_of_day(now_ms: i64) -> u32 {
    u32::try_from(now_ms.div_euclid(60_000).rem_euclid(24 * 60)).unwrap()
}
