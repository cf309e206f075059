//! What `init` tells of the configuration that it wrote.

use std::path::Path;

use serde::Serialize;

use super::{args::Common, exit_code, failure::Failure};
use crate::{
    config::{CONFIG_NAME, Draft},
    mapping::Confidence,
};

#[derive(Serialize)]
struct InitResult<'a> {
    config: String,
    preset: Option<&'a str>,
    confidence: Option<&'static str>,
    guessed: Vec<Guessed<'a>>,
    to_fill_in: Vec<&'static str>,
    without_column: &'a [String],
}

#[derive(Serialize)]
struct Guessed<'a> {
    field: &'a str,
    column: &'a str,
    confidence: &'static str,
    why: &'a str,
}

/// Tells it on standard output.
pub(super) fn tell(common: &Common, path: &Path, draft: &Draft, shown: &str) -> Result<u8, Failure> {
    let open = draft.open();
    if common.json {
        let preset = draft.preset.as_ref().map(|(preset, _)| preset);
        let guessed = draft.guess.fields.iter().map(|field| Guessed {
            field: field.field,
            column: &field.source,
            confidence: field.likelihood.word(),
            why: &field.why,
        });
        super::print_json(&InitResult {
            config: path.display().to_string(),
            preset: preset.map(|preset| preset.name.as_ref()),
            confidence: preset.map(|preset| preset.head.confidence.word()),
            guessed: guessed.collect(),
            to_fill_in: open,
            without_column: &draft.without_column,
        })?;
        return Ok(exit_code::DONE);
    }
    let mut text = String::new();
    if shown.is_empty() && draft.maps_calls() {
        text.push_str("none of the first rows becomes a call: `callport check` says why\n");
    }
    if !shown.is_empty() {
        let unsure = open.contains(&"source.time_zone");
        let zone = if unsure { " (times as if they were UTC: the zone is still open)" } else { "" };
        text.push_str(&["The first calls as they will read in Help Scout", zone, ":\n\n", shown].concat());
    }
    match &draft.preset {
        Some((preset, by)) => {
            let by = if by.is_empty() { String::new() } else { format!(", by {}", by.join(", ")) };
            text.push_str(
                &[preset.head.title.as_str(), " (preset `", &preset.name, "`", &by, ")\n"].concat(),
            );
            if let Some(guess) = &preset.head.guess {
                text.push_str(&["a guess in it: ", guess, "\n"].concat());
            } else if preset.head.confidence == Confidence::Guess {
                text.push_str("the preset is a guess: compare it with your file\n");
            }
        }
        None => text.push_str("no preset knows this form: the columns are guessed, look them over\n"),
    }
    if !draft.without_column.is_empty() {
        let fields = draft.without_column.join(", ");
        text.push_str(&["the file has no column for these fields of the preset: ", &fields, "\n"].concat());
    }
    text.push_str(&written(path, &open));
    super::print(&text)?;
    Ok(exit_code::DONE)
}

/// What was written, and what comes next: `check` refuses what is still open.
fn written(path: &Path, open: &[&str]) -> String {
    let path = path.display().to_string();
    let option = if path == CONFIG_NAME { String::new() } else { format!(" --config {path}") };
    if open.is_empty() {
        return format!("wrote {path}\nnext: `callport check{option}`\n");
    }
    format!(
        "wrote {path}; to fill in: {}\nnext: fill in the lines marked FILL IN in {path}, then `callport check{option}`\n",
        open.join(", ")
    )
}
