//! What a drafted configuration tells of the preset that it names: comments, for the preset says all of it by itself.

use super::{
    draft_text::{comment, sentence},
    preset::Preset,
};
use crate::mapping::Confidence;

/// Longest template that a comment shows.
const MOST_SHOWN: usize = 60;

/// What a preset says of itself, and the columns by which it was recognised.
pub(super) fn preset_head(preset: &Preset, by: &[String], text: &mut String) {
    let mut say = |line: &str| comment(text, line);
    let head = &preset.head;
    let by = if by.is_empty() { String::new() } else { format!(", recognised by {}", by.join(", ")) };
    say(&format!("{}: preset `{}`{by}.", head.title, preset.name));
    let sure = match head.confidence {
        Confidence::Documented => "documented by the vendor",
        Confidence::Seen => "seen in several public readers",
        Confidence::Guess => "a guess: compare it with your file",
    };
    say(&format!("How sure it is: {sure}. Source: {}", head.source));
    if let Some(guess) = &head.guess {
        say(&format!("A guess in it: {}", sentence(guess)));
    }
    for note in &head.notes {
        say(&format!("- {}", sentence(note)));
    }
}

/// What a preset maps, as comments: what stands below it in the file is laid over it. The file has no column for those of
/// its fields that are `without_column`.
pub(super) fn mapped_by(preset: &Preset, without_column: &[String], text: &mut String) {
    text.push('\n');
    comment(text, "What the preset maps; a key under [call] or [customer] takes the place of its own:");
    for (name, sources) in preset.feeds() {
        let shown: Vec<String> = sources.into_iter().map(shown).collect();
        let line = format!("#   {name:<20} {}", shown.join(", else "));
        text.push_str(line.trim_end());
        text.push('\n');
    }
    if !without_column.is_empty() {
        let fields = without_column.join(", ");
        comment(text, &format!("The file has no column for these of them, which stay empty: {fields}."));
    }
}

fn shown(source: &str) -> String {
    let folded = source.split_whitespace().collect::<Vec<_>>().join(" ");
    match folded.char_indices().nth(MOST_SHOWN) {
        Some((end, _)) => format!("{}…", folded.get(..end).unwrap_or_default()),
        None => folded,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preset_is_told_with_how_sure_it_is_what_it_maps_and_what_the_file_lacks() {
        let preset = Preset::all().find(|preset| preset.name.as_ref() == "ringcentral-csv").unwrap();
        let mut text = String::new();
        preset_head(&preset, &["`Type`".to_owned()], &mut text);
        mapped_by(&preset, &["call.status".to_owned()], &mut text);
        assert!(text.lines().all(|line| line.is_empty() || line.starts_with('#')), "{text}");
        for words in [
            "preset `ringcentral-csv`, recognised by `Type`.",
            "# How sure it is: a guess",
            "#   call.duration        Duration\n",
            "lower %}{% if …, else Action Result\n",
            "# The file has no column for these of them, which stay empty: call.status.\n",
        ] {
            assert!(text.contains(words), "{words}\n{text}");
        }
    }
}
