//! Reading and staging, against what SQLite's own shell takes to load the same file; and the memory of it.

use std::{
    io,
    process::{Command, Stdio},
    time::Duration,
};

use crate::{
    Bench, Outcome,
    export::Export,
    grouped, mebibytes, median,
    program::{Finished, finish},
    ratio, seconds,
};

/// How much longer than SQLite's shell.
const SPEED_GOAL: f64 = 1.5;
/// Rows a second that `check` reads at least.
const ROWS_GOAL: f64 = 100_000.0;
/// How much more memory for many rows than for few.
const GROWTH_GOAL: f64 = 1.2;
const MEMORY_GOAL: u64 = 64 << 20;
const FEW: u64 = 100_000;
const HUGE: u64 = 10_000_000;

/// `check` and `sqlite3 .import` in turn.
pub(crate) fn speed(bench: &mut Bench) -> Outcome<()> {
    let file = bench.place.path("staging.csv");
    let written = Export::even(bench.rows, bench.rows / 100).write(&file)?;
    let what = format!("{} calls ({})", grouped(bench.rows), mebibytes(written.bytes));
    let has_shell = has_shell()?;
    let (mut ours, mut theirs, mut processor) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.runs {
        if has_shell {
            theirs.push(load(bench)?.wall);
        }
        let checked = check(bench, "staging.csv", bench.rows)?;
        ours.push(checked.wall);
        processor.extend(checked.processor.map(Duration::from_secs_f64));
    }
    let our = median(ours);
    bench.table.told(format!("staging {what}: `check`, median of {}", bench.runs), seconds(our));
    bench.table.told("the same: time on processors", seconds(median(processor)));
    judge_rows(bench, "`check`", our);
    let bare = read_bare(bench)?;
    let times = our.as_secs_f64() / bare.as_secs_f64();
    bench.table.told("the same file, read by the `csv` crate alone", seconds(bare));
    bench.table.told("`check`, against the `csv` crate alone", format!("{times:.1} x"));
    by_preset(bench)?;
    if has_shell {
        let their = median(theirs);
        let times = our.as_secs_f64() / their.as_secs_f64();
        bench.table.told("the same: `sqlite3 .import`", seconds(their));
        let goal = format!("<= {SPEED_GOAL} x");
        bench.table.judged(
            "staging, against `sqlite3 .import`",
            format!("{times:.2} x"),
            &goal,
            times <= SPEED_GOAL,
        );
    } else {
        bench.table.told("staging, against `sqlite3 .import`", "`sqlite3` is not installed".to_owned());
    }
    Ok(std::fs::remove_file(file)?)
}

fn judge_rows(bench: &mut Bench, what: &str, wall: Duration) {
    let rows = bench.rows as f64 / wall.as_secs_f64();
    let figure = format!("{rows:.0} rows/s");
    bench.table.judged(format!("rows a second of {what}"), figure, ">= 100,000", rows >= ROWS_GOAL);
}

/// How long the `csv` crate takes to cut the file into cells and look at none.
fn read_bare(bench: &Bench) -> Outcome<Duration> {
    let mut times = Vec::new();
    for _ in 0..bench.runs {
        let began = std::time::Instant::now();
        let mut reader = csv::Reader::from_path(bench.place.path("staging.csv"))?;
        let (mut record, mut cells) = (csv::ByteRecord::new(), 0);
        while reader.read_byte_record(&mut record)? {
            cells += record.len();
        }
        times.push(began.elapsed());
        if cells == 0 {
            return Err("the export is empty".into());
        }
    }
    Ok(median(times))
}

/// The same as another platform would have written it, read by its preset.
fn by_preset(bench: &mut Bench) -> Outcome<()> {
    let file = bench.place.path("platform.csv");
    Export { of_platform: true, ..Export::even(bench.rows, bench.rows / 100) }.write(&file)?;
    let mut times = Vec::new();
    for _ in 0..bench.runs {
        times.push(check(bench, "platform.csv", bench.rows)?.wall);
    }
    judge_rows(bench, "`check` of an Aircall export by its preset", median(times));
    Ok(std::fs::remove_file(file)?)
}

fn has_shell() -> io::Result<bool> {
    let mut version = Command::new("sqlite3");
    match version.arg("-version").stdout(Stdio::null()).stderr(Stdio::null()).status() {
        Ok(status) => Ok(status.success()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn load(bench: &Bench) -> Outcome<Finished> {
    let mut shell = Command::new("sqlite3");
    shell.args(["loaded.db", ".mode csv", ".import staging.csv calls"]);
    bench.place.settle(&mut shell);
    let loaded = finish(&mut shell)?;
    bench.place.remove("loaded.db")?;
    Ok(loaded)
}

fn check(bench: &Bench, file: &str, rows: u64) -> Outcome<Finished> {
    let arguments = ["check", file, "--json", "-q", "--checkpoint", "check.checkpoint"];
    let checked = finish(&mut bench.place.program(arguments))?;
    let calls = checked.json()?["calls"].as_u64();
    if calls == Some(rows) {
        Ok(checked)
    } else {
        Err(format!("{rows} rows were written, but `check` finds {calls:?} calls").into())
    }
}

/// The greatest memory of `check` for few rows and for many.
pub(crate) fn memory(bench: &mut Bench) -> Outcome<()> {
    let mut sizes = vec![FEW, bench.rows];
    if bench.huge {
        sizes.push(HUGE);
    }
    sizes.sort_unstable();
    sizes.dedup();
    let mut peaks = Vec::new();
    for rows in sizes {
        let file = bench.place.path("memory.csv");
        Export::even(rows, rows / 100).write(&file)?;
        let peak = check(bench, "memory.csv", rows)?.memory;
        std::fs::remove_file(file)?;
        let work = format!("memory of `check`, {} rows", grouped(rows));
        let Some(peak) = peak else {
            bench.table.told(work, "not measured".to_owned());
            return Ok(());
        };
        bench.table.judged(work, mebibytes(peak), "< 64 MiB", peak < MEMORY_GOAL);
        peaks.push(peak);
    }
    if let (Some(few), Some(many), true) = (peaks.first(), peaks.last(), peaks.len() > 1) {
        let times = ratio(*many, *few);
        let goal = format!("<= {GROWTH_GOAL} x");
        bench.table.judged(
            "memory, the most rows against the fewest",
            format!("{times:.2} x"),
            &goal,
            times <= GROWTH_GOAL,
        );
    }
    Ok(())
}
