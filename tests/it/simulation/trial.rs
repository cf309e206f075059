//! One world, one checkpoint, and as many lives of the program as it takes.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use callport::{
    call::Moment,
    checkpoint::{Checkpoint, Lineage, ReadOnlyCheckpoint, Status},
    helpscout::{ApiUrl, Client, ClientSettings, Credentials, Pacer, Share},
    import::{
        ConversationSettings, Field, ImportError, ImportJob, Imported, Predicted, RecoverJob, Recovered,
        import, predict, recover, stage,
    },
    sandbox::{FaultScript, RequestKind, Sandbox, SandboxOptions, SandboxRequest, Seed, Tally},
};
use tokio::{
    runtime::{Builder, Runtime},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::{
    commits::{self, Idle},
    fate::{Disk, Doing, Fate, What},
    in_process::{Ending, HOST, InProcess, Seen, Way, Wire, is_traced, trace},
    invariants,
    job::{GIVE_UP, job},
    recorder::Recorder,
    workload::Workload,
};

/// When the first life begins: 2026-09-21.
const BEGIN_MS: i64 = 1_790_000_000_000;
/// More lives than any story takes.
const LIVES: usize = 20;

/// The threads that the conversations of the world hold, by id: all of customer 1001, closed, in inbox 85.
pub(super) const EXISTING: &[(u64, u32)] =
    &[(201, 97), (202, 98), (203, 99), (204, 5), (205, 5), (206, 0), (207, 60)];
/// The customers of the world.
pub(super) const CUSTOMERS: std::ops::Range<u64> = 1001..1021;

/// How a trial is set up.
#[derive(Debug, Clone)]
pub(super) struct Setup {
    pub(super) seed: u64,
    pub(super) faults: String,
    pub(super) way: Way,
    /// Units a minute; 0: no limit.
    pub(super) rate: u32,
    pub(super) share: f64,
    pub(super) workers: Option<usize>,
    pub(super) settle: Duration,
    pub(super) conversation: ConversationSettings,
    pub(super) by_call: bool,
    /// What reading back may show otherwise than sent.
    pub(super) accept: Vec<Field>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            seed: 1,
            faults: String::new(),
            way: Way::default(),
            rate: 0,
            share: 0.8,
            workers: Some(4),
            settle: Duration::from_secs(30),
            conversation: ConversationSettings::default(),
            by_call: false,
            accept: Vec::new(),
        }
    }
}

/// A world with a checkpoint.
#[derive(Debug)]
pub(super) struct Trial {
    pub(super) setup: Setup,
    pub(super) workload: Workload,
    folder: tempfile::TempDir,
    sandbox: Arc<Mutex<Sandbox>>,
    now_ms: i64,
    lives: usize,
    stop_after: Option<(Duration, CancellationToken)>,
    /// Requests that had left when a life ended and arrive later, by when.
    on_their_way: Vec<(i64, SandboxRequest)>,
    /// What people did in any life.
    pub(super) people: Vec<What>,
}

/// How a life ended.
#[derive(Debug)]
pub(super) struct Life {
    /// What the import came to; none where the program ended without a word.
    pub(super) outcome: Option<Result<Imported, ImportError>>,
    pub(super) told: Arc<Recorder>,
    /// What was seen on the wire.
    pub(super) seen: Seen,
    /// Whether its disk was well.
    pub(super) disk_is_well: bool,
    /// How many more calls the checkpoint knows to have landed than before it.
    pub(super) landed_on_disk: u64,
}

impl Life {
    /// The result of a life that came to its end.
    pub(super) fn done(&self) -> &Imported {
        let imported = self.ended();
        assert!(imported.halted.is_none(), "halted: {:?}", imported.halted);
        imported
    }

    /// The result of a life that ended by itself, early or not.
    pub(super) fn ended(&self) -> &Imported {
        self.outcome.as_ref().expect("the program came to an end").as_ref().expect("the import began")
    }

    /// Why it ended before its end.
    pub(super) fn halted(&self) -> &ImportError {
        self.ended().halted.as_ref().expect("it ended early")
    }
}

impl Trial {
    /// A new world.
    pub(super) fn new(setup: Setup, workload: Workload) -> Self {
        let options = SandboxOptions {
            rate: setup.rate,
            seed: Seed::parse(&world()).unwrap(),
            faults: FaultScript::parse(&setup.faults).unwrap(),
            chance_seed: setup.seed,
            ..SandboxOptions::default()
        };
        Self {
            setup,
            workload,
            folder: folder(),
            sandbox: Arc::new(Mutex::new(Sandbox::new(options))),
            now_ms: BEGIN_MS,
            lives: 0,
            stop_after: None,
            on_their_way: Vec::new(),
            people: Vec::new(),
        }
    }

    /// Whether a conversation may have been merged.
    pub(super) fn may_merge(&self) -> bool {
        self.setup.faults.contains("\"merge\"") || self.people.iter().any(|what| what.merges())
    }

    /// Whether a conversation may have been deleted.
    pub(super) fn may_delete(&self) -> bool {
        self.setup.faults.contains("\"delete\"") || self.people.contains(&What::Delete)
    }

    /// Whether threads may be in conversations without the program's doing.
    pub(super) fn may_fill(&self) -> bool {
        let is_filled = self.people.iter().any(|what| matches!(what, What::Fill(_)));
        self.may_merge() || is_filled || self.setup.faults.contains("\"fill\"")
    }

    /// When it is.
    pub(super) fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// The service.
    pub(super) fn sandbox(&self) -> MutexGuard<'_, Sandbox> {
        self.sandbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was asked of the service.
    pub(super) fn tally(&self) -> Tally {
        self.sandbox().tally().clone()
    }

    /// Requests of one kind so far.
    pub(super) fn count(&self, kind: RequestKind) -> u64 {
        self.sandbox().tally().of(kind)
    }

    /// How many threads stand in conversations that nobody deleted.
    pub(super) fn live_threads(&self) -> usize {
        let sandbox = self.sandbox();
        let is_live = |id| sandbox.world().conversation(id).is_some_and(|one| !one.deleted);
        sandbox.accepted_threads().iter().filter(|thread| is_live(thread.conversation)).count()
    }

    /// A person deletes a conversation.
    pub(super) fn delete_conversation(&mut self, id: u64) {
        let request = SandboxRequest {
            method: "DELETE".to_owned(),
            target: format!("/v2/conversations/{id}"),
            headers: vec![("Authorization".to_owned(), "Bearer a-person".to_owned())],
            ..SandboxRequest::default()
        };
        let handling = self.sandbox().handle(self.now_ms, &request);
        assert_eq!(handling.answer().map(|answer| answer.status), Some(204));
    }

    /// The checkpoint is lost.
    pub(super) fn lose_checkpoint(&self) {
        let path = self.checkpoint().display().to_string();
        for ending in ["", "-wal", "-shm", "-journal"] {
            // Only the file itself is there for certain.
            std::fs::remove_file(format!("{path}{ending}")).ok();
        }
    }

    /// Keeps a copy of the checkpoint as it is now.
    pub(super) fn copy_checkpoint(&self) {
        // Opening it folds into the file what a program that ended without a word left beside it.
        drop(Checkpoint::open(&self.checkpoint()).unwrap());
        std::fs::copy(self.checkpoint(), self.folder.path().join("copy")).unwrap();
    }

    /// Puts that copy in the place of the checkpoint.
    pub(super) fn put_copy_back(&self) {
        self.lose_checkpoint();
        std::fs::copy(self.folder.path().join("copy"), self.checkpoint()).unwrap();
    }

    /// Nobody does anything for so long.
    pub(super) fn rest(&mut self, span: Duration) {
        self.now_ms += i64::try_from(span.as_millis()).unwrap();
        self.arrive();
    }

    /// `callport recover`.
    pub(super) fn recover(&mut self) -> Recovered {
        let job = self.job(0);
        self.lives += 1;
        let idle = Arc::new(Idle::default());
        let runtime = runtime(&idle);
        let (recovered, now_ms) = runtime.block_on(async {
            let way = Way { seed: self.setup.way.seed ^ self.setup.seed, ..self.setup.way };
            let wire = Arc::new(Wire::new(Arc::clone(&self.sandbox), self.now_ms, way, Ending::Own));
            let client = self.client(InProcess(Arc::clone(&wire)));
            let job = RecoverJob {
                delivery: job.delivery,
                lineage: Lineage::default(),
                account: None,
                run: format!("recovery-{}", self.lives),
                clock: job.clock,
            };
            let checkpoint = Checkpoint::open(&self.checkpoint()).unwrap();
            let told = Arc::new(Recorder::default());
            let recovered = recover(job, checkpoint, client, told, CancellationToken::new()).await;
            (recovered.unwrap(), wire.now_ms())
        });
        self.now_ms = now_ms;
        recovered
    }

    /// What `check` would say of what lies ahead.
    pub(super) fn predicted(&self) -> Predicted {
        let job = self.job(0);
        let folder = folder();
        let mut scratch = Checkpoint::scratch(&self.checkpoint(), &folder.path().join("scratch")).unwrap();
        let run = scratch.begin_run("check", job.reading.now).unwrap();
        let (heard, stop) = (Recorder::default(), CancellationToken::new());
        stage(&mut scratch, run, &job.reading, &heard, &stop).unwrap();
        predict(&scratch, &job.delivery, Some(1)).unwrap()
    }

    /// What the checkpoint says.
    pub(super) fn status(&self) -> Status {
        ReadOnlyCheckpoint::open(&self.checkpoint()).unwrap().status().unwrap()
    }

    /// One life that comes to its own end, with the invariants looked at.
    pub(super) fn run(&mut self) -> Life {
        self.run_with(Fate::default())
    }

    /// One life of this fate, with the invariants looked at.
    pub(super) fn run_with(&mut self, fate: impl Into<Fate>) -> Life {
        let fate = fate.into();
        let stop = CancellationToken::new();
        self.stop_after = fate.asked_after.map(|span| (span, stop.clone()));
        let life = self.live(fate, stop);
        self.stop_after = None;
        invariants::check(self, &life);
        life
    }

    /// Lives with these endings, then lives that may end by themselves, until one is done.
    pub(super) fn run_through(&mut self, endings: &[Ending]) -> Life {
        for ending in endings {
            self.run_with(*ending);
        }
        loop {
            let life = self.run();
            if life.ended().halted.is_none() {
                return life;
            }
            assert!(self.lives < LIVES, "it never comes to an end: {:?}", life.ended().halted);
        }
    }

    /// One life that is asked to stop after `span`.
    pub(super) fn run_until_asked(&mut self, span: Duration) -> Life {
        let stop = CancellationToken::new();
        self.stop_after = Some((span, stop.clone()));
        let life = self.live(Ending::Own, stop);
        self.stop_after = None;
        life
    }

    /// One life of the program.
    pub(super) fn live(&mut self, fate: impl Into<Fate>, stop: CancellationToken) -> Life {
        let fate = fate.into();
        self.lives += 1;
        self.people.extend(fate.people.iter().map(|doing| doing.what));
        let told = Arc::new(Recorder::default());
        let idle = Arc::new(Idle::default());
        let runtime = runtime(&idle);
        let known_before = self.imported();
        let (outcome, wire) = runtime.block_on(async {
            let way = Way { seed: self.setup.way.seed ^ self.setup.seed, ..self.setup.way };
            let wire = Arc::new(Wire::new(Arc::clone(&self.sandbox), self.now_ms, way, fate.ending));
            let checkpoint = self.open(&fate, &wire, &idle);
            tokio::spawn(people(fate.people.clone(), Arc::clone(&self.sandbox), Arc::clone(&wire)));
            tokio::spawn(arrivals(
                std::mem::take(&mut self.on_their_way),
                Arc::clone(&self.sandbox),
                Arc::clone(&wire),
            ));
            if let Some((span, stop)) = self.stop_after.clone() {
                tokio::spawn(async move {
                    tokio::time::sleep(span).await;
                    stop.cancel();
                });
            }
            let client = self.client(InProcess(Arc::clone(&wire)));
            let outcome = tokio::select! {
                biased;
                () = wire.ends() => None,
                () = tokio::time::sleep(HANGS) => panic!("it hangs: nothing ends it within {HANGS:?}"),
                outcome = import(self.job(fate.clock_ahead), checkpoint, client, Arc::clone(&told) as _, stop) => Some(outcome),
            };
            self.now_ms = wire.now_ms();
            (outcome, wire)
        });
        // Waits for a commit that is under way, which waits for nothing any more.
        idle.set(true);
        drop(runtime);
        self.pass(&wire, fate.rest);
        Life {
            outcome,
            told,
            seen: wire.seen(),
            disk_is_well: matches!(fate.disk, Disk::Well),
            landed_on_disk: self.imported() - known_before,
        }
    }

    /// Calls that the checkpoint knows to have landed.
    fn imported(&self) -> u64 {
        if self.checkpoint().exists() { self.status().calls["imported"] } else { 0 }
    }

    fn open(&self, fate: &Fate, wire: &Arc<Wire>, idle: &Arc<Idle>) -> Checkpoint {
        let mut checkpoint = Checkpoint::open(&self.checkpoint()).unwrap();
        if let Disk::Bounded(pages) = fate.disk {
            checkpoint.bound_growth(pages).unwrap();
        }
        checkpoint.set_commit_probe(commits::probe(fate, Arc::clone(wire), Arc::clone(idle)));
        checkpoint
    }

    /// What is under way when the program ends arrives all the same, sooner or later, or not; then some time passes.
    fn pass(&mut self, wire: &Wire, rest: Duration) {
        let mut chance = fastrand::Rng::with_seed(self.setup.seed ^ self.now_ms.unsigned_abs());
        let settle = i64::try_from(self.setup.settle.as_millis()).unwrap();
        for request in wire.under_way() {
            match chance.u8(..4) {
                0 | 1 => self.on_their_way.push((self.now_ms, request)),
                2 => self.on_their_way.push((self.now_ms + chance.i64(0..settle), request)),
                _ => {}
            }
        }
        self.on_their_way.sort_by_key(|(due, _)| *due);
        self.now_ms += chance.i64(1_000..120_000) + i64::try_from(rest.as_millis()).unwrap();
        self.arrive();
    }

    /// What is due by now arrives.
    fn arrive(&mut self) {
        let mut sandbox = self.sandbox.lock().unwrap_or_else(PoisonError::into_inner);
        let later = self.on_their_way.partition_point(|(due, _)| *due <= self.now_ms);
        for (due, request) in self.on_their_way.drain(..later) {
            traced_arrival(&mut sandbox, due, &request);
        }
        sandbox.advance(self.now_ms);
    }

    fn client(&self, transport: InProcess) -> Client<InProcess> {
        let credentials = Credentials::App { id: "app".into(), secret: "secret".into() };
        let pacer = Pacer::new(self.setup.rate, Share::always(self.setup.share).unwrap(), || 0);
        let settings = ClientSettings {
            api_url: ApiUrl::parse(&format!("http://{HOST}")).unwrap(),
            give_up: GIVE_UP,
            chance_seed: self.setup.seed,
            on_note: None,
        };
        Client::new(transport, credentials, pacer, settings)
    }

    fn job(&self, clock_ahead: i64) -> ImportJob {
        let file = self.folder.path().join("calls.csv");
        self.workload.write(&file);
        let now = Moment::from_epoch_seconds(self.now_ms.div_euclid(1000) + clock_ahead).unwrap();
        let mut job = job(&file, if self.setup.by_call { "call" } else { "customer" }, now);
        job.delivery.conversation.clone_from(&self.setup.conversation);
        job.delivery.settle = self.setup.settle;
        job.delivery.accept.clone_from(&self.setup.accept);
        job.delivery.workers = self.setup.workers;
        job.run = format!("run-{}", self.lives);
        job.chance_seed = self.setup.seed;
        job
    }

    fn checkpoint(&self) -> PathBuf {
        self.folder.path().join("callport.checkpoint")
    }
}

/// People go about their work while the program lives.
async fn people(doings: Vec<Doing>, sandbox: Arc<Mutex<Sandbox>>, wire: Arc<Wire>) {
    let began = Instant::now();
    for doing in doings {
        let after = doing.after.saturating_sub(began.elapsed());
        wire.pause(u64::try_from(after.as_millis()).unwrap()).await;
        let mut sandbox = sandbox.lock().unwrap_or_else(PoisonError::into_inner);
        for act in doing.acts(sandbox.world()) {
            sandbox.by_person(wire.now_ms(), act);
        }
    }
}

/// What left in an earlier life arrives.
async fn arrivals(requests: Vec<(i64, SandboxRequest)>, sandbox: Arc<Mutex<Sandbox>>, wire: Arc<Wire>) {
    for (due, request) in requests {
        wire.pause(u64::try_from(due - wire.now_ms()).unwrap_or(0)).await;
        traced_arrival(&mut sandbox.lock().unwrap_or_else(PoisonError::into_inner), wire.now_ms(), &request);
    }
}

/// A request arrives whose sender is no more.
fn traced_arrival(sandbox: &mut Sandbox, now_ms: i64, request: &SandboxRequest) {
    let handling = sandbox.handle(now_ms, request);
    if is_traced() {
        trace(now_ms, request, &handling.outcome);
    }
}

fn runtime(idle: &Arc<Idle>) -> Runtime {
    let (parks, wakes) = (Arc::clone(idle), Arc::clone(idle));
    Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .on_thread_park(move || parks.set(true))
        .on_thread_unpark(move || wakes.set(false))
        .build()
        .unwrap()
}

/// Longer than any life takes.
const HANGS: Duration = Duration::from_secs(7 * 24 * 3600);

/// In memory where there is such a place: that the disk keeps what it was given is not what is tried here.
fn folder() -> tempfile::TempDir {
    let memory = std::path::Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

/// The world that every trial begins with.
fn world() -> String {
    let customers: Vec<String> =
        CUSTOMERS.map(|id| format!(r#"{{"id":{id},"emails":["known{id}@example.com"]}}"#)).collect();
    let conversations: Vec<String> = EXISTING
        .iter()
        .map(|(id, threads)| {
            format!(
                r#"{{"id":{id},"inbox":85,"customer":1001,"subject":"Old calls","status":"closed",
                "createdAt":"2019-05-01T10:00:00Z","threads":{threads}}}"#
            )
        })
        .collect();
    format!(r#"{{"customers":[{}],"conversations":[{}]}}"#, customers.join(","), conversations.join(","))
}
