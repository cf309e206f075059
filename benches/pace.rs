//! The table of the pace: `cargo bench --bench pace`, an hour of simulated time a line.
//!
//! The whole engine, from the rows to the requests, against the sandbox's router, without a socket. Words on the command
//! line choose lines: `-- 400 sliding neighbour` prints those that have all of them.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "what cannot go on ends, and shows why; the table is the result, on a terminal"
)]

#[allow(dead_code, reason = "the simulation's tests use more of them")]
#[path = "../tests/it/simulation/commits.rs"]
mod commits;
#[allow(dead_code, reason = "the simulation's tests use more of them")]
#[path = "../tests/it/simulation/fate.rs"]
mod fate;
#[allow(dead_code, reason = "the simulation's tests use more of it")]
#[path = "../tests/it/simulation/hour.rs"]
mod hour;
#[allow(dead_code, reason = "the simulation's tests use more of them")]
#[path = "../tests/it/simulation/in_process.rs"]
mod in_process;
#[path = "../tests/it/simulation/job.rs"]
mod job;
#[allow(dead_code, reason = "the simulation's tests use more of them")]
#[path = "../tests/it/simulation/recorder.rs"]
mod recorder;

use hour::{Hour, Neighbour, Used};

const LATENCIES: [(&str, (u64, u64)); 3] =
    [("50 ms", (25, 25)), ("50 ms to 5 s", (25, 2_500)), ("5 s", (2_500, 2_500))];
const LOST: &str = "[[fault]]\non = \"create\"\nevery = 100\ndo = \"drop_after\"";
/// How much later than another of the same moment a request may arrive, in seconds.
const JITTER: f64 = 2.475;

/// One line of the table.
struct Line {
    what: &'static str,
    hour: Hour,
    /// Changes of the limit, or of what a neighbour leaves of it.
    changes: u64,
}

fn lines(base: &Hour) -> Vec<Line> {
    let line = |what, hour, changes| Line { what, hour, changes };
    let base = || base.clone();
    let limit = base().limit;
    let neighbour = Some(Neighbour { from: 20, until: 30, part: 1.0 / 3.0 });
    let changed = |units: u32| -> &'static str {
        format!("[[fault]]\nfrom = \"20m\"\ntimes = 1\ndo = \"set_limit\"\nunits = {units}").leak()
    };
    let timetable = "00:00,0.9 14:40,0.3 15:00,0.9";
    vec![
        line("alone", base(), 0),
        line("alone", Hour { share: "1.0", ..base() }, 0),
        line("a third taken for ten minutes", Hour { neighbour, ..base() }, 2),
        line("a third taken for ten minutes", Hour { neighbour, share: "1.0", ..base() }, 2),
        line("one answer in a hundred lost", Hour { faults: LOST, ..base() }, 0),
        line("limit lowered", Hour { faults: changed((limit / 2).max(150)), ..base() }, 1),
        line("limit doubled", Hour { faults: changed(limit * 2), most: limit * 2, ..base() }, 1),
        line("limit not stated", Hour { is_silent: true, assumed: limit, ..base() }, 0),
        line("timetable", Hour { share: timetable, ..base() }, 0),
    ]
}

fn main() {
    let (flags, words): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with('-'));
    if !flags.iter().any(|flag| flag == "--bench") {
        println!("nothing is measured but by `cargo bench`");
        return;
    }
    println!(
        "| limit | minute | latency | share | what | used alone | used beside | 429 | its 429 | fullest minute | in flight | held |"
    );
    println!("| ---: | --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |");
    let (mut all, mut held) = (0, 0);
    for limit in [200, 400, 800] {
        for is_sliding in [false, true] {
            for (latency_name, latency) in LATENCIES {
                let base = Hour { limit, most: limit, is_sliding, latency, ..Hour::default() };
                for line in lines(&base) {
                    let minute = if is_sliding { "sliding" } else { "fixed" };
                    let share = line.hour.share;
                    let named = format!("{limit} {minute} {latency_name} {share} {}", line.what);
                    if !words.iter().all(|word| named.contains(word.as_str())) {
                        continue;
                    }
                    let used = line.hour.watch();
                    let is_held = is_held(&line, &used);
                    all += 1;
                    held += u32::from(is_held);
                    let beside = used.beside.map(|part| format!("{:.1}%", part * 100.0)).unwrap_or_default();
                    println!(
                        "| {limit} | {minute} | {latency_name} | {share} | {} | {:.1}% | {beside} | {} | {} | {:.1}% | {} | {} |",
                        line.what,
                        used.alone * 100.0,
                        used.throttled,
                        used.neighbour_throttled,
                        used.fullest * 100.0,
                        used.in_flight,
                        if is_held { "yes" } else { "NO" },
                    );
                }
            }
        }
    }
    if all == 0 {
        println!("\nno line has all of these words: {}", words.join(" "));
        std::process::exit(2);
    }
    println!(
        "\n{held} of {all} lines hold: used alone >= 97%, beside >= 90%, at most one 429 a change, no minute over the share;"
    );
    println!(
        "where nothing is left free an uneven way may cost its unevenness, {JITTER} of 60 seconds, and refusals;"
    );
    println!("what is under way when something changes may be refused with the first");
}

/// Whether the promise is kept.
fn is_held(line: &Line, used: &Used) -> bool {
    // A request that is late meets those that left after it: at the service more may come in a minute than left in one.
    let is_bunched = line.hour.share == "1.0" && line.hour.latency.0 != line.hour.latency.1;
    // Nobody knows of a change before an answer tells of it: what is under way then is refused with the first.
    let refused = line.changes * used.in_flight as u64;
    let cost = if is_bunched { JITTER / 60.0 } else { 0.0 };
    used.alone >= 0.97 - cost
        && used.beside.is_none_or(|part| part >= 0.90 - cost)
        && (used.throttled <= refused || is_bunched)
        && used.fullest <= 1.0
}
