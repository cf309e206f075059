//! From what was written to settings that make sense, or to every fault at once.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use crate::{
    call::{Moment, Zone},
    import::{ConversationSettings, Field, LimitSettings},
    mapping::{AgentSettings, Ambiguous, Feed, HiddenCaller, InboxSettings, MappingSettings, UnknownCaller},
    source::SourceSettings,
};

use super::{
    agents, conversation,
    error::ConfigError,
    file::ConfigFile,
    forms, key,
    named_file::NamedFile,
    overrides::Overrides,
    preset::Preset,
    raw::{Place, Raw, RawSettings},
    reading,
    recipe::MappingRecipe,
    since::parse_bound,
    value::{Value, is_open},
    written::Written,
};

const PRESET: &str = "source.preset";

/// A checked configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// How rows are read as calls.
    pub mapping: MappingSettings,
    /// How files are read.
    pub source: SourceSettings,
    /// The files to read: paths, globs or `-`, relative to the working directory.
    pub files: Vec<String>,
    /// The file that finds the customers of numbers.
    pub directory: Option<NamedFile>,
    /// The file of people whose calls must not be imported.
    pub exclude: Option<NamedFile>,
    /// What is known of the previous platform.
    pub preset: Option<Preset>,
    /// Where the agents' e-mails stand.
    pub agents_file: Option<NamedFile>,
    /// What conversations are made like.
    pub conversation: ConversationSettings,
    /// How much is used and how long is waited.
    pub limits: LimitSettings,
    /// Whether an empty checkpoint may meet an account that already holds imported conversations.
    pub share_tag: bool,
    /// What reading the first requests back may show otherwise than it was sent.
    pub accept: Vec<Field>,
    /// What is compared with an earlier run's.
    pub mapping_recipe: MappingRecipe,
}

impl Settings {
    /// Checks `file` with `overrides` laid over it; `now` is what `--since -2h` counts from.
    pub fn check(file: Option<&ConfigFile>, overrides: &Overrides, now: Moment) -> Result<Self, ConfigError> {
        let Written { raw: mut own, file_maps, folder } = Written::new(file, overrides);
        let preset = match own.get(PRESET).map(|raw| &raw.value) {
            Some(Value::Text(name)) => {
                Preset::find(name, &folder).map_err(|error| own.faults.extend(error.faults)).ok()
            }
            _ => None,
        };
        let raw = match &preset {
            Some(preset) => own.over(&preset.raw),
            None => own,
        };
        let mut checker = Checker { raw };
        let source = reading::source(&mut checker);
        let mut mapping = checker.mapping();
        mapping.by_own_names = !file_maps && preset.is_none();
        checker.bounds(&mut mapping, overrides, now);
        mapping.agents = agents::agents(&checker);
        let agents_file = NamedFile::under("agents.directory", &mut checker, &folder);
        let conversation = conversation::conversation(&mut checker);
        let limits = conversation::limits(&mut checker);
        let mapping_recipe = MappingRecipe::new(&source, &mapping, &conversation);
        let files = checker.files(&folder);
        let directory = NamedFile::under("customer.directory", &mut checker, &folder);
        let exclude = NamedFile::under("source.exclude", &mut checker, &folder);
        let share_tag = checker.truth("account.share_tag", false);
        let accept = checker.accept();
        checker.unfilled();
        if !checker.raw.faults.is_empty() {
            return Err(ConfigError { faults: checker.raw.faults });
        }
        Ok(Self {
            mapping,
            source,
            files,
            directory,
            exclude,
            preset,
            agents_file,
            conversation,
            limits,
            share_tag,
            accept,
            mapping_recipe,
        })
    }
}

/// How files are read by what `raw` says; what is wrong with it is told by [`Settings::check`].
pub(super) fn source_of(raw: RawSettings) -> SourceSettings {
    reading::source(&mut Checker { raw })
}

/// Asks for one key after another and gathers faults; a value at fault reads as its default.
pub(super) struct Checker {
    raw: RawSettings,
}

impl Checker {
    pub(super) fn value(&self, key: &str) -> Option<&Value> {
        self.raw.get(key).map(|raw| &raw.value)
    }

    /// The text under `key`, which must not be blank.
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        let Some(Value::Text(text)) = self.value(key) else { return None };
        if text.trim().is_empty() {
            self.fault(key, "is empty: give it a value or leave it out");
            return None;
        }
        Some(text.clone())
    }

    /// The word under `key`, which its kind has already held to the known ones.
    pub(super) fn word(&self, key: &str) -> &str {
        match self.value(key) {
            Some(Value::Text(word)) => word,
            _ => "",
        }
    }

    /// Whether a preset says it, which knows several forms of a file.
    pub(super) fn is_of_preset(&self, key: &str) -> bool {
        self.raw.get(key).is_some_and(|raw| matches!(raw.place, Place::Preset(_) | Place::OwnPreset(..)))
    }

    /// How strongly `key` is said; 0 where it is not.
    pub(super) fn strength(&self, key: &str) -> u8 {
        self.raw.get(key).map_or(0, |raw| raw.place.strength())
    }

    /// Where `key` is said, for people.
    pub(super) fn place(&self, key: &str) -> String {
        self.raw.get(key).map_or_else(String::new, |raw| raw.place.to_string())
    }

    /// Whether the configuration file says it: what is written there is relative to its folder.
    pub(super) fn is_of_file(&self, key: &str) -> bool {
        self.raw.get(key).is_some_and(|raw| matches!(raw.place, Place::File(..)))
    }

    pub(super) fn truth(&self, key: &str, default: bool) -> bool {
        match self.value(key) {
            Some(Value::Truth(truth)) => *truth,
            _ => default,
        }
    }

    pub(super) fn fault(&mut self, key: &str, reason: impl Into<String>) {
        match self.raw.get(key).map(|raw| raw.place.clone()) {
            Some(place) => self.raw.fault(key, place, reason),
            None => self.raw.fault(key, "configuration", reason),
        }
    }

    fn mapping(&mut self) -> MappingSettings {
        MappingSettings {
            source_name: self.text("source.name").unwrap_or_default(),
            fields: self.fields(),
            by_own_names: false,
            time_zone: self.time_zone(),
            forms: forms::forms(self),
            nothing: forms::nothing(self),
            values: forms::values(self),
            own_numbers: forms::own_numbers(self),
            skip: self.text("source.skip"),
            since: None,
            until: None,
            unknown: match self.word("customer.unknown") {
                "reject" => UnknownCaller::Reject,
                _ => UnknownCaller::Create,
            },
            directory: Arc::default(),
            account: Arc::default(),
            ambiguous: match self.word("customer.ambiguous") {
                "first" => Ambiguous::First,
                _ => Ambiguous::Reject,
            },
            excluded: Arc::default(),
            hidden: self.hidden(),
            agents: AgentSettings::default(),
            group_by: self.text("conversation.group_by").unwrap_or_else(|| "customer".to_owned()),
            subject: self
                .text("conversation.subject")
                .unwrap_or_else(|| "Phone calls with {{ customer }}".to_owned()),
            inbox: self.inbox(),
            text: self.text("text.template"),
            recording_caution: self.text("text.recording_caution"),
        }
    }

    fn fields(&mut self) -> BTreeMap<String, Feed> {
        let names: Vec<String> =
            self.raw.iter().map(|(name, _)| name.to_owned()).filter(|name| key::feeds_field(name)).collect();
        names.into_iter().filter_map(|name| self.feed(&name).map(|feed| (name, feed))).collect()
    }

    fn feed(&mut self, key: &str) -> Option<Feed> {
        let raw = self.raw.get(key)?;
        let may_be_absent = self.is_of_preset(key);
        let sources = match &raw.value {
            // An empty list feeds the field from nowhere, whatever a preset says.
            Value::Texts(sources) => sources.clone(),
            _ => vec![self.text(key)?],
        };
        if sources.iter().any(|source| source.trim().is_empty()) {
            self.fault(key, "holds an empty name: take it out of the list");
            return None;
        }
        Some(Feed { sources, may_be_absent })
    }

    /// What a person has still to fill in.
    fn unfilled(&mut self) {
        let open = |(name, raw): (&str, &Raw)| {
            let said = |entry: &str| (format!("{name}{entry}"), key::wanted(name), raw.place.clone());
            match &raw.value {
                Value::Unfilled => vec![said("")],
                // There it is a word like any other.
                Value::Texts(_) if name == "source.nothing" => Vec::new(),
                Value::Texts(texts) if texts.iter().any(|text| is_open(text)) => vec![said("")],
                Value::Names(entries) => {
                    let open = entries.iter().filter(|(_, value)| is_open(value));
                    open.map(|(entry, _)| said(&format!(".\"{entry}\""))).collect()
                }
                _ => Vec::new(),
            }
        };
        let open: Vec<_> = self.raw.iter().flat_map(open).collect();
        for (name, wanted, place) in open {
            self.raw.fault(&name, place, format!("is still to be filled in: {wanted}"));
        }
    }

    fn time_zone(&mut self) -> Option<Zone> {
        let name = self.text("source.time_zone")?;
        Zone::parse(&name)
            .map_err(|fault| self.fault("source.time_zone", format!("names no zone: {fault}")))
            .ok()
    }

    fn hidden(&mut self) -> HiddenCaller {
        match self.text("customer.hidden").as_deref() {
            None | Some("reject") => HiddenCaller::Reject,
            Some(text) => match text.parse() {
                Ok(id) if id > 0 => HiddenCaller::Customer(id),
                _ => {
                    self.fault("customer.hidden", format!("is `{text}`: `reject` or a customer's id"));
                    HiddenCaller::Reject
                }
            },
        }
    }

    fn inbox(&mut self) -> InboxSettings {
        let table: BTreeMap<String, String> = match self.value("conversation.inboxes") {
            Some(Value::Names(entries)) => entries.iter().cloned().collect(),
            _ => BTreeMap::new(),
        };
        let by = self.text("conversation.inbox_by");
        let named = self.text("conversation.inbox_otherwise");
        let otherwise = named.clone().filter(|inbox| inbox != "reject");
        if by.is_none() && !table.is_empty() {
            self.fault(
                "conversation.inboxes",
                "needs `conversation.inbox_by`: which field chooses among them",
            );
        }
        if by.is_none() && named.is_some() {
            self.fault("conversation.inbox_otherwise", "needs `conversation.inbox_by`");
        }
        if by.is_some() && table.is_empty() && otherwise.is_none() {
            self.fault("conversation.inbox_by", "needs the table `[conversation.inboxes]`: value = inbox");
        }
        InboxSettings { inbox: self.text("conversation.inbox"), by, table, otherwise }
    }

    fn accept(&mut self) -> Vec<Field> {
        const KEY: &str = "account.accept";
        let Some(Value::Texts(words)) = self.value(KEY).cloned() else { return Vec::new() };
        let mut accepted = Vec::new();
        for word in words {
            match Field::ACCEPTABLE.into_iter().find(|field| field.word() == word) {
                Some(field) => accepted.push(field),
                None => {
                    let known: Vec<String> =
                        Field::ACCEPTABLE.iter().map(|field| format!("`{}`", field.word())).collect();
                    self.fault(KEY, format!("holds `{word}`: known are {}", known.join(", ")));
                }
            }
        }
        accepted
    }

    fn bounds(&mut self, mapping: &mut MappingSettings, overrides: &Overrides, now: Moment) {
        let mut read = |option: &'static str, text: Option<&String>| {
            parse_bound(text?, mapping.time_zone, now)
                .map_err(|fault| self.raw.fault("", Place::Option(option), fault.to_string()))
                .ok()
        };
        let since = read("--since", overrides.since.as_ref());
        let until = read("--until", overrides.until.as_ref());
        if let (Some(since), Some(until)) = (since, until)
            && since >= until
        {
            let reason = format!("{until} is not after --since {since}: no call can lie between them");
            self.raw.fault("", Place::Option("--until"), reason);
        }
        (mapping.since, mapping.until) = (since, until);
    }

    /// The files, relative to the working directory: those of the configuration file are written relative to its folder.
    fn files(&mut self, folder: &Path) -> Vec<String> {
        const KEY: &str = "source.files";
        let Some(Raw { value: Value::Texts(files), place }) = self.raw.get(KEY).cloned() else {
            return Vec::new();
        };
        if files.iter().any(|file| file.trim().is_empty()) {
            self.fault(KEY, "holds an empty name");
        }
        match place {
            Place::File(..) => files.into_iter().map(|file| beside(folder, file)).collect(),
            Place::Preset(_) | Place::OwnPreset(..) | Place::Set | Place::Option(_) => files,
        }
    }
}

pub(super) fn beside(folder: &Path, file: String) -> String {
    if file == "-" || folder.as_os_str().is_empty() {
        return file;
    }
    folder.join(file).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Moment {
        Moment::parse_api("2026-11-22T12:00:00Z").unwrap()
    }

    fn check(text: &str, overrides: &Overrides) -> Result<Settings, String> {
        let file = ConfigFile::parse(Path::new("home/callport.toml"), text).unwrap();
        Settings::check(Some(&file), overrides, now()).map_err(|error| error.to_string())
    }

    fn faults(text: &str) -> Vec<String> {
        check(text, &Overrides::default()).unwrap_err().lines().map(str::to_owned).collect()
    }

    #[test]
    fn nothing_at_all_is_the_documented_defaults() {
        let settings = Settings::check(None, &Overrides::default(), now()).unwrap();
        assert!(settings.mapping.by_own_names);
        assert_eq!(settings.mapping.group_by, "customer");
        assert_eq!(settings.mapping.subject, "Phone calls with {{ customer }}");
        assert_eq!(settings.mapping.unknown, UnknownCaller::Create);
        assert_eq!(settings.mapping.hidden, HiddenCaller::Reject);
        assert_eq!(settings.source, SourceSettings::default());
        assert_eq!(settings.conversation, ConversationSettings::default());
        assert_eq!(settings.limits, LimitSettings::default());
        assert!(!settings.share_tag && settings.files.is_empty());
    }

    #[test]
    fn the_fixtures_have_no_fault() {
        for text in [
            include_str!("../../fixtures/call-history/callport.toml"),
            include_str!("../../fixtures/existing-conversations/callport.toml"),
            include_str!("../../fixtures/jsonl/callport.toml"),
        ] {
            assert!(!check(text, &Overrides::default()).unwrap().mapping.by_own_names, "{text}");
        }
    }

    #[test]
    fn a_whole_file_becomes_settings() {
        let settings =
            check(include_str!("../../fixtures/whole-configuration/callport.toml"), &Overrides::default())
                .unwrap();
        let mapping = &settings.mapping;
        assert_eq!(mapping.source_name, "aircall");
        assert!(!mapping.by_own_names);
        let field = |name: &str| mapping.fields.get(name).map(|feed| feed.sources[0].as_str());
        assert_eq!(field("call.started_at"), Some("start time"));
        assert_eq!(field("customer.first_name"), Some("first"));
        assert_eq!(field("conversation.id"), Some("conversation"));
        assert_eq!(mapping.fields.len(), 5);
        assert_eq!(mapping.time_zone.map(Zone::name), Some("Europe/Berlin"));
        assert_eq!(mapping.hidden, HiddenCaller::Customer(4711));
        assert_eq!(mapping.unknown, UnknownCaller::Reject);
        assert_eq!(mapping.inbox.inbox.as_deref(), Some("85"));
        assert_eq!(mapping.inbox.table["Sales DE"], "85");
        assert_eq!(mapping.inbox.table["Help"], "Support");
        assert_eq!(mapping.inbox.otherwise, None);
        assert_eq!(settings.source.format, Some(crate::source::Format::Csv));
        assert_eq!((settings.source.delimiter, settings.source.skip_lines), (Some(b';'), 2));
        assert_eq!(settings.files, ["home/exports/*.csv", "/data/all.csv", "-"]);
        assert!(settings.share_tag);
    }

    #[test]
    fn the_stronger_voice_is_heard() {
        let overrides = Overrides {
            set: vec!["source.time_zone=UTC".into(), "conversation.inbox=7".into(), "source.files=x".into()],
            time_zone: Some("Asia/Tokyo".into()),
            ..Overrides::default()
        };
        let file = "[source]\ntime_zone='Europe/Berlin'\nfiles=['y']\n[conversation]\ninbox='Sales'\n";
        let settings = check(file, &overrides).unwrap();
        assert_eq!(settings.mapping.time_zone.map(Zone::name), Some("Asia/Tokyo"));
        assert_eq!(settings.mapping.inbox.inbox.as_deref(), Some("7"));
        assert_eq!(settings.files, ["x"], "a file that is typed is relative to the working directory");
    }

    #[test]
    fn a_mapping_in_the_file_ends_own_names_and_one_on_the_command_line_does_not() {
        let set = Overrides { set: vec!["call.from=caller".into()], ..Overrides::default() };
        assert!(check("", &set).unwrap().mapping.by_own_names);
        assert!(check("[customer]\nunknown='reject'", &Overrides::default()).unwrap().mapping.by_own_names);
        assert!(!check("[call]\nid='x'", &set).unwrap().mapping.by_own_names);
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let told = faults(
            "[source]\nname = ''\ndelimiter = ';;'\ntime_zone = 'Mars/Base'\nx = 1\n[customer]\nhidden = 'me'\n\
             [conversation]\ninbox_by = 'line'\nassign_to = 'me'\n[limits]\nshare = 1.5\nsettle = 3\n",
        );
        let wanted = [
            "home/callport.toml:5: `source.x` is not a known key",
            "home/callport.toml:13: `limits.settle` is the number `3`; a span of time",
            "home/callport.toml:3: `source.delimiter` is `;;`: one character",
            "home/callport.toml:2: `source.name` is empty",
            "home/callport.toml:4: `source.time_zone` names no zone: unknown time zone `Mars/Base`",
            "home/callport.toml:7: `customer.hidden` is `me`: `reject` or a customer's id",
            "home/callport.toml:9: `conversation.inbox_by` needs the table",
            "home/callport.toml:10: `conversation.assign_to` is `me`: `nobody`, `agent` or",
            "home/callport.toml:12: `limits.share` is `1.5`",
        ];
        assert_eq!(told.len(), wanted.len(), "{told:#?}");
        for (told, wanted) in told.iter().zip(wanted) {
            assert!(told.starts_with(wanted), "{told}\n{wanted}");
        }
    }

    #[test]
    fn a_table_of_inboxes_needs_the_field_that_chooses() {
        let told = faults("[conversation]\ninbox_otherwise = 3\n[conversation.inboxes]\nSales = 85\n");
        assert_eq!(
            told,
            [
                "home/callport.toml:3: `conversation.inboxes` needs `conversation.inbox_by`: which field chooses \
                 among them",
                "home/callport.toml:2: `conversation.inbox_otherwise` needs `conversation.inbox_by`",
            ]
        );
    }

    #[test]
    fn an_empty_list_takes_a_field_from_the_preset() {
        let feed = |text: &str| {
            let settings = check(text, &Overrides::default()).unwrap();
            settings.mapping.fields["call.notes"].sources.clone()
        };
        assert!(!feed("[source]\npreset = 'aircall'\n").is_empty());
        assert!(feed("[source]\npreset = 'aircall'\n[call]\nnotes = []\n").is_empty());
    }

    #[test]
    fn what_is_open_in_a_table_or_a_list_is_asked_for_by_its_name() {
        let told = faults(
            "[source]\nnothing = ['?']\n[call]\nid = ['id', '?']\n[conversation]\ninbox_by = 'line'\ntags = ['?']\n\
             [conversation.inboxes]\n'Sales DE' = '?'\n[values.direction]\nx = '?'\ny = 'inbound'\nz = ' ? '\n",
        );
        let table = "is still to be filled in: what the value becomes, or `\"\"` for nothing";
        let wanted = [
            "home/callport.toml:4: `call.id` is still to be filled in: a column".to_owned(),
            "home/callport.toml:8: `conversation.inboxes.\"Sales DE\"` is still to be filled in: the id or the name of an inbox".to_owned(),
            "home/callport.toml:7: `conversation.tags` is still to be filled in: a list of texts".to_owned(),
            format!("home/callport.toml:10: `values.direction.\"x\"` {table}"),
            format!("home/callport.toml:10: `values.direction.\"z\"` {table}"),
        ];
        assert_eq!(told.len(), wanted.len(), "{told:#?}");
        for (told, wanted) in told.iter().zip(wanted) {
            assert!(told.starts_with(&wanted), "{told}\n{wanted}");
        }
    }

    #[test]
    fn a_span_that_holds_no_moment_is_refused() {
        let bounds = |since: &str, until: &str| {
            let overrides = Overrides {
                since: Some(since.into()),
                until: Some(until.into()),
                time_zone: Some("UTC".into()),
                ..Overrides::default()
            };
            check("", &overrides)
        };
        let settings = bounds("2024-01-01", "-1d").unwrap();
        assert_eq!(settings.mapping.since.map(|at| at.to_string()).as_deref(), Some("2024-01-01T00:00:00Z"));
        assert_eq!(settings.mapping.until.map(|at| at.to_string()).as_deref(), Some("2026-11-21T12:00:00Z"));
        let told = bounds("2024-01-01", "2024-01-01").unwrap_err();
        assert!(told.starts_with("--until: 2024-01-01T00:00:00Z is not after --since"), "{told}");
    }
}
