//! Importing into a sandbox in another process: what it costs, how fast it is, how even.

use std::{path::PathBuf, time::Duration};

use serde_json::{Value, json};

use crate::{
    Bench, Outcome,
    export::{Export, conversation_of},
    grouped, median,
    program::{Finished, Sandbox, finish},
    ratio,
};

/// Over the optimum.
const COST_GOAL: f64 = 0.01;
const PACED_LIMIT: u32 = 1_000;
const PACED_CALLS: u64 = 700;
/// Of the allowed units.
const SHARE_GOAL: f64 = 0.97;

/// Imports `file` into `sandbox` from nothing, and leaves nothing.
fn import(bench: &Bench, file: &str, sandbox: &Sandbox, more: &[&str]) -> Outcome<(Finished, Value)> {
    const CHECKPOINT: &str = "sending.checkpoint";
    let arguments = ["import", file, "--json", "--checkpoint", CHECKPOINT, "--api-url", &sandbox.url];
    let finished = finish(bench.place.program(arguments).args(more))?;
    let sheet = finished.json()?;
    bench.place.remove(CHECKPOINT)?;
    Ok((finished, sheet))
}

fn count(sheet: &Value, name: &str) -> Outcome<u64> {
    sheet[name].as_u64().ok_or_else(|| format!("the sheet has no `{name}`").into())
}

fn is_complete(sheet: &Value, calls: u64) -> Outcome<()> {
    let imported = count(sheet, "imported")?;
    if imported == calls { Ok(()) } else { Err(format!("{imported} of {calls} calls were imported").into()) }
}

/// The units of new conversations and of existing ones, against the fewest possible.
pub(crate) fn cost(bench: &mut Bench) -> Outcome<()> {
    let calls = bench.calls.min(20_000);
    let new = Export { uneven: true, ..Export::even(calls, calls / 40) };
    let written = new.write(&bench.place.path("new.csv"))?;
    let fewest = 2 * written.calls_of.iter().map(|calls| calls.div_ceil(100)).sum::<u64>();
    let (_, sheet) = import(bench, "new.csv", &Sandbox::start(&bench.place, 0, None)?, &["--rate", "0"])?;
    is_complete(&sheet, calls)?;
    compare(bench, &format!("{} calls in new conversations", grouped(calls)), fewest, &sheet)?;

    let (calls, conversations) = (calls.min(2_000), (calls.min(2_000) / 10).max(1));
    let appended = Export { into_existing: true, ..Export::even(calls, conversations) };
    appended.write(&bench.place.path("appended.csv"))?;
    let sandbox = Sandbox::start(&bench.place, 0, Some(&seed(bench, conversations)?))?;
    let (_, sheet) = import(bench, "appended.csv", &sandbox, &["--rate", "0"])?;
    is_complete(&sheet, calls)?;
    let what = format!("{} calls onto {} conversations", grouped(calls), grouped(conversations));
    compare(bench, &what, 2 * calls + conversations, &sheet)
}

fn compare(bench: &mut Bench, what: &str, fewest: u64, sheet: &Value) -> Outcome<()> {
    let units = count(sheet, "rate_units")?;
    let over = ratio(units, fewest) - 1.0;
    bench.table.judged(
        format!("units for {what}: {}, at best {}", grouped(units), grouped(fewest)),
        format!("{:+.2}%", over * 100.0),
        "< +1%",
        over < COST_GOAL,
    );
    Ok(())
}

/// An account with conversations of five threads.
fn seed(bench: &Bench, conversations: u64) -> Outcome<PathBuf> {
    let customers: Vec<Value> = (0..conversations)
        .map(|index| json!({"id": index + 1, "emails": [format!("customer{index}@example.com")]}))
        .collect();
    let conversations: Vec<Value> = (0..conversations)
        .map(|index| {
            json!({
                "id": conversation_of(index), "inbox": 85, "customer": index + 1, "subject": "Earlier calls",
                "status": "closed", "createdAt": "2018-05-01T10:00:00Z", "threads": 5,
            })
        })
        .collect();
    let path = bench.place.path("seed.json");
    let file = std::fs::File::create(&path)?;
    serde_json::to_writer(file, &json!({"customers": customers, "conversations": conversations}))?;
    Ok(path)
}

/// A way of sending.
struct Way {
    name: &'static str,
    file: &'static str,
    more: &'static [&'static str],
    goal: Option<(f64, &'static str)>,
}

const WAYS: [Way; 3] = [
    Way { name: "packed, 100 calls a customer", file: "by100.csv", more: &[], goal: None },
    Way {
        name: "packed, 8 calls a customer",
        file: "by8.csv",
        more: &[],
        goal: Some((50_000.0, ">= 50,000 calls/s")),
    },
    Way {
        name: "one POST a call, 8 calls a customer",
        file: "by8.csv",
        more: &["--set", "conversation.pack=false"],
        goal: Some((10_000.0, ">= 10,000 calls/s")),
    },
];

/// How long one run took.
#[derive(Default)]
struct Spans {
    whole: Vec<Duration>,
    sending: Vec<Duration>,
    processors: Vec<(f64, f64)>,
}

/// Calls a second, with and without the staging.
pub(crate) fn throughput(bench: &mut Bench) -> Outcome<()> {
    for (file, each) in [("by100.csv", 100), ("by8.csv", 8)] {
        Export::even(bench.calls, bench.calls / each).write(&bench.place.path(file))?;
    }
    let mut spans = WAYS.map(|_| Spans::default());
    for _ in 0..bench.runs {
        for (way, spans) in WAYS.iter().zip(&mut spans) {
            measure(bench, way, spans)?;
        }
    }
    for (way, spans) in WAYS.iter().zip(spans) {
        tell(bench, way, spans);
    }
    Ok(())
}

fn measure(bench: &Bench, way: &Way, spans: &mut Spans) -> Outcome<()> {
    let sandbox = Sandbox::start(&bench.place, 0, None)?;
    let more = [&["--rate", "0"], way.more].concat();
    let (finished, sheet) = import(bench, way.file, &sandbox, &more)?;
    is_complete(&sheet, bench.calls)?;
    let whole = Duration::from_secs_f64(sheet["seconds"].as_f64().ok_or("the sheet has no `seconds`")?);
    let connected = finished.connected.ok_or("the import never said that it is connected")?;
    spans.whole.push(whole);
    spans.sending.push(finished.wall.saturating_sub(connected));
    spans.processors.extend(finished.processor.zip(sandbox.processor()));
    Ok(())
}

fn tell(bench: &mut Bench, way: &Way, spans: Spans) {
    let calls = ratio(bench.calls, 1);
    let speed = |span: Duration| calls / span.as_secs_f64();
    let shown = |speed: f64| format!("{speed:.0} calls/s");
    let sending = speed(median(spans.sending));
    let work = format!("sending {} calls: {}, from connected to the end", grouped(bench.calls), way.name);
    match way.goal {
        Some((goal, text)) => bench.table.judged(work, shown(sending), text, sending >= goal),
        None => bench.table.told(work, shown(sending)),
    }
    bench
        .table
        .told("the same with reading and staging: the sheet's `seconds`", shown(speed(median(spans.whole))));
    if let Some((ours, theirs)) = spans.processors.last() {
        let times = format!("{ours:.2} s, {theirs:.2} s");
        bench.table.told("the same: time on processors of the whole import, of the sandbox", times);
    }
}

/// How much of what the account allows is used when all of it may be.
pub(crate) fn pace(bench: &mut Bench) -> Outcome<()> {
    let conversations = PACED_CALLS / 10;
    Export { into_existing: true, ..Export::even(PACED_CALLS, conversations) }
        .write(&bench.place.path("paced.csv"))?;
    let sandbox = Sandbox::start(&bench.place, PACED_LIMIT, Some(&seed(bench, conversations)?))?;
    let (_, sheet) =
        import(bench, "paced.csv", &sandbox, &["--share", "1.0", "--set", "conversation.pack=false"])?;
    is_complete(&sheet, PACED_CALLS)?;
    let units = count(&sheet, "rate_units")?;
    let minutes = sheet["seconds"].as_f64().ok_or("the sheet has no `seconds`")? / 60.0;
    let share = ratio(units, 1) / (minutes * f64::from(PACED_LIMIT));
    bench.table.judged(
        format!("{units} units at {PACED_LIMIT} a minute in {:.1} s: share of the allowed", minutes * 60.0),
        format!("{:.1}%", share * 100.0),
        ">= 97%",
        share >= SHARE_GOAL,
    );
    let throttled = count(&sheet, "throttled")?;
    bench.table.judged("the same: answers with 429", throttled.to_string(), "<= 1", throttled <= 1);
    Ok(())
}
