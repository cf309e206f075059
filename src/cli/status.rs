//! `callport status`: what the checkpoint holds.

use super::{args::Common, exit_code, failure::Failure, setup};
use crate::{
    checkpoint::{REHEARSAL, ReadOnlyCheckpoint, Status, UndecidedCall},
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
    let (in_flight, open): (Vec<_>, Vec<_>) = status.undecided.iter().partition(|call| call.why.is_none());
    let mut lines = Vec::new();
    if !in_flight.is_empty() {
        lines.push("in flight; where no import runs now, the next one looks for them by itself:".to_owned());
        lines.extend(in_flight.into_iter().map(sent));
    }
    if open.is_empty() && status.undecided_customers.is_empty() {
        return lines;
    }
    lines.push("undecided:".to_owned());
    lines.extend(open.into_iter().map(sent));
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
         --landed THREAD` or `callport resolve CALL --resend`; what was read back otherwise than sent is there: delete it in \
         Help Scout, or accept the difference (account.accept)"
            .to_owned(),
    );
    lines
}

fn sent(call: &UndecidedCall) -> String {
    let beside = match call.beside {
        0 => String::new(),
        beside => format!(" with {}", counted(beside, "other call")),
    };
    let place = call.conversation.map_or("a new conversation".to_owned(), |id| format!("conversation {id}"));
    let why = call.why.as_ref().map_or_else(String::new, |why| format!(": {why}"));
    format!(
        "  {} ({}:{}), a call of {}, sent to {place}{beside} at {}{why}",
        call.call, call.file, call.line, call.started_at, call.sent_at
    )
}

fn text(status: &Status) -> String {
    let mut lines = vec![match status.account.as_deref() {
        None => "no account yet".to_owned(),
        Some(REHEARSAL) => "a rehearsal, in a sandbox".to_owned(),
        Some(account) => format!("account {account}"),
    }];
    lines.push(format!("calls in {}:", counted(status.conversations, "conversation")));
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
