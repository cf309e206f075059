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
    if !status.undecided.is_empty() {
        lines.push("undecided:".to_owned());
    }
    for call in &status.undecided {
        let conversation =
            call.conversation.map_or("a new conversation".to_owned(), |id| format!("conversation {id}"));
        let why = call.why.as_deref().unwrap_or("in flight");
        lines.push(format!(
            "  {} ({}:{}), sent to {conversation} at {}: {why}",
            call.call, call.file, call.line, call.sent_at
        ));
    }
    lines.push(format!("the checkpoint takes {} bytes", grouped(status.checkpoint_bytes)));
    lines.join("\n") + "\n"
}
