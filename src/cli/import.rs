//! `callport import`: the main job.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{
    args::{Common, ImportOptions},
    exit_code,
    failure::Failure,
    listener::Listener,
    question, remote,
    setup::{Setup, second_of_day},
    signals,
    way::Way,
};
use crate::{
    call::Moment,
    import::{Ask, Clock, EventSink, ImportError, ImportEvent, ImportJob, Imported, Reading, import},
    report::summary,
};

/// Runs the command.
pub(super) fn run(common: &Common, options: ImportOptions) -> Result<u8, Failure> {
    let setup = Setup::new(common, &options.read)?;
    let reading = setup.reading(&options.read)?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::unexpected)?
        .block_on(work(common, options, setup, reading))
}

async fn work(
    common: &Common,
    options: ImportOptions,
    setup: Setup,
    reading: Reading,
) -> Result<u8, Failure> {
    let listener = Arc::new(Listener::begin(common, setup.rejects.clone(), &reading));
    let events: Arc<dyn EventSink> = listener.clone();
    let stop = CancellationToken::new();
    let told = Arc::clone(&events);
    signals::listen(stop.clone(), move || told.emit(ImportEvent::Stopping));
    let way = if options.sandbox {
        Way::to_sandbox(common, options.read.pace.rate, &setup).await?
    } else {
        Way::to_account(options.api_url.as_deref(), &setup)?
    };
    let clock = Clock::starting_at(setup.now);
    let client =
        remote::client(way.address, way.credentials, &setup, options.read.pace.rate, clock, &events)?;
    let job = job(&options, &setup, reading, clock, way.account)?;
    let outcome = import(job, way.checkpoint, client, events, stop.clone()).await;
    let finished = listener.finish(outcome.is_ok());
    let mut imported = outcome?;
    // What was imported is told even where the rejected rows could not be written.
    let failed = match finished {
        Ok((rejects_file, _)) => {
            imported.sheet.rejects_file = rejects_file;
            None
        }
        Err(failure) => Some(failure),
    };
    tell(common, &imported)?;
    if let Some(rehearsal) = way.rehearsal {
        rehearsal.end(common, options.view && !stop.is_cancelled()).await?;
    }
    let code = conclude(imported)?;
    failed.map_or(Ok(code), Err)
}

fn job(
    options: &ImportOptions,
    setup: &Setup,
    reading: Reading,
    clock: Clock,
    account: Option<String>,
) -> Result<ImportJob, Failure> {
    let (share, second) = (setup.share()?, second_of_day(setup.zone(), setup.now));
    let ask: Option<Ask> = (!options.yes && account.is_none())
        .then(|| Box::new(move |prospect: &_| question::ask(prospect, &share, second)) as Ask);
    Ok(ImportJob {
        reading,
        delivery: setup.delivery(options.workers),
        accept_mapping: options.read.accept_mapping,
        account,
        known: setup.known_account.clone(),
        run: run_name(setup.now),
        clock,
        chance_seed: remote::chance_seed(),
        ask,
    })
}

/// The time and four hexadecimal digits.
pub(super) fn run_name(now: Moment) -> String {
    format!("{now}-{:04x}", remote::chance_seed() & 0xffff)
}

fn tell(common: &Common, imported: &Imported) -> Result<(), Failure> {
    if common.json {
        return super::print_json(&imported.sheet);
    }
    super::print(&summary(&imported.sheet))
}

fn conclude(imported: Imported) -> Result<u8, Failure> {
    let sheet = imported.sheet;
    let rejected = sheet.rejected > sheet.rejected_before || imported.refused_elsewhere > 0;
    // Where calls had gone out before the contradiction was met, "nothing was sent" would be untrue.
    let has_sent = sheet.threads_created + sheet.customers_created + sheet.undecided > 0;
    match imported.halted {
        Some(error @ ImportError::Contradicted(_)) if has_sent => Err(Failure::from(error).stopped()),
        Some(error) => Err(error.into()),
        None if rejected || imported.undecided > 0 => Ok(exit_code::INCOMPLETE),
        None => Ok(exit_code::DONE),
    }
}
