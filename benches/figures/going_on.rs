//! An import that is killed when everything is staged: the size of its checkpoint, how soon another goes on, and what is
//! left when all has landed.

use std::time::{Duration, Instant};

use crate::{
    Bench, Outcome,
    export::{Export, Written},
    grouped, mebibytes, median,
    program::{Running, Sandbox, Silent, finish},
    ratio, seconds,
};

const CHECKPOINT: &str = "killed.checkpoint";
/// Bytes of the checkpoint for a byte of input.
const STAGED_GOAL: f64 = 1.6;
/// Bytes of the checkpoint for a call that has landed.
const LANDED_GOAL: f64 = 150.0;
const RESUME_GOAL: Duration = Duration::from_secs(1);

/// Stages, kills, and measures what is wanted.
pub(crate) fn run(bench: &mut Bench, sizes: bool, resume: bool) -> Outcome<()> {
    let file = bench.place.path("killed.csv");
    let written = Export::even(bench.rows, bench.rows / 100).write(&file)?;
    Export::even(1, 1).write(&bench.place.path("one.csv"))?;
    let most = stage_and_kill(bench)?;
    if sizes {
        staged(bench, &written, most)?;
    }
    if resume {
        going_on(bench)?;
    }
    if sizes {
        landed(bench)?;
    }
    bench.place.remove(CHECKPOINT)?;
    Ok(std::fs::remove_file(file)?)
}

/// The most bytes that the checkpoint had meanwhile.
fn stage_and_kill(bench: &Bench) -> Outcome<u64> {
    let mut most = 0;
    first_request(bench, "killed.csv", || {
        most = most.max(bench.place.bytes(CHECKPOINT)?);
        Ok(())
    })?;
    Ok(most)
}

/// From the start of an import to the first bytes of its first request; then it is killed.
fn first_request(
    bench: &Bench,
    file: &str,
    meanwhile: impl FnMut() -> std::io::Result<()>,
) -> Outcome<Duration> {
    let silent = Silent::start()?;
    let arguments =
        ["import", file, "--quiet", "--rate", "0", "--checkpoint", CHECKPOINT, "--api-url", &silent.url];
    let began = Instant::now();
    let mut running = Running::start(&mut bench.place.program(arguments))?;
    let connection = silent.first_request(&mut running, meanwhile)?;
    let took = began.elapsed();
    drop(running);
    drop(connection);
    Ok(took)
}

fn staged(bench: &mut Bench, written: &Written, most: u64) -> Outcome<()> {
    let bytes = bench.place.bytes(CHECKPOINT)?;
    let what = format!("{} calls staged", grouped(bench.rows));
    let times = ratio(bytes, written.bytes);
    bench.table.judged(
        format!("checkpoint with its log, {what}, for {} of input", mebibytes(written.bytes)),
        format!("{times:.2} x ({})", mebibytes(bytes)),
        &format!("<= {STAGED_GOAL} x"),
        times <= STAGED_GOAL,
    );
    let times = ratio(most, written.bytes);
    bench.table.judged(
        "the same, at its largest while staging",
        format!("{times:.2} x ({})", mebibytes(most)),
        &format!("<= {STAGED_GOAL} x"),
        times <= STAGED_GOAL,
    );
    Ok(())
}

fn going_on(bench: &mut Bench) -> Outcome<()> {
    let mut spans = Vec::new();
    for _ in 0..bench.runs {
        spans.push(first_request(bench, "one.csv", || Ok(()))?);
    }
    let longest = spans.iter().max().copied().unwrap_or_default();
    let middle = median(spans);
    bench.table.judged(
        format!(
            "going on with {} calls staged: the first request, median of {}",
            grouped(bench.rows),
            bench.runs
        ),
        seconds(middle),
        "<= 1 s",
        middle <= RESUME_GOAL,
    );
    bench.table.told("the same: the longest", seconds(longest));
    Ok(())
}

fn landed(bench: &mut Bench) -> Outcome<()> {
    let sandbox = Sandbox::start(&bench.place, 0, None)?;
    let arguments = [
        "import",
        "one.csv",
        "--quiet",
        "--json",
        "--rate",
        "0",
        "--checkpoint",
        CHECKPOINT,
        "--api-url",
        &sandbox.url,
    ];
    let imported = finish(&mut bench.place.program(arguments))?;
    let status =
        finish(&mut bench.place.program(["status", "--json", "--checkpoint", CHECKPOINT]))?.json()?;
    let calls = status["calls"]["imported"].as_u64().unwrap_or_default();
    let bytes = status["checkpoint_bytes"].as_u64().ok_or("`status` tells no size")?;
    if calls < bench.rows {
        return Err(format!("only {calls} of {} calls have landed", bench.rows).into());
    }
    let each = ratio(bytes, calls);
    bench.table.judged(
        format!("checkpoint, {} calls landed", grouped(calls)),
        format!("{each:.1} bytes a call"),
        "<= 150",
        each <= LANDED_GOAL,
    );
    let memory = imported.memory.map_or_else(|| "not measured".to_owned(), mebibytes);
    bench.table.told("memory of the import that sent them", memory);
    bench.table.told("time of the import that sent them, packed, nothing to read", seconds(imported.wall));
    Ok(())
}
