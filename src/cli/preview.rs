//! Calls as they will read in Help Scout.

use crate::{
    call::{REFERENCE_SLOT, Reference},
    checkpoint::{Checkpoint, CheckpointError, PreviewedCall},
    import::WarningCount,
    mapping::plain_text,
    report::counted,
};

/// The first `most` calls that would be sent.
pub(super) fn shown(
    checkpoint: &Checkpoint,
    most: u32,
    source_name: &str,
) -> Result<String, CheckpointError> {
    let mut text = String::new();
    for call in checkpoint.preview(most)? {
        show(&call, source_name, &mut text);
    }
    Ok(text)
}

/// Puts `call` at the end of `text` as it will read.
pub(super) fn show(call: &PreviewedCall, source_name: &str, text: &mut String) {
    let reference = Reference::new(source_name, call.source_id.as_deref(), call.key);
    let body = plain_text(&call.text.replace(REFERENCE_SLOT, reference.as_str()));
    text.push_str("── ");
    text.push_str(&[&call.started_at, " · ", &call.file, ":", &call.line.to_string(), "\n"].concat());
    for line in body.lines() {
        text.push_str("   ");
        text.push_str(line);
        text.push('\n');
    }
    text.push('\n');
}

/// What was left out or changed, each reason once.
pub(super) fn warnings(warnings: &[WarningCount]) -> String {
    let line = |warning: &WarningCount| {
        let times = counted(warning.count, "time");
        match warning.file.as_str() {
            "" => format!("warning: {} ({times})\n", warning.reason),
            file => format!("warning: {} ({times}, first at {file}:{})\n", warning.reason, warning.line),
        }
    };
    warnings.iter().map(line).collect()
}
