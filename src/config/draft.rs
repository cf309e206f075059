//! A configuration to begin with, as `init` writes it: every line with why it says so, and what nobody could know marked
//! for a person to fill in.

use super::{
    draft_preset::{mapped_by, preset_head},
    draft_text::{comment, fill_in, pair, quoted, written},
    key,
    preset::Preset,
    written::Written,
};
use crate::mapping::{Guess, GuessedField, GuessedSetting, GuessedWord, GuessedWords};

/// Columns that a comment lists.
const MOST_UNUSED: usize = 60;

/// What is known of the export.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// The files, as the configuration names them.
    pub files: Vec<String>,
    /// The preset, where the export is recognised, with the columns that told it.
    pub preset: Option<(Preset, Vec<String>)>,
    /// Else what was guessed.
    pub guess: Guess,
    /// Whether rows are at fault because nobody has said the zone of their times.
    pub asks_zone: bool,
    /// The preset's fields of which the file has no column.
    pub without_column: Vec<String>,
    /// What was said already: it is written down as it is, and nothing of it is guessed or asked for.
    pub said: Written,
    /// The day on which it is written.
    pub today: String,
}

impl Draft {
    /// The keys that are still to be filled in.
    pub fn open(&self) -> Vec<&'static str> {
        let mut open = Vec::new();
        match &self.preset {
            Some((preset, _)) => {
                let asks = preset.head.asks_zone || self.asks_zone;
                open.extend(asks.then_some("source.time_zone"));
            }
            None => {
                let is_open = |setting: &&GuessedSetting| setting.value.is_none();
                let settings = self.guess.settings.iter().filter(is_open).map(|setting| setting.key);
                open.extend(settings);
                open.extend(self.unfed().map(|(field, _)| field));
            }
        }
        open.extend(["customer.unknown", "conversation.inbox"]);
        open.retain(|key| !self.said.has(key));
        open
    }

    /// Whether what feeds the fields of a call stands, so that calls can be made by it.
    pub fn maps_calls(&self) -> bool {
        !self.open().into_iter().any(key::feeds_field)
    }

    /// Fields that an import needs and no column was found for, with what they are for.
    fn unfed(&self) -> impl Iterator<Item = (&'static str, String)> {
        let start = (!self.has("call.started_at")).then(|| {
            let why = "the column that holds the start of the call; no column looks like it";
            ("call.started_at", why.to_owned())
        });
        start.into_iter().chain(self.unfed_customer())
    }

    /// What is lacking for a way to the customer.
    fn unfed_customer(&self) -> Option<(&'static str, String)> {
        let has_any = |fields: &[&str]| fields.iter().any(|field| self.has(field));
        if has_any(&["customer.phone", "customer.email", "customer.id"]) {
            return None;
        }
        if has_any(&["call.from", "call.to"]) {
            let why = "which way the call went (`inbound` or `outbound`: a column or a template), so that the customer's number is known; or take this line out and name the customer's number as `customer.phone`";
            return (!self.has("call.direction")).then(|| ("call.direction", why.to_owned()));
        }
        let numbers: Vec<String> = self.guess.numbers.iter().map(|name| format!("`{name}`")).collect();
        let there = match numbers.as_slice() {
            [] => "no column looks like it".to_owned(),
            numbers => format!("phone numbers are in {}", numbers.join(" and ")),
        };
        let why = format!(
            "the column that holds the customer's number; {there}. Where one holds the caller's and another the number that was called, take this line out and name them as `from` and `to` under [call]"
        );
        Some(("customer.phone", why))
    }

    /// Whether something feeds `field`.
    fn has(&self, field: &str) -> bool {
        self.said.has(field) || self.guess.fields.iter().any(|guessed| guessed.field == field)
    }

    /// The text of the file.
    pub fn text(&self) -> String {
        let mut text = format!("# Written by `callport init` on {}.\n", self.today);
        self.head(&mut text);
        text.push_str(
            "#\n# Lines with FILL IN are for you: `callport check` refuses until they are filled in.\n",
        );
        self.source(&mut text);
        match &self.preset {
            Some((preset, _)) => mapped_by(preset, &self.without_column, &mut text),
            None => self.call(&mut text),
        }
        self.customer(&mut text);
        self.conversation(&mut text);
        self.others(&mut text);
        text
    }

    fn head(&self, text: &mut String) {
        let Some((preset, by)) = &self.preset else {
            comment(
                text,
                "No preset knows this form, so each line below is a guess at a column: high, fair or low tells how likely. Look them over.",
            );
            return;
        };
        preset_head(preset, by, text);
    }

    fn source(&self, text: &mut String) {
        text.push_str("\n[source]\n");
        match &self.preset {
            Some((preset, _)) => {
                pair(text, "preset", &quoted(&preset.name));
            }
            None if !self.said.has("source.name") => {
                comment(
                    text,
                    "Part of what a call is known by: name the previous platform once, and never change it after an import.",
                );
                pair(text, "# name", "\"previous-platform\"");
            }
            None => {}
        }
        let files: Vec<String> = self.files.iter().map(|file| quoted(file)).collect();
        pair(text, "files", &format!("[{}]", files.join(", ")));
        self.said(text, "source");
        for GuessedSetting { key, value, why } in &self.guess.settings {
            match value {
                _ if self.said.has(key) => {}
                Some(value) => {
                    comment(text, why);
                    pair(text, key::last(key), &quoted(value));
                }
                None => fill_in(text, key, why),
            }
        }
        if self.preset.as_ref().is_some_and(|(preset, _)| preset.head.asks_zone || self.asks_zone) {
            self.ask(
                text,
                "source.time_zone",
                "the times have no offset from UTC, and the export does not say on which clock they are",
            );
        }
    }

    /// What was said of a section, as it was said.
    fn said(&self, text: &mut String, section: &str) {
        for told in
            self.said.told(section).filter(|told| !["source.preset", "source.files"].contains(&told.key))
        {
            comment(
                text,
                if told.by_file {
                    "Kept from the file that stood here."
                } else {
                    "As it was given to `init`."
                },
            );
            pair(text, key::last(told.key), &written(told.value));
        }
    }

    /// Asks for what nobody has said.
    fn ask(&self, text: &mut String, dotted: &str, why: &str) {
        if !self.said.has(dotted) {
            fill_in(text, dotted, why);
        }
    }

    fn call(&self, text: &mut String) {
        text.push_str("\n[call]\n");
        for (field, why) in self.unfed().filter(|(field, _)| field.starts_with("call.")) {
            fill_in(text, field, &why);
        }
        self.fields(text, "call");
        let missing: Vec<&str> = key::CALL_FIELDS
            .iter()
            .copied()
            .filter(|field| !self.has(&format!("call.{field}")) && !["time_zone", "group"].contains(field))
            .collect();
        if !missing.is_empty() {
            comment(text, &format!("No column was found for {}.", missing.join(", ")));
        }
        if !self.guess.unused.is_empty() {
            let shown: Vec<String> =
                self.guess.unused.iter().take(MOST_UNUSED).map(|name| format!("`{name}`")).collect();
            let more = if self.guess.unused.len() > MOST_UNUSED { ", …" } else { "" };
            comment(text, &format!("Columns that feed nothing: {}{more}", shown.join(", ")));
        }
        self.values(text);
    }

    /// What the words of the file mean, where nobody has said it.
    fn values(&self, text: &mut String) {
        if self.said.told("values").next().is_some() {
            text.push_str("\n[values]\n");
            self.said(text, "values");
        }
        for guessed in &self.guess.words {
            if !self.said.has(&format!("values.{}", guessed.field)) {
                words(text, guessed);
            }
        }
    }

    /// What was said of a section's fields, then what was guessed.
    fn fields(&self, text: &mut String, section: &str) {
        self.said(text, section);
        for GuessedField { field, source, likelihood, why } in &self.guess.fields {
            if field.split_once('.').is_some_and(|(first, _)| first == section) && !self.said.has(field) {
                comment(text, &format!("{}: {why}", likelihood.word()));
                pair(text, key::last(field), &quoted(source));
            }
        }
    }

    fn customer(&self, text: &mut String) {
        text.push_str("\n[customer]\n");
        self.fields(text, "customer");
        if self.preset.is_none() {
            for (field, why) in self.unfed().filter(|(field, _)| field.starts_with("customer.")) {
                fill_in(text, field, &why);
            }
        }
        let why = "what becomes of callers with a number whom Help Scout does not know";
        self.ask(text, "customer.unknown", why);
        if !self.said.has("customer.country") {
            comment(text, "For numbers without a country code: the country in which they were dialled.");
            pair(text, "# country", "\"US\"");
        }
    }

    fn conversation(&self, text: &mut String) {
        text.push_str("\n[conversation]\n");
        self.fields(text, "conversation");
        let why = "the inbox that the calls go to; see also `inbox_by` in the README";
        self.ask(text, "conversation.inbox", why);
    }

    /// What was said of sections that nothing is guessed of.
    fn others(&self, text: &mut String) {
        let mut sections = vec!["text", "limits", "account"];
        // Where a preset maps the calls, their own sections hold no more than what was said.
        if self.preset.is_some() {
            sections.extend(["call", "values"]);
        }
        for section in sections.into_iter().filter(|section| self.said.told(section).next().is_some()) {
            text.push_str(&["\n[", section, "]\n"].concat());
            self.said(text, section);
        }
    }
}

/// What the words of a column become, each with how likely that is.
fn words(text: &mut String, guessed: &GuessedWords) {
    text.push_str(&["\n[values.", guessed.field, "]\n"].concat());
    for GuessedWord { word, means } in &guessed.words {
        match means {
            Some((means, likelihood, why)) => {
                comment(text, &format!("{}: {why}", likelihood.word()));
                pair(text, &quoted(word), &quoted(means));
            }
            None => {
                comment(text, "inbound, outbound, or \"\" for neither");
                pair(text, &format!("# {}", quoted(word)), "\"\"");
            }
        }
    }
    let left_out = [
        (guessed.odd, "with a line break or a control character in it, which this file does not take"),
        (guessed.more, "more"),
    ];
    for (count, what) in left_out.into_iter().filter(|(count, _)| *count > 0) {
        let noun = if count == 1 { "word" } else { "words" };
        comment(text, &format!("Left out: {count} {noun} {what}."));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{
        call::Moment,
        config::{ConfigFile, Overrides, Settings},
        mapping::{Column, guess},
    };

    fn check(text: &str, set: &[&str]) -> Result<Settings, String> {
        let file = ConfigFile::parse(Path::new("callport.toml"), text).unwrap();
        let overrides =
            Overrides { set: set.iter().map(ToString::to_string).collect(), ..Overrides::default() };
        let now = Moment::parse_api("2026-11-22T12:00:00Z").unwrap();
        Settings::check(Some(&file), &overrides, now).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_left_open_is_refused_until_it_is_filled_in() {
        let columns = [
            Column::new("Start \"local\"", vec!["03/30/2026 10:00".into(), "03/04/2026 10:00".into()]),
            Column::new("From", vec!["+15550100".into()]),
        ];
        let draft = Draft { guess: guess(&columns), today: "2026-11-25".into(), ..Draft::default() };
        let told = check(&draft.text(), &[]).unwrap_err();
        let open: Vec<String> =
            draft.open().iter().map(|key| format!("`{key}` is still to be filled in")).collect();
        assert_eq!(told.lines().count(), open.len(), "{told}");
        for line in open {
            assert!(told.contains(&line), "{line}\n{told}");
        }
        let filled = [
            "source.time_zone=UTC",
            "call.direction=Way",
            "customer.unknown=create",
            "conversation.inbox=85",
        ];
        let settings = check(&draft.text(), &filled).unwrap();
        assert_eq!(settings.mapping.fields["call.started_at"].sources, ["Start \"local\""]);
        assert_eq!(settings.mapping.forms.date_order, Some(crate::mapping::DateOrder::MonthFirst));
    }

    #[test]
    fn where_nobody_can_tell_the_customers_number_it_is_asked_for() {
        let column = |name: &str, value: &str| Column::new(name, vec![value.to_owned()]);
        let columns = [
            column("Start", "2026-03-30T10:00:00Z"),
            column("Phone 1", "2125550100"),
            column("Phone 2", "+1 212 555 0101"),
            column("Seconds", "125"),
        ];
        let of = |columns: &[Column]| Draft { guess: guess(columns), ..Draft::default() };
        let draft = of(&columns);
        assert_eq!(draft.open(), ["customer.phone", "customer.unknown", "conversation.inbox"]);
        assert!(!draft.maps_calls());
        let text = draft.text().replace("\n# ", " ");
        assert!(text.contains("phone numbers are in `Phone 1` and `Phone 2`. Where one holds"), "{text}");
        assert!(of(&columns[..1]).text().replace("\n# ", " ").contains("no column looks like it. Where"));
        let filled = ["customer.phone=Phone 1", "customer.unknown=create", "conversation.inbox=85"];
        assert_eq!(
            check(&draft.text(), &filled).unwrap().mapping.fields["customer.phone"].sources,
            ["Phone 1"]
        );
    }

    #[test]
    fn every_preset_makes_a_file_that_needs_no_more_than_zone_inbox_and_callers() {
        for preset in Preset::all() {
            let name = preset.name.to_string();
            let draft = Draft {
                preset: Some((preset, vec!["`a`".into()])),
                today: "2026-11-25".into(),
                ..Draft::default()
            };
            let set = ["source.time_zone=UTC", "customer.unknown=create", "conversation.inbox=85"];
            let settings =
                check(&draft.text(), &set).unwrap_or_else(|told| panic!("{name}: {told}\n{}", draft.text()));
            assert!(settings.mapping.fields.contains_key("call.started_at"), "{name}");
            assert!(!settings.mapping.source_name.is_empty(), "{name}");
        }
    }
}
