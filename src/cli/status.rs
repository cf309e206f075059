//! `callport status`: what the checkpoint holds.

use super::{args::Common, exit_code, failure::Failure, setup};
use crate::{
    checkpoint::{ReadOnlyCheckpoint, Status},
    report::{counted, grouped},
};

/// Runs the command.
pub(super) fn run(common: &Common) -> Result<u8, Failure> {
    let path = setup::paths(common).checkpoint;
    let status = ReadOnlyCheckpoint::open(&path)?.status()?;
    if common.json {
        super::print_json(&status)?;
    } else {
        super::print(&text(&status))?;
    }
    Ok(exit_code::DONE)
}

/// What was sent, when, and why its fate is open; and what a person can do.
fn undecided(status: &Status) -> Vec<String> {
    if status.undecided.is_empty() && status.undecided_customers.is_empty() {
        return Vec::new();
    }
    let mut lines = vec!["undecided:".to_owned()];
    for call in &status.undecided {
        let place = match (call.conversation, call.beside) {
            (Some(id), _) => format!("conversation {id}"),
            (None, 0) => "a new conversation".to_owned(),
            (None, beside) => format!("a new conversation with {}", counted(beside, "other call")),
        };
        let why = call.why.as_deref().unwrap_or("in flight");
        lines.push(format!(
            "  {} ({}:{}), a call of {}, sent to {place} at {}: {why}",
            call.call, call.file, call.line, call.started_at, call.sent_at
        ));
    }
    for customer in &status.undecided_customers {
        let why = customer.why.as_deref().unwrap_or("in flight");
        let calls = counted(customer.calls, "call");
        lines.push(format!(
            "  {calls}, the first {}, for a customer's profile that was asked for at {}: {why}",
            customer.call, customer.sent_at
        ));
    }
    lines.push(
        "  every later import looks again; a person who has looked in Help Scout can decide: `callport resolve CALL \
         --landed THREAD` or `callport resolve CALL --resend`"
            .to_owned(),
    );
    lines
}

fn text(status: &Status) -> String {
    let mut lines = vec![format!("calls in {}:", counted(status.conversations, "conversation"))];
    for (state, count) in status.calls.iter().filter(|(_, count)| **count > 0) {
        lines.push(format!("  {:>12} {state}", grouped(*count)));
    }
    lines.push("files:".to_owned());
    for file in &status.files {
        let calls: Vec<String> =
            file.calls.iter().map(|(state, count)| format!("{} {state}", grouped(*count))).collect();
        lines.push(format!("  {}: {}", file.file, calls.join(", ")));
    }
    lines.push("runs:".to_owned());
    for run in &status.runs {
        let end = run.finished_at.as_ref().map_or("not ended".to_owned(), |end| format!("ended {end}"));
        let count = |name: &str| run.sheet.as_ref().and_then(|sheet| sheet[name].as_u64()).unwrap_or(0);
        let sheet: Vec<String> = ["imported", "already_imported", "rejected", "undecided", "pending"]
            .iter()
            .filter(|name| count(name) > 0)
            .map(|name| format!(", {} {}", grouped(count(name)), name.replace('_', " ")))
            .collect();
        lines.push(format!("  {} {end}{}", run.run, sheet.concat()));
    }
    lines.extend(undecided(status));
    lines.push(format!("the checkpoint takes {} bytes", grouped(status.checkpoint_bytes)));
    lines.join("\n") + "\n"
}
