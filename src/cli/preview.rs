//! Calls as they will read in Help Scout.

use crate::{
    call::{REFERENCE_SLOT, Reference},
    checkpoint::{Checkpoint, CheckpointError, PreviewedCall},
    import::WarningCount,
    mapping::plain_text,
    report::counted,
};

/// Calls that would be sent, at most `most`, spread over lines, results and years.
pub(super) fn shown(
    checkpoint: &Checkpoint,
    most: u32,
    source_name: &str,
) -> Result<String, CheckpointError> {
    let mut text = String::new();
    for call in checkpoint.sample(most)? {
        show(&call, source_name, &mut text);
    }
    Ok(text)
}

/// How to try as many calls for real.
pub(super) fn offer(files: &[String], most: u32) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || "-_./\\:@+,=%".contains(letter);
    let word = |file: &String| {
        if file.chars().all(is_plain) {
            file.clone()
        } else {
            ["'", &file.replace('\'', r"'\''"), "'"].concat()
        }
    };
    let words: String = files.iter().map(|file| [" ", &word(file)].concat()).collect();
    format!(
        "a small real sample first, of whole conversations: `callport import{words} --limit {most}`, with the same options\n\n"
    )
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offer_names_the_files_as_a_shell_takes_them() {
        let files = ["a.csv".to_owned(), "it's b*.csv".to_owned()];
        let told = offer(&files, 3);
        assert!(told.contains(r"`callport import a.csv 'it'\''s b*.csv' --limit 3`"), "{told}");
        assert!(offer(&[], 3).contains("`callport import --limit 3`"));
    }
}
