//! The main job, from files to a closed sheet.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    Clock, DeliverySettings, EventSink, ImportError, ImportEvent, KnownAccount, Reading, Sheet, StageCount,
    Staged, WarningCount,
    agents::Agents,
    connect::{Connection, connect},
    deliver::{Delivered, deliver},
    delivery::DeliveryParts,
    door::openers,
    guard::refuse_old_copy,
    late::{self, Told},
    predict::predict,
    stage::stage,
};
use crate::{
    checkpoint::{Checkpoint, CheckpointError, Ledger, SheetCounts},
    helpscout::{Client, Transport},
};

/// What an import is told.
pub struct ImportJob {
    /// What is read and how.
    pub reading: Reading,
    /// How calls are delivered.
    pub delivery: DeliverySettings,
    /// Whether another mapping than the last run's is wanted.
    pub accept_mapping: bool,
    /// The account's name in the checkpoint, where it is not asked of the service.
    pub account: Option<String>,
    /// Whose account the rows were read with the knowledge of.
    pub known: Option<KnownAccount>,
    /// The run's name.
    pub run: String,
    /// When it is.
    pub clock: Clock,
    /// Where chance begins.
    pub chance_seed: u64,
    /// Asked before the first write to an account; nobody is asked where it is left out.
    pub ask: Option<Ask>,
}

/// A person, asked whether to go on. May take as long as it likes.
pub type Ask = Box<dyn FnOnce(&Prospect) -> bool + Send>;

/// What lies ahead when a person is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prospect {
    /// The account as people know it.
    pub account: String,
    /// Whose token it is.
    pub user: String,
    /// Calls to send.
    pub calls: u64,
    /// Conversations to make.
    pub conversations: u64,
    /// Customers to make, at most.
    pub new_customers: u64,
    /// Units of the account's limit.
    pub units: u64,
    /// Units a minute that the account allows, as far as it is known.
    pub limit: Option<u32>,
}

impl std::fmt::Debug for ImportJob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ImportJob")
            .field("run", &self.run)
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

/// How an import ended.
#[derive(Debug)]
pub struct Imported {
    /// The sheet; it closes however the run ended.
    pub sheet: Sheet,
    /// Calls of this and earlier runs whose fate is open, and those that wait for it.
    pub undecided: u64,
    /// Calls of files not read in this run that were refused.
    pub refused_elsewhere: u64,
    /// Why it ended before its end.
    pub halted: Option<ImportError>,
}

/// Imports. An `Err` means that nothing was sent by this run, or that the checkpoint could not be written any more: then
/// there is no sheet, and the next run finds out what was sent.
pub async fn import<T: Transport>(
    job: ImportJob,
    checkpoint: Checkpoint,
    client: Client<T>,
    events: Arc<dyn EventSink>,
    stop: CancellationToken,
) -> Result<Imported, ImportError> {
    let client = client.with_stop(stop.clone());
    checkpoint.check_address(job.account.as_deref().unwrap_or(client.api_url().as_str()))?;
    checkpoint.check_lineage(&job.reading.lineage, job.accept_mapping)?;
    let unread =
        |file: &String| !job.reading.inputs.iter().any(|input| input.name().as_ref() == file.as_str());
    if let Some(file) = checkpoint.to_make_anew(&job.reading.lineage)?.into_iter().find(unread) {
        return Err(ImportError::Setting(format!(
            "calls of `{file}` were staged with the mapping before and are not sent yet: name this file, too, so that \
             they are made anew"
        )));
    }
    checkpoint.begin_anew(&job.reading.lineage)?;
    let run = checkpoint.begin_run(&job.run, job.clock.began())?;
    let (mut job, checkpoint, staged) =
        read_all(job, checkpoint, run, Arc::clone(&events), stop.clone()).await?;
    if staged.forbidden {
        return forbidden(&job, &checkpoint, run, &staged);
    }
    events.emit(ImportEvent::Staged(StageCount {
        rows: staged.rows,
        to_send: checkpoint.open_calls()?,
        already_imported: staged.figures.already_imported + staged.figures.repeats,
        skipped: staged.skipped,
        rejected: staged.rejected,
    }));
    let of_rows = checkpoint.sheet_counts(staged.figures.before)?;
    let carried_over = checkpoint.open_calls()?.saturating_sub(of_rows.pending + of_rows.undecided);
    let before = staged.figures.before;
    let (checkpoint, delivered) =
        send_all(&mut job, checkpoint, client, (run, before), &events, stop).await?;
    let (checkpoint, told) = tell_refused(checkpoint, run, job.reading.source.clone(), events).await?;
    conclude(&job, checkpoint, run, &staged, delivered, told, carried_over)
}

async fn read_all(
    job: ImportJob,
    checkpoint: Checkpoint,
    run: i64,
    events: Arc<dyn EventSink>,
    stop: CancellationToken,
) -> Result<(ImportJob, Checkpoint, Staged), ImportError> {
    let mut checkpoint = checkpoint;
    blocking(move || {
        let staged = stage(&mut checkpoint, run, &job.reading, events.as_ref(), &stop)?;
        Ok((job, checkpoint, staged))
    })
    .await
}

async fn blocking<V: Send + 'static>(
    work: impl FnOnce() -> Result<V, ImportError> + Send + 'static,
) -> Result<V, ImportError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|failure| ImportError::Unexpected(format!("a task of the program failed: {failure}")))?
}

/// Connects, sends all that waits, and gives the checkpoint back. What ends this early is part of what it returns; what
/// forbids the first request takes back what was staged.
async fn send_all<T: Transport>(
    job: &mut ImportJob,
    checkpoint: Checkpoint,
    client: Client<T>,
    (run, before): (i64, i64),
    events: &Arc<dyn EventSink>,
    stop: CancellationToken,
) -> Result<(Checkpoint, Delivered), ImportError> {
    if checkpoint.open_calls()? == 0 {
        return Ok((checkpoint, Delivered::default()));
    }
    let mut checkpoint = checkpoint;
    let met = tokio::select! {
        biased;
        () = stop.cancelled() => Err(ImportError::Stopped),
        met = meet(job, &mut checkpoint, &client) => met,
    };
    let connection = match met {
        Ok(connection) => connection,
        Err(error) if error.is_refusal() => {
            checkpoint.unstage(before)?;
            return Err(error);
        }
        Err(error) => {
            let pace = client.pace();
            let delivered = Delivered {
                requests: pace.requests,
                units: pace.units,
                throttled: pace.throttled,
                halted: Some(error),
                ..Delivered::default()
            };
            return Ok((checkpoint, delivered));
        }
    };
    events.emit(ImportEvent::Connected { account: connection.shown(), user: connection.user.clone() });
    let checkpoint_path = checkpoint.path().to_owned();
    let rules = job.delivery.conversation.plan_rules();
    let (checkpoint, openers) = blocking(move || {
        let openers = openers(&checkpoint, rules)?;
        Ok((checkpoint, openers))
    })
    .await?;
    let (ledger, task) = Ledger::open(checkpoint);
    let (again, queues) = mpsc::unbounded_channel();
    let parts = DeliveryParts {
        client,
        ledger,
        settings: job.delivery.clone(),
        connection,
        checkpoint_path,
        clock: job.clock,
        events: Arc::clone(events),
        stop,
        run,
        again,
        chance_seed: job.chance_seed,
    };
    let delivered = deliver(parts, openers, queues).await;
    let checkpoint = task.await.ok().flatten().ok_or(CheckpointError::Closed)?;
    Ok((checkpoint, delivered?))
}

/// Everything that must hold before the first write: the account is the checkpoint's own, its inboxes are there, and
/// where it is met for the first time a person agrees.
async fn meet<T: Transport>(
    job: &mut ImportJob,
    checkpoint: &mut Checkpoint,
    client: &Client<T>,
) -> Result<Connection, ImportError> {
    let is_empty = checkpoint.has_sent_nothing()?;
    let mut connection =
        connect(client, &job.delivery, job.account.as_deref(), job.known.as_ref(), is_empty).await?;
    for inbox in checkpoint.planned_inboxes()? {
        connection.inbox(&inbox)?;
    }
    // Those that no row has chosen yet, too: a nightly import must not stop in the midst of a year.
    for inbox in &job.delivery.inboxes {
        connection.inbox(inbox)?;
    }
    if let Some(fault) = connection.inboxes.named_twice(&job.delivery.inboxes) {
        return Err(ImportError::Setting(fault));
    }
    let is_known = checkpoint.account()?.is_some();
    if is_known {
        checkpoint.belong_to(&connection.account)?;
    }
    if !is_empty {
        refuse_old_copy(client, &job.delivery, checkpoint).await?;
    }
    connection.agents = Agents::ask(client, checkpoint, job.delivery.rejects_strangers).await?;
    if let Some(ask) = job.ask.take().filter(|_| !is_known) {
        let predicted = predict(checkpoint, &job.delivery, None)?;
        let prospect = Prospect {
            account: connection.shown(),
            user: connection.user.clone(),
            calls: predicted.calls,
            conversations: predicted.conversations,
            new_customers: predicted.customers_new,
            units: predicted.cost.units,
            limit: client.pace().limit,
        };
        if !blocking(move || Ok(ask(&prospect))).await? {
            return Err(ImportError::Declined);
        }
    }
    checkpoint.belong_to(&connection.account)?;
    Ok(connection)
}

async fn tell_refused(
    checkpoint: Checkpoint,
    run: i64,
    source: crate::source::SourceSettings,
    events: Arc<dyn EventSink>,
) -> Result<(Checkpoint, Told), ImportError> {
    blocking(move || {
        checkpoint.clear_late()?;
        checkpoint.collect_refused(run)?;
        let told = late::tell(&mut (&checkpoint, run), &source, events.as_ref())?;
        Ok((checkpoint, told))
    })
    .await
}

/// `--strict` forbids to go on: nothing was staged.
fn forbidden(
    job: &ImportJob,
    checkpoint: &Checkpoint,
    run: i64,
    staged: &Staged,
) -> Result<Imported, ImportError> {
    let rejected = staged.rejected;
    let mut sheet = begin_sheet(job, checkpoint, staged);
    sheet.pending = sheet.rows - sheet.rejected - sheet.skipped - sheet.already_imported;
    sheet.seconds = job.clock.elapsed().as_secs_f64();
    end_run(checkpoint, run, job, &sheet)?;
    let rows = if rejected == 1 { "1 row is".to_owned() } else { format!("{rejected} rows are") };
    Ok(Imported { sheet, undecided: 0, refused_elsewhere: 0, halted: Some(ImportError::Strict(rows)) })
}

fn begin_sheet(job: &ImportJob, checkpoint: &Checkpoint, staged: &Staged) -> Sheet {
    Sheet {
        run: job.run.clone(),
        rows: staged.rows,
        already_imported: staged.figures.already_imported + staged.figures.repeats,
        skipped: staged.skipped,
        rejected: staged.rejected,
        rejected_before: staged.rejected_before,
        changed: staged.figures.changed,
        warnings: staged.warnings.clone(),
        checkpoint: checkpoint.path().to_owned(),
        ..Sheet::default()
    }
}

fn conclude(
    job: &ImportJob,
    mut checkpoint: Checkpoint,
    run: i64,
    staged: &Staged,
    delivered: Delivered,
    told: Told,
    carried_over: u64,
) -> Result<Imported, ImportError> {
    let counts: SheetCounts = checkpoint.sheet_counts(staged.figures.before)?;
    let mut sheet = begin_sheet(job, &checkpoint, staged);
    sheet.imported = counts.imported;
    sheet.rejected += counts.refused;
    sheet.rejected_before += told.known.min(counts.refused);
    sheet.undecided = counts.undecided;
    sheet.pending = counts.pending;
    sheet.carried_over = carried_over;
    sheet.conversations_created = delivered.conversations;
    sheet.threads_created = delivered.threads;
    sheet.customers_created = delivered.customers;
    sheet.requests = delivered.requests;
    sheet.rate_units = delivered.units;
    sheet.throttled = delivered.throttled;
    for reason in delivered.warnings {
        sheet.warnings.push(WarningCount { reason, count: 1, file: String::new(), line: 0 });
    }
    if let Some(reason) = checkpoint.write_back_if_gone()? {
        sheet.warnings.push(WarningCount { reason, count: 1, file: String::new(), line: 0 });
    }
    let undecided = checkpoint.open_calls()?;
    // Who asks to stop when the last call has landed stops nothing.
    let halted = delivered.halted.filter(|error| undecided > 0 || !matches!(error, ImportError::Stopped));
    if halted.is_none()
        && let Err(error) = checkpoint.compact()
    {
        // The work is done; only space is lost, and the next run tries again.
        tracing::warn!(%error, "the checkpoint could not be made smaller");
    }
    sheet.seconds = job.clock.elapsed().as_secs_f64();
    end_run(&checkpoint, run, job, &sheet)?;
    let refused_elsewhere = told.rejected.saturating_sub(counts.refused);
    Ok(Imported { sheet, undecided, refused_elsewhere, halted })
}

fn end_run(checkpoint: &Checkpoint, run: i64, job: &ImportJob, sheet: &Sheet) -> Result<(), ImportError> {
    let sheet = serde_json::to_string(sheet).unwrap_or_default();
    Ok(checkpoint.end_run(run, job.clock.now(), &sheet)?)
}
