//! `callport pull`: what is known of the account, so that everything else can be tried without touching it.

use std::{path::Path, sync::Arc};

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::{
    args::{Common, PullOptions},
    exit_code,
    failure::Failure,
    listener, remote,
    setup::{self, Setup},
    signals,
};
use crate::{
    config::Overrides,
    import::{Clock, EventSink, ImportEvent, PullJob, Pulled, pull},
    report::counted,
};

/// Runs the command.
pub(super) fn run(common: &Common, options: &PullOptions) -> Result<u8, Failure> {
    let overrides =
        Overrides { set: options.set.clone(), share: options.pace.share.clone(), ..Overrides::default() };
    let setup = Setup::without_account(common, &overrides)?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::unexpected)?
        .block_on(work(common, options, &setup))
}

async fn work(common: &Common, options: &PullOptions, setup: &Setup) -> Result<u8, Failure> {
    let output = options.output.clone().unwrap_or_else(|| setup::default_account(&setup.paths));
    let output = setup::writable(&output, "what is known of the account")?;
    let progress = Arc::new(listener::progress(common));
    let events: Arc<dyn EventSink> = progress.clone();
    let stop = CancellationToken::new();
    let told = Arc::clone(&events);
    signals::listen(stop.clone(), move || told.emit(ImportEvent::Stopping));
    let address = remote::address(options.api_url.as_deref())?;
    let credentials = remote::credentials()?;
    let clock = Clock::starting_at(setup.now);
    let client = remote::client(address, credentials, setup, options.pace.rate, clock, &events)?;
    let pulled = pull(PullJob { output: output.clone(), clock }, client, events, stop).await;
    progress.finish();
    tell(common, &output, &pulled?)?;
    Ok(exit_code::DONE)
}

/// The result of `pull --json`.
#[derive(Serialize)]
struct Document<'a> {
    output: &'a Path,
    limit: Option<u32>,
    inboxes: usize,
    users: usize,
    customers: usize,
    requests: u64,
    rate_units: u64,
    seconds: f64,
}

fn tell(common: &Common, output: &Path, pulled: &Pulled) -> Result<(), Failure> {
    if common.json {
        return super::print_json(&Document {
            output,
            limit: pulled.limit,
            inboxes: pulled.inboxes,
            users: pulled.users,
            customers: pulled.customers,
            requests: pulled.requests,
            rate_units: pulled.units,
            seconds: pulled.elapsed.as_secs_f64(),
        });
    }
    super::print(&text(output, pulled))
}

fn text(output: &Path, pulled: &Pulled) -> String {
    let limit = pulled.limit.map(|limit| format!(", {limit} units a minute")).unwrap_or_default();
    let count = |count: usize, noun| counted(count as u64, noun);
    format!(
        "`{}` holds {}, {} and {}{limit} ({})\n",
        output.display(),
        count(pulled.inboxes, "inbox"),
        count(pulled.users, "user"),
        count(pulled.customers, "customer"),
        counted(pulled.requests, "request"),
    )
}
