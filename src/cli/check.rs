//! `callport check`: everything but sending. With `--online` the account is asked what an import would ask it first.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{
    account_check,
    args::{CheckOptions, Common},
    exit_code,
    failure::Failure,
    listener::Listener,
    preview, remote,
    setup::{self, Setup},
};
use crate::{
    checkpoint::Checkpoint,
    helpscout::{Client, HttpTransport, time_for},
    import::{Clock, EventSink, ImportError, Reading, Staged, Survey, WarningCount, predict, stage, survey},
    report::{CheckResult, PlanFigures, ProblemList, plan_text},
};

/// Runs the command.
pub(super) fn run(common: &Common, options: &CheckOptions) -> Result<u8, Failure> {
    let setup = Setup::new(common, &options.read)?;
    let reading = Reading { sampled: options.show > 0, ..setup.reading(&options.read)? };
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::unexpected)?
        .block_on(work(common, options, setup, reading))
}

/// The rows are staged in a copy of the checkpoint, so that the original may be in use and is not touched.
async fn work(
    common: &Common,
    options: &CheckOptions,
    setup: Setup,
    reading: Reading,
) -> Result<u8, Failure> {
    let listener = Arc::new(Listener::begin(common, setup.rejects.clone(), &reading));
    let stop = CancellationToken::new();
    super::signals::listen(stop.clone(), || {});
    let client = client(options, &setup, &listener)?;
    let folder = tempfile::Builder::new().prefix("callport-").tempdir().map_err(Failure::unexpected)?;
    let mut scratch = Checkpoint::scratch(&setup.paths.checkpoint, &folder.path().join("scratch"))?;
    if let Some(known) = &setup.known_account {
        known.refuse_unless_of_owner(&scratch)?;
    }
    scratch.check_lineage(&setup.lineage(), options.read.accept_mapping)?;
    scratch.begin_anew(&setup.lineage())?;
    let run = scratch.begin_run("check", setup.now)?;
    let (heard, stop_staging) = (Arc::clone(&listener), stop.clone());
    let staging = tokio::task::spawn_blocking(move || -> Result<(Checkpoint, Staged), ImportError> {
        let staged = stage(&mut scratch, run, &reading, heard.as_ref(), &stop_staging)?;
        Ok((scratch, staged))
    });
    let staged = staging.await.map_err(Failure::unexpected)?;
    let (_, problems) = listener.finish(staged.is_ok())?;
    let (scratch, mut staged) = staged?;
    let known = setup.known_account.as_ref();
    let surveyed = match client {
        Some(client) => Some(survey(client, &setup.delivery(None), known, &scratch, stop).await),
        None => None,
    };
    // What was found in the rows is told whatever became of the account.
    let answer = surveyed.as_ref().and_then(|outcome| outcome.as_ref().ok());
    let strangers = answer.into_iter().flat_map(|survey| &survey.warnings);
    staged.warnings.extend(strangers.map(|reason| WarningCount {
        reason: reason.clone(),
        count: 1,
        file: String::new(),
        line: 0,
    }));
    let figures = figures(&setup, options, answer.and_then(|survey| survey.limit), &scratch, &staged)?;
    tell(common, options, &setup, &scratch, &staged, &figures, &problems)?;
    match surveyed {
        Some(outcome) => told_by_account(common, &outcome.map_err(Failure::of_survey)?)?,
        None => account_check::compare(&setup, options.read.account.as_deref(), &scratch)?,
    }
    Ok(if staged.rejected > staged.rejected_before || staged.forbidden {
        exit_code::INCOMPLETE
    } else {
        exit_code::DONE
    })
}

/// The way to the account, where it is asked for: found out before the rows are read.
fn client(
    options: &CheckOptions,
    setup: &Setup,
    listener: &Arc<Listener>,
) -> Result<Option<Client<HttpTransport>>, Failure> {
    if !options.online {
        return Ok(None);
    }
    let address = remote::address(options.api_url.as_deref())?;
    let events: Arc<dyn EventSink> = listener.clone();
    let clock = Clock::starting_at(setup.now);
    remote::client(address, remote::credentials()?, setup, options.read.pace.rate, clock, &events).map(Some)
}

/// Says whom the calls would go to, or why an import would be refused.
fn told_by_account(common: &Common, survey: &Survey) -> Result<(), Failure> {
    if !survey.faults.is_empty() {
        return Err(Failure::usage(survey.faults.join("\n")));
    }
    if !common.quiet {
        super::say(&format!("asked {} as {}: it has what the settings name\n", survey.account, survey.user));
    }
    Ok(())
}

fn figures(
    setup: &Setup,
    options: &CheckOptions,
    told_limit: Option<u32>,
    scratch: &Checkpoint,
    staged: &Staged,
) -> Result<PlanFigures, Failure> {
    let users = setup.account.as_ref().and_then(|account| account.users()).map(<[_]>::len);
    let predicted = predict(scratch, &setup.delivery(None), users)?;
    let limit = told_limit.or_else(|| setup.account.as_ref().and_then(crate::sandbox::Seed::limit));
    let limit = limit.or(options.read.pace.rate).unwrap_or(remote::ASSUMED_RATE);
    let share = setup.share()?;
    let second = setup::second_of_day(setup.zone(), setup.now);
    Ok(PlanFigures {
        rows: staged.rows,
        calls: predicted.calls,
        rejected: staged.rejected,
        skipped: staged.skipped,
        already_imported: staged.figures.already_imported + staged.figures.repeats,
        customers_new: predicted.customers_new,
        customers_known: predicted.customers_known,
        found_by: predicted.found_by,
        conversations: predicted.conversations,
        requests: predicted.cost.requests,
        choice: predicted.choice,
        rate_units: predicted.cost.units,
        limit_per_minute: limit,
        share: share.at(second / 60),
        seconds_at_limit: time_for(predicted.cost.units, limit, &share, second).as_secs_f64(),
    })
}

fn tell(
    common: &Common,
    options: &CheckOptions,
    setup: &Setup,
    scratch: &Checkpoint,
    staged: &Staged,
    figures: &PlanFigures,
    problems: &ProblemList,
) -> Result<(), Failure> {
    if common.json {
        return super::print_json(&CheckResult::new(figures, &staged.warnings, problems));
    }
    let mut text = preview::shown(scratch, options.show, &setup.settings.mapping.source_name)?;
    if !text.is_empty() && figures.calls > u64::from(options.show) {
        text.push_str(&preview::offer(&options.read.files, options.show));
    }
    text.push_str(&problems.text());
    text.push_str(&preview::warnings(&staged.warnings));
    text.push_str(&plan_text(figures));
    super::print(&text)
}
