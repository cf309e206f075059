//! The checkpoint while calls are delivered: many workers, one file, one commit for all that wait.
//!
//! A task takes every job that waits, runs them in one transaction as one short blocking job, commits, and only then
//! answers. A blocking job and not a thread of its own: under tokio's paused time a runtime that waits for a foreign thread
//! looks idle, and its clock runs ahead.

use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::{
    Checkpoint, CheckpointError, ConversationRow, CustomerRow, Held, NewRequest, QueueStart, QueueState,
    RequestKind, Standing, UnknownRequest, WaitingCall, delivery,
    probe::{CommitMoment, Probe},
    questions, rejections, standing, waiting,
};
use crate::call::Moment;

/// Jobs that may wait before those who bring more have to.
const WAITING: usize = 1024;
/// Jobs in one commit.
const BATCH: usize = 512;
/// How often the others go on before a commit begins with the jobs that are there then: whoever is ready to bring one, or
/// gets the answer for which it waits, brings it in time, and one flush is for all of them. The flush is what takes longest.
const ROUNDS: u32 = 3;
/// Pages of the file that are held in memory meanwhile.
const PAGES: u32 = 2_000;

/// A handle for workers; clones lead to the same file.
#[derive(Debug, Clone)]
pub struct Ledger {
    jobs: mpsc::Sender<Box<dyn Job>>,
}

trait Job: Send + std::fmt::Debug {
    fn run(&mut self, connection: &Connection) -> Result<(), CheckpointError>;
    fn answer(self: Box<Self>, outcome: Result<(), CheckpointError>);
}

struct Pending<T, W> {
    work: Option<W>,
    value: Option<T>,
    reply: oneshot::Sender<Result<T, CheckpointError>>,
}

impl<T, W> std::fmt::Debug for Pending<T, W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pending").finish_non_exhaustive()
    }
}

impl<T, W> Job for Pending<T, W>
where
    T: Send,
    W: FnOnce(&Connection) -> Result<T, CheckpointError> + Send,
{
    fn run(&mut self, connection: &Connection) -> Result<(), CheckpointError> {
        if let Some(work) = self.work.take() {
            self.value = Some(work(connection)?);
        }
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<(), CheckpointError>) {
        let Self { value, reply, .. } = *self;
        // Whoever asked may have been told to stop; what was committed stands all the same.
        drop(reply.send(outcome.and_then(|()| value.ok_or(CheckpointError::Closed))));
    }
}

impl Ledger {
    /// Opens the ledger of `checkpoint`. The task gives the checkpoint back when the last handle is dropped.
    pub fn open(checkpoint: Checkpoint) -> (Self, tokio::task::JoinHandle<Option<Checkpoint>>) {
        // What a few workers touch needs no more, and at commits the database may look through all of its pages.
        checkpoint.hold_pages(PAGES);
        let (jobs, waiting) = mpsc::channel(WAITING);
        (Self { jobs }, tokio::spawn(work_off(checkpoint, waiting)))
    }

    async fn run<T, W>(&self, work: W) -> Result<T, CheckpointError>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> Result<T, CheckpointError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Pending { work: Some(work), value: None, reply };
        self.jobs.send(Box::new(job)).await.map_err(|_| CheckpointError::Closed)?;
        answer.await.map_err(|_| CheckpointError::Closed)?
    }

    /// Queues with a request whose fate is open.
    pub async fn unknown_queues(&self) -> Result<Vec<i64>, CheckpointError> {
        self.run(|c| Ok(delivery::unknown_queues(c)?)).await
    }

    /// Everything that a worker of a queue begins with, its first calls at most `most`.
    pub async fn start(&self, queue: i64, most: u32) -> Result<QueueStart, CheckpointError> {
        self.run(move |c| Ok(waiting::start(c, queue, most)?)).await
    }

    /// With what the next queues behind `after` begin, each with its first calls, at most `each`; so many queues that
    /// about `calls` calls are there, and at least one if any waits.
    pub async fn starts(
        &self,
        after: i64,
        calls: usize,
        each: u32,
    ) -> Result<Vec<QueueStart>, CheckpointError> {
        self.run(move |c| Ok(waiting::starts(c, after, calls, each)?)).await
    }

    /// What is known of a queue.
    pub async fn queue(&self, id: i64) -> Result<QueueState, CheckpointError> {
        self.run(move |c| Ok(delivery::queue(c, id)?)).await
    }

    /// The calls of a queue that wait, in order of time, at most `most`.
    pub async fn waiting_calls(&self, queue: i64, most: u32) -> Result<Vec<WaitingCall>, CheckpointError> {
        self.run(move |c| Ok(waiting::waiting_calls(c, queue, most)?)).await
    }

    /// Customers by their numbers here.
    pub async fn customers(&self, ids: Vec<i64>) -> Result<Vec<CustomerRow>, CheckpointError> {
        self.run(move |c| {
            Ok(ids.into_iter().map(|id| delivery::customer(c, id)).collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Writes an intent.
    pub async fn intend(&self, request: NewRequest) -> Result<i64, CheckpointError> {
        self.run(move |c| Ok(delivery::intend(c, &request)?)).await
    }

    /// An append landed; the customers that it named are confirmed. With `next`, the intent of the queue's next append is
    /// written in the same commit.
    pub async fn appended(
        &self,
        request: i64,
        thread: Option<u64>,
        confirmed: Vec<i64>,
        next: Option<NewRequest>,
    ) -> Result<Option<i64>, CheckpointError> {
        self.run(move |c| {
            delivery::appended(c, request, thread)?;
            delivery::confirm(c, &confirmed)?;
            Ok(next.map(|next| delivery::intend(c, &next)).transpose()?)
        })
        .await
    }

    /// A create landed; the customers that it named are confirmed. None where a merge has made the conversation another
    /// queue's meanwhile.
    pub async fn created(
        &self,
        request: i64,
        helpscout_id: u64,
        threads: u32,
        confirmed: Vec<i64>,
    ) -> Result<Option<ConversationRow>, CheckpointError> {
        self.run(move |c| {
            delivery::confirm(c, &confirmed)?;
            delivery::created(c, request, helpscout_id, threads)
        })
        .await
    }

    /// A customer was made.
    pub async fn customer_made(&self, request: i64, helpscout_id: u64) -> Result<(), CheckpointError> {
        self.run(move |c| delivery::customer_made(c, request, helpscout_id)).await
    }

    /// The answer to a request was lost.
    pub async fn lost(&self, request: i64, why: String) -> Result<(), CheckpointError> {
        self.run(move |c| delivery::lost(c, request, &why, false)).await
    }

    /// The service confirmed a request without saying what it made.
    pub async fn stored_somewhere(&self, request: i64, why: String) -> Result<(), CheckpointError> {
        self.run(move |c| delivery::lost(c, request, &why, true)).await
    }

    /// A request is stored and made `resource`, but does not count as landed yet.
    pub async fn hold(
        &self,
        request: i64,
        resource: u64,
        held: Held,
        why: String,
    ) -> Result<(), CheckpointError> {
        self.run(move |c| delivery::hold(c, request, resource, held, &why)).await
    }

    /// The requests that are held.
    pub async fn held_requests(&self) -> Result<Vec<UnknownRequest>, CheckpointError> {
        self.run(|c| Ok(delivery::held_requests(c)?)).await
    }

    /// The calls that an open request carries, as they were before they were sent.
    pub async fn carried_calls(&self, request: i64) -> Result<Vec<WaitingCall>, CheckpointError> {
        self.run(move |c| Ok(delivery::carried_by(c, request)?)).await
    }

    /// The kinds of request that are proved to do as the documents say, each with the most calls that one was proved with.
    pub async fn proofs(&self) -> Result<Vec<(RequestKind, u32)>, CheckpointError> {
        self.run(|c| Ok(delivery::proofs(c)?)).await
    }

    /// Takes note that a request of `calls` proved what its kind does.
    pub async fn note_proof(&self, kind: RequestKind, calls: u32) -> Result<(), CheckpointError> {
        self.run(move |c| Ok(delivery::note_proof(c, kind, calls)?)).await
    }

    /// A request was not stored (`proved`: that was found out by reading back): its calls wait again.
    pub async fn not_stored(&self, request: i64, proved: bool) -> Result<(), CheckpointError> {
        self.run(move |c| delivery::not_stored(c, request, proved)).await
    }

    /// Calls that wait are refused, each for its reason.
    pub async fn refuse(
        &self,
        run: i64,
        queue: i64,
        at: Moment,
        calls: Vec<(i64, String)>,
    ) -> Result<(), CheckpointError> {
        self.run(move |c| Ok(delivery::refuse(c, run, queue, at, &calls)?)).await
    }

    /// Calls that were refused wait again.
    pub async fn unrefuse(&self, calls: Vec<i64>) -> Result<(), CheckpointError> {
        self.run(move |c| Ok(delivery::unrefuse(c, &calls)?)).await
    }

    /// What was in flight when an earlier run ended may be stored or not; how many requests.
    pub async fn mark_unknown(&self) -> Result<usize, CheckpointError> {
        self.run(|c| Ok(delivery::mark_unknown(c)?)).await
    }

    /// The requests of a queue whose fate is open.
    pub async fn unknown_of_queue(&self, queue: i64) -> Result<Vec<UnknownRequest>, CheckpointError> {
        self.run(move |c| Ok(delivery::unknown_of_queue(c, queue)?)).await
    }

    /// The requests that make a customer whose fate is open.
    pub async fn unknown_of_customer(&self, customer: i64) -> Result<Vec<UnknownRequest>, CheckpointError> {
        self.run(move |c| Ok(delivery::unknown_of_customer(c, customer)?)).await
    }

    /// The queue and row of a conversation of Help Scout.
    pub async fn conversation_of(
        &self,
        helpscout_id: u64,
    ) -> Result<Option<(i64, ConversationRow)>, CheckpointError> {
        self.run(move |c| Ok(delivery::conversation_of(c, helpscout_id)?)).await
    }

    /// The queue of the rows that name a conversation.
    pub async fn queue_of_existing(&self, existing: u64) -> Result<Option<i64>, CheckpointError> {
        self.run(move |c| Ok(delivery::queue_of_existing(c, existing)?)).await
    }

    /// Takes note of a conversation that was there before us.
    pub async fn adopt_conversation(
        &self,
        queue: i64,
        helpscout_id: u64,
        threads: u32,
    ) -> Result<ConversationRow, CheckpointError> {
        self.run(move |c| Ok(delivery::adopt_conversation(c, queue, helpscout_id, threads)?)).await
    }

    /// Writes what is known of a conversation now.
    pub async fn update_conversation(&self, row: ConversationRow) -> Result<(), CheckpointError> {
        self.run(move |c| Ok(delivery::update_conversation(c, &row)?)).await
    }

    /// The calls of `from` that wait join those of `to`; how many.
    pub async fn join_queues(&self, from: i64, to: i64) -> Result<usize, CheckpointError> {
        self.run(move |c| Ok(delivery::join_queues(c, from, to)?)).await
    }

    /// The first call of Help Scout that waits here, by what may be its reference; none where all were sent or are not ours.
    pub async fn first_not_sent(
        &self,
        source_name: String,
        candidates: Vec<Vec<String>>,
    ) -> Result<Option<String>, CheckpointError> {
        self.run(move |c| {
            for each in &candidates {
                if standing::standing(c, &source_name, each)? == Standing::NotSent {
                    return Ok(each.first().cloned());
                }
            }
            Ok(None)
        })
        .await
    }

    /// The conversation that was made last, and when it was asked for by the service's clock.
    pub async fn last_made(&self) -> Result<Option<(u64, Moment)>, CheckpointError> {
        self.run(|c| Ok(delivery::last_made(c)?)).await
    }

    /// Which of these conversations of Help Scout we know.
    pub async fn known_conversations(&self, ids: Vec<u64>) -> Result<Vec<u64>, CheckpointError> {
        self.run(move |c| Ok(delivery::known_conversations(c, &ids)?)).await
    }

    /// Whether a customer of Help Scout is one of ours.
    pub async fn knows_customer(&self, helpscout_id: u64) -> Result<bool, CheckpointError> {
        self.run(move |c| Ok(delivery::knows_customer(c, helpscout_id)?)).await
    }

    /// How many calls wait or are in flight.
    pub async fn open_calls(&self) -> Result<u64, CheckpointError> {
        self.run(|c| Ok(questions::open_calls(c)?)).await
    }

    /// Takes note of a rejection; whether an earlier run made it too.
    pub async fn note_rejection(&self, fingerprint: [u8; 16], run: i64) -> Result<bool, CheckpointError> {
        self.run(move |c| Ok(rejections::note_rejection(c, fingerprint, run)?)).await
    }
}

async fn work_off(checkpoint: Checkpoint, mut waiting: mpsc::Receiver<Box<dyn Job>>) -> Option<Checkpoint> {
    let mut checkpoint = checkpoint;
    let mut jobs = Vec::with_capacity(BATCH);
    while let Some(first) = waiting.recv().await {
        jobs.push(first);
        for _ in 0..ROUNDS {
            tokio::task::yield_now().await;
        }
        while jobs.len() < BATCH
            && let Ok(next) = waiting.try_recv()
        {
            jobs.push(next);
        }
        let batch = std::mem::take(&mut jobs);
        // The job ends in a panic only if the program is at fault; the checkpoint is then closed by being dropped.
        let done = tokio::task::spawn_blocking(move || commit(checkpoint, batch)).await.ok()?;
        checkpoint = done.checkpoint;
        // Here and not in the blocking job: who is answered there might come with the next job in time or not.
        for job in done.batch {
            job.answer(done.outcome.clone().map_err(Arc::unwrap_or_clone));
        }
    }
    Some(checkpoint)
}

/// A batch after its commit; nobody is told yet.
struct Done {
    checkpoint: Checkpoint,
    batch: Vec<Box<dyn Job>>,
    outcome: Result<(), Arc<CheckpointError>>,
}

fn commit(mut checkpoint: Checkpoint, mut batch: Vec<Box<dyn Job>>) -> Done {
    let outcome =
        in_transaction(&checkpoint.connection, &mut checkpoint.probe, &mut batch).map_err(|error| {
            tracing::error!(%error, "the checkpoint could not be written");
            // What failed must not linger: the next commit begins clean.
            if !checkpoint.connection.is_autocommit() {
                drop(checkpoint.connection.execute_batch("ROLLBACK"));
            }
            error
        });
    Done { checkpoint, batch, outcome: outcome.map_err(Arc::new) }
}

fn in_transaction(
    connection: &Connection,
    probe: &mut Probe,
    batch: &mut [Box<dyn Job>],
) -> Result<(), CheckpointError> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    for job in batch {
        job.run(connection)?;
    }
    probe.ask(CommitMoment::Before)?;
    connection.prepare_cached("COMMIT")?.execute([])?;
    probe.ask(CommitMoment::After)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::checkpoint::stage::tests::{call, fresh, load};
    use crate::policy::{IllegalChange, RequestEvent, RequestState};

    pub(crate) fn request(kind: RequestKind, queue: i64, calls: &[i64]) -> NewRequest {
        NewRequest {
            kind,
            run: 1,
            queue: Some(queue),
            conversation: None,
            customer: None,
            calls: calls.to_vec(),
            sent_at: Moment::from_epoch_seconds(1_700_000_000).unwrap(),
            dated: false,
        }
    }

    /// The checkpoint after `request` was sent and its answer was lost.
    pub(crate) async fn lose(checkpoint: Checkpoint, request: NewRequest) -> Checkpoint {
        let (ledger, task) = Ledger::open(checkpoint);
        let id = ledger.intend(request).await.unwrap();
        ledger.lost(id, "reset".into()).await.unwrap();
        drop(ledger);
        task.await.unwrap().unwrap()
    }

    /// A ledger over three calls of one queue, and the queue.
    async fn three() -> (tempfile::TempDir, Ledger, tokio::task::JoinHandle<Option<Checkpoint>>, i64, Vec<i64>)
    {
        let (folder, mut checkpoint) = fresh();
        load(&mut checkpoint, "a.csv", &[call("1", "x"), call("2", "y"), call("3", "z")], None);
        let (ledger, task) = Ledger::open(checkpoint);
        let queue = ledger.starts(0, 1, 1).await.unwrap()[0].queue.id;
        let calls = ledger.waiting_calls(queue, 10).await.unwrap().iter().map(|call| call.id).collect();
        (folder, ledger, task, queue, calls)
    }

    #[tokio::test]
    async fn an_intent_takes_its_calls_out_of_the_queue_and_a_withdrawal_puts_them_back() {
        let (_folder, ledger, _task, queue, calls) = three().await;
        let sent = ledger.intend(request(RequestKind::Create, queue, &calls[..2])).await.unwrap();
        assert_eq!(ledger.waiting_calls(queue, 10).await.unwrap().len(), 1);
        assert_eq!(ledger.open_calls().await.unwrap(), 3);
        ledger.not_stored(sent, false).await.unwrap();
        assert_eq!(ledger.waiting_calls(queue, 10).await.unwrap().len(), 3);
    }

    #[tokio::test]
    async fn what_was_in_flight_when_the_program_ended_is_looked_for_by_the_next_run() {
        let (_folder, ledger, task, queue, calls) = three().await;
        ledger.intend(request(RequestKind::Create, queue, &calls)).await.unwrap();
        drop(ledger);
        let (ledger, _task) = Ledger::open(task.await.unwrap().unwrap());
        assert_eq!(ledger.mark_unknown().await.unwrap(), 1);
        assert_eq!(ledger.unknown_queues().await.unwrap(), [queue]);
        let unknown = ledger.unknown_of_queue(queue).await.unwrap().remove(0);
        assert_eq!(unknown.calls.iter().map(|call| call.id).collect::<Vec<_>>(), calls);
        let made = ledger.created(unknown.id, 77, 3, vec![]).await.unwrap().unwrap();
        assert_eq!((made.helpscout_id, made.part, made.threads), (77, 1, 3));
        assert_eq!(ledger.open_calls().await.unwrap(), 0);
        assert_eq!(ledger.queue(queue).await.unwrap().newest, Some(made));
    }

    #[tokio::test]
    async fn a_request_that_may_be_stored_is_never_given_up_without_proof() {
        let (_folder, ledger, _task, queue, calls) = three().await;
        let sent = ledger.intend(request(RequestKind::Create, queue, &calls)).await.unwrap();
        ledger.lost(sent, "reset".into()).await.unwrap();
        let refused = ledger.not_stored(sent, false).await.unwrap_err();
        let illegal = IllegalChange { from: RequestState::Unknown, event: RequestEvent::Withdrawn };
        assert_eq!(refused.to_string(), illegal.to_string());
        assert_eq!(ledger.open_calls().await.unwrap(), 3, "the failed job left nothing behind");
        ledger.not_stored(sent, true).await.unwrap();
        assert_eq!(ledger.waiting_calls(queue, 10).await.unwrap().len(), 3);
    }

    /// A ledger over three calls whose `at`-th commit, from 0, fails at `moment`.
    async fn failing(at: u32, moment: CommitMoment) -> (tempfile::TempDir, Ledger, i64) {
        let (folder, mut checkpoint) = fresh();
        load(&mut checkpoint, "a.csv", &[call("1", "x"), call("2", "y"), call("3", "z")], None);
        let mut seen = 0;
        checkpoint.set_commit_probe(Box::new(move |asked| {
            let strikes = asked == moment && seen == at;
            seen += u32::from(asked == CommitMoment::After || strikes);
            if strikes { Err(CheckpointError::DiskFull) } else { Ok(()) }
        }));
        let (ledger, _task) = Ledger::open(checkpoint);
        let queue = ledger.starts(0, 1, 1).await.unwrap()[0].queue.id;
        (folder, ledger, queue)
    }

    #[tokio::test]
    async fn a_commit_that_fails_leaves_nothing_behind_and_the_next_goes_on() {
        let (_folder, ledger, queue) = failing(2, CommitMoment::Before).await;
        let calls = ledger.waiting_calls(queue, 10).await.unwrap();
        let failed = ledger.intend(request(RequestKind::Create, queue, &[calls[0].id])).await.unwrap_err();
        assert!(matches!(failed, CheckpointError::DiskFull), "{failed}");
        assert_eq!(ledger.waiting_calls(queue, 10).await.unwrap(), calls);
        ledger.intend(request(RequestKind::Create, queue, &[calls[0].id])).await.unwrap();
        assert_eq!(ledger.waiting_calls(queue, 10).await.unwrap(), calls[1..]);
    }

    #[tokio::test]
    async fn what_is_committed_stays_so_though_nobody_was_told() {
        let (_folder, ledger, queue) = failing(2, CommitMoment::After).await;
        let calls = ledger.waiting_calls(queue, 10).await.unwrap();
        ledger.intend(request(RequestKind::Create, queue, &[calls[0].id])).await.unwrap_err();
        assert_eq!(ledger.waiting_calls(queue, 10).await.unwrap(), calls[1..]);
    }

    #[tokio::test]
    async fn a_disk_that_is_full_fails_the_commit_and_keeps_what_was_there() {
        let (_folder, mut checkpoint) = fresh();
        load(&mut checkpoint, "a.csv", &[call("1", "x"), call("2", "y"), call("3", "z")], None);
        checkpoint.bound_growth(2).unwrap();
        let (ledger, task) = Ledger::open(checkpoint);
        let queue = ledger.starts(0, 1, 1).await.unwrap()[0].queue.id;
        let calls: Vec<i64> =
            ledger.waiting_calls(queue, 10).await.unwrap().iter().map(|call| call.id).collect();
        let sent = ledger.intend(request(RequestKind::Create, queue, &calls[..1])).await.unwrap();
        let failed = ledger.lost(sent, "x".repeat(20_000)).await.unwrap_err();
        assert!(matches!(failed, CheckpointError::DiskFull), "{failed}");
        assert_eq!(ledger.unknown_queues().await.unwrap(), Vec::<i64>::new(), "it is in flight as before");
        drop(ledger);
        let checkpoint = task.await.unwrap().unwrap();
        checkpoint.bound_growth(100).unwrap();
        let (ledger, _task) = Ledger::open(checkpoint);
        ledger.lost(sent, "x".repeat(20_000)).await.unwrap();
        assert_eq!(ledger.unknown_queues().await.unwrap(), [queue]);
    }

    #[tokio::test]
    async fn an_outcome_and_the_next_intent_share_a_commit() {
        let (_folder, ledger, _task, queue, calls) = three().await;
        let conversation = ledger.adopt_conversation(queue, 123, 97).await.unwrap();
        let append = |call: i64| NewRequest {
            conversation: Some(conversation.id),
            ..request(RequestKind::Append, queue, &[call])
        };
        let first = ledger.intend(append(calls[0])).await.unwrap();
        let second = ledger.appended(first, Some(9), vec![], Some(append(calls[1]))).await.unwrap().unwrap();
        assert_eq!(ledger.queue(queue).await.unwrap().newest.unwrap().threads, 98);
        ledger.appended(second, None, vec![], None).await.unwrap();
        assert_eq!(ledger.open_calls().await.unwrap(), 1);
    }

    #[tokio::test]
    async fn refused_calls_are_out_until_they_are_cleared() {
        let (_folder, ledger, _task, queue, calls) = three().await;
        let at = Moment::from_epoch_seconds(0).unwrap();
        ledger.refuse(1, queue, at, vec![(calls[0], "no".into()), (calls[1], "no".into())]).await.unwrap();
        assert_eq!(ledger.open_calls().await.unwrap(), 1);
        ledger.unrefuse(vec![calls[1]]).await.unwrap();
        assert_eq!(ledger.open_calls().await.unwrap(), 2);
    }
}
