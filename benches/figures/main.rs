//! The figures that the design promises, measured on the built program: `cargo bench --bench figures`.
//!
//! Names on the command line choose sections (`cargo bench --bench figures -- staging memory`). What each measures, and
//! the variables that change sizes, are in `benches/README.md`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the figures are the result, on a terminal")]

#[path = "../export.rs"]
mod export;
mod going_on;
mod program;
mod sending;
mod staging;
mod table;

use std::{error::Error, time::Duration};

use program::Place;
use table::Table;

/// What goes wrong ends the bench.
pub(crate) type Outcome<V> = Result<V, Box<dyn Error>>;

const SECTIONS: [&str; 7] = ["staging", "memory", "checkpoint", "resume", "cost", "throughput", "pace"];

/// Everything that a section needs.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) place: Place,
    pub(crate) table: Table,
    /// Calls that are staged.
    pub(crate) rows: u64,
    /// Calls that are sent.
    pub(crate) calls: u64,
    /// How often what takes time is run; the median counts.
    pub(crate) runs: usize,
    /// Whether ten million rows are read, too.
    pub(crate) huge: bool,
}

fn main() -> Outcome<()> {
    let (flags, named): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with('-'));
    if !flags.iter().any(|flag| flag == "--bench") {
        println!("nothing is measured but by `cargo bench`");
        return Ok(());
    }
    if let Some(unknown) = named.iter().find(|name| !SECTIONS.contains(&name.as_str())) {
        return Err(format!("`{unknown}` is no section: name some of {}", SECTIONS.join(", ")).into());
    }
    let by_default = |name: &str| named.is_empty() && (name != "pace" || is_set("CALLPORT_BENCH_PACE"));
    let wanted = |name: &str| named.iter().any(|one| one == name) || by_default(name);
    let mut bench = Bench {
        place: Place::new()?,
        table: Table::default(),
        rows: number("CALLPORT_BENCH_ROWS", 1_000_000)?,
        calls: number("CALLPORT_BENCH_CALLS", 100_000)?,
        runs: usize::try_from(number("CALLPORT_BENCH_RUNS", 3)?)?,
        huge: is_set("CALLPORT_BENCH_HUGE"),
    };
    if wanted("staging") {
        staging::speed(&mut bench)?;
    }
    if wanted("memory") {
        staging::memory(&mut bench)?;
    }
    if wanted("checkpoint") || wanted("resume") {
        going_on::run(&mut bench, wanted("checkpoint"), wanted("resume"))?;
    }
    if wanted("cost") {
        sending::cost(&mut bench)?;
    }
    if wanted("throughput") {
        sending::throughput(&mut bench)?;
    }
    if wanted("pace") {
        sending::pace(&mut bench)?;
    }
    println!("{}\n", machine());
    bench.table.print();
    Ok(())
}

fn is_set(name: &str) -> bool {
    std::env::var(name).is_ok_and(|value| value == "1")
}

fn number(name: &str, default: u64) -> Outcome<u64> {
    let Ok(text) = std::env::var(name) else { return Ok(default) };
    match text.replace('_', "").parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!("{name}: `{text}` is no whole number from 1").into()),
    }
}

fn machine() -> String {
    let cores =
        std::thread::available_parallelism().map_or_else(|_| "?".to_owned(), |count| count.to_string());
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let memory = read("/proc/meminfo").and_then(|text| program::kilobytes(&text, "MemTotal:"));
    let load = read("/proc/loadavg").and_then(|text| text.split(' ').next().map(str::to_owned));
    format!(
        "{} {}, {cores} cores, {} of memory, load at the end {}",
        std::env::consts::OS,
        std::env::consts::ARCH,
        memory.map_or_else(|| "?".to_owned(), mebibytes),
        load.as_deref().unwrap_or("?")
    )
}

/// The middle one.
pub(crate) fn median(values: impl IntoIterator<Item = Duration>) -> Duration {
    let mut values: Vec<Duration> = values.into_iter().collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

pub(crate) fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", ratio(bytes, 1 << 20))
}

pub(crate) fn seconds(span: Duration) -> String {
    format!("{:.3} s", span.as_secs_f64())
}

#[expect(clippy::cast_precision_loss, reason = "a figure for a person")]
pub(crate) fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

/// A count for a person.
pub(crate) fn grouped(count: u64) -> String {
    callport::report::grouped(count)
}
