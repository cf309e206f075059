//! `callport recover`: a lost checkpoint is rebuilt from the account.

use std::{path::Path, sync::Arc};

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::{
    args::{Common, RecoverOptions},
    exit_code,
    failure::Failure,
    import::run_name,
    listener, remote,
    setup::Setup,
    signals,
    way::Way,
};
use crate::{
    config::Overrides,
    import::{Clock, EventSink, ImportEvent, RecoverJob, Recovered, recover},
    report::counted,
};

/// Runs the command.
pub(super) fn run(common: &Common, options: &RecoverOptions) -> Result<u8, Failure> {
    let overrides = Overrides {
        set: options.set.clone(),
        preset: options.preset.clone(),
        time_zone: options.time_zone.clone(),
        share: options.pace.share.clone(),
        ..Overrides::default()
    };
    let setup = Setup::without_rows(common, &overrides)?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::unexpected)?
        .block_on(work(common, options, &setup))
}

async fn work(common: &Common, options: &RecoverOptions, setup: &Setup) -> Result<u8, Failure> {
    let progress = Arc::new(listener::progress(common));
    let events: Arc<dyn EventSink> = progress.clone();
    let stop = CancellationToken::new();
    let told = Arc::clone(&events);
    signals::listen(stop.clone(), move || told.emit(ImportEvent::Stopping));
    let way = if options.sandbox {
        Way::to_sandbox(common, options.pace.rate, setup).await?
    } else {
        Way::to_account(options.api_url.as_deref(), setup)?
    };
    let path = way.checkpoint.path().to_owned();
    let clock = Clock::starting_at(setup.now);
    let client = remote::client(way.address, way.credentials, setup, options.pace.rate, clock, &events)?;
    let job = RecoverJob {
        delivery: setup.delivery(None),
        lineage: setup.lineage(),
        account: way.account,
        run: run_name(setup.now),
        clock,
    };
    let recovered = recover(job, way.checkpoint, client, events, stop).await;
    progress.finish();
    let recovered = recovered?;
    tell(common, &recovered, &path, &setup.settings.conversation.import_tag)?;
    if let Some(rehearsal) = way.rehearsal {
        rehearsal.end(common, false).await?;
    }
    match recovered.halted {
        Some(error) => Err(error.into()),
        None if recovered.recovery.is_nothing() || !recovered.recovery.twice.is_empty() => {
            Ok(exit_code::INCOMPLETE)
        }
        None => Ok(exit_code::DONE),
    }
}

/// The result of `recover --json`.
#[derive(Serialize)]
struct Document<'a> {
    conversations: u64,
    calls: u64,
    already_known: u64,
    undecided: u64,
    twice: Vec<Twice<'a>>,
    requests: u64,
    rate_units: u64,
    seconds: f64,
    checkpoint: &'a Path,
}

#[derive(Serialize)]
struct Twice<'a> {
    reference: &'a str,
    threads: [u64; 2],
}

fn tell(common: &Common, recovered: &Recovered, checkpoint: &Path, tag: &str) -> Result<(), Failure> {
    let found = &recovered.recovery;
    if common.json {
        return super::print_json(&Document {
            conversations: found.conversations,
            calls: found.calls,
            already_known: found.known,
            undecided: found.open,
            twice: found
                .twice
                .iter()
                .map(|(reference, first, second)| Twice { reference, threads: [*first, *second] })
                .collect(),
            requests: recovered.requests,
            rate_units: recovered.units,
            seconds: recovered.elapsed.as_secs_f64(),
            checkpoint,
        });
    }
    super::print(&text(recovered, checkpoint, tag))
}

fn text(recovered: &Recovered, checkpoint: &Path, tag: &str) -> String {
    let found = &recovered.recovery;
    let mut lines = vec![format!(
        "{} in {} found in Help Scout and noted in `{}` as imported; {} known before",
        counted(found.calls, "call"),
        counted(found.conversations, "conversation"),
        checkpoint.display(),
        counted(found.known, "call"),
    )];
    if found.open > 0 {
        let calls = counted(found.open, "call");
        lines.push(format!("{calls} whose fate was open: the next import looks for what came of it"));
    }
    for (reference, first, second) in &found.twice {
        lines.push(format!("warning: `{reference}` is there twice, as threads {first} and {second}"));
    }
    if recovered.halted.is_some() {
        lines.push(
            "not everything was seen: nothing is imported before `callport recover` has come to its end"
                .to_owned(),
        );
    } else if found.is_nothing() {
        lines.push(format!(
            "no conversation with the tag `{tag}` carries a call: conversation.import_tag and source.name must be those of \
             the import that is looked for"
        ));
    } else {
        lines.push("the next import adds only what is missing".to_owned());
    }
    lines.join("\n") + "\n"
}
