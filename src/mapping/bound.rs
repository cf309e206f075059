//! A mapping set against the headings of a file.

use std::{borrow::Cow, cell::OnceCell, collections::HashSet, sync::Arc};

use minijinja::Value;

use super::{
    engine::Engine,
    expression::{Expression, Expressions, Group, Mapping, Rules},
    fault::{SettingFault, hint, list},
    field::Field,
    reading::plain_direction,
    row_view::{Nothing, columns_value, row_value},
    settings::MappingSettings,
    template::{Part, Template},
};
use crate::call::{Cells, Fault, Headings};

/// A mapping that knows where in a row of one file each field stands.
#[derive(Debug, Clone)]
pub struct BoundMapping {
    rules: Arc<Rules>,
    sources: Vec<Option<Source>>,
    inbox_choice: Option<InboxChoice>,
    settled: Arc<HashSet<String>>,
}

/// Where a value comes from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// A column of a CSV file.
    Column { index: usize, heading: String },
    /// A key or path of a JSON object.
    Path(String),
    /// The first of these keys that a JSON object has.
    AnyOf(Vec<String>),
    /// A template over the columns.
    Template(Template),
    /// A plain template: text and columns; nothing where all the columns are empty.
    Joined { key: String, parts: Vec<Piece> },
    /// The first of these that gives a value.
    FirstOf(Vec<Source>),
}

/// A piece of a plain template.
#[derive(Debug, Clone)]
pub(super) enum Piece {
    Literal(String),
    Cell(Source),
}

/// What chooses the inbox.
#[derive(Debug, Clone)]
pub(super) enum InboxChoice {
    Field(Field),
    Column(Source),
    Template(Template),
}

impl Source {
    /// The heading or setting by which a person finds it.
    pub(super) fn label(&self) -> &str {
        match self {
            Self::Column { heading, .. } => heading,
            Self::Path(path) => path,
            Self::AnyOf(names) => names.first().map_or("", String::as_str),
            Self::Template(template) => template.key(),
            Self::Joined { key, .. } => key,
            Self::FirstOf(sources) => sources.first().map_or("", Self::label),
        }
    }
}

impl Mapping {
    /// Sets the mapping against the headings of a CSV file, and tells everything that does not fit.
    pub fn bind(&self, headings: &Arc<Headings>) -> Result<BoundMapping, Vec<SettingFault>> {
        let mut binding = Binding { rules: &self.rules, headings, faults: Vec::new() };
        let sources: Vec<Option<Source>> = Field::all().map(|field| binding.source(field)).collect();
        if sources[Field::STARTED_AT.index()].is_none() && binding.faults.is_empty() {
            binding.unrecognised();
        }
        let inbox_choice = binding.inbox_choice(&sources);
        if !binding.faults.is_empty() {
            return Err(binding.faults);
        }
        Ok(BoundMapping { rules: Arc::clone(&self.rules), sources, inbox_choice, settled: Arc::default() })
    }

    /// For JSONL, where each object has its own keys: what is missing is the row's fault.
    pub fn bind_json(&self) -> BoundMapping {
        let sources: Vec<Option<Source>> = Field::all().map(|field| self.json_source(field)).collect();
        let inbox_choice = self.rules.inbox_by.as_ref().map(|by| match by {
            Expression::Template(template) => InboxChoice::Template(template.clone()),
            Expression::Column(name) => match Field::parse_in_template(name) {
                Some(field) if sources[field.index()].is_some() => InboxChoice::Field(field),
                _ => InboxChoice::Column(Source::Path(name.clone())),
            },
        });
        BoundMapping { rules: Arc::clone(&self.rules), sources, inbox_choice, settled: Arc::default() }
    }

    fn json_source(&self, field: Field) -> Option<Source> {
        let Some(expressions) = self.rules.expressions(field) else {
            let names = field.own_names();
            return (self.rules.settings.by_own_names && !names.is_empty()).then_some(Source::AnyOf(names));
        };
        let choices = expressions.choices.iter().map(|choice| match choice {
            Expression::Column(name) => Source::Path(name.clone()),
            Expression::Template(template) => joined(template, |name| Some(Source::Path(name.to_owned()))),
        });
        first_of(choices.collect())
    }
}

/// One source of several.
fn first_of(mut sources: Vec<Source>) -> Option<Source> {
    if sources.len() > 1 { Some(Source::FirstOf(sources)) } else { sources.pop() }
}

/// A template over columns, which `column` finds; a column that is not there gives nothing.
fn joined(template: &Template, column: impl Fn(&str) -> Option<Source>) -> Source {
    let Some(parts) = template.plain() else { return Source::Template(template.clone()) };
    let piece = |part: &Part| match part {
        Part::Literal(text) => Some(Piece::Literal(text.clone())),
        Part::Variable(name) => column(name).map(Piece::Cell),
    };
    Source::Joined { key: template.key().to_owned(), parts: parts.iter().filter_map(piece).collect() }
}

impl Rules {
    fn expressions(&self, field: Field) -> Option<&Expressions> {
        self.fields.iter().find(|(known, _)| *known == field).map(|(_, expressions)| expressions)
    }
}

/// Goes through the fields for one set of headings.
struct Binding<'m> {
    rules: &'m Rules,
    headings: &'m Headings,
    faults: Vec<SettingFault>,
}

impl Binding<'_> {
    fn source(&mut self, field: Field) -> Option<Source> {
        let Some(expressions) = self.rules.expressions(field) else {
            return self
                .rules
                .settings
                .by_own_names
                .then(|| field.own_names().iter().find_map(|name| self.column(name)))?;
        };
        let mut sources = Vec::new();
        for choice in &expressions.choices {
            match choice {
                Expression::Column(name) => match self.column(name) {
                    Some(source) => sources.push(source),
                    None if expressions.may_be_absent => {}
                    None => {
                        let reason = format!("names the column `{name}`, which the file does not have");
                        self.absent(&field.name(), name, &reason);
                    }
                },
                Expression::Template(template) => {
                    if !expressions.may_be_absent {
                        self.check_variables(template);
                    }
                    sources.push(joined(template, |name| self.column(name)));
                }
            }
        }
        first_of(sources)
    }

    fn column(&self, name: &str) -> Option<Source> {
        let index = self.headings.find(name)?;
        Some(Source::Column { index, heading: self.headings.names().get(index)?.clone() })
    }

    fn check_variables(&mut self, template: &Template) {
        let named = template.plain().map(|parts| {
            let name = |part: &Part| match part {
                Part::Variable(name) => Some(name.clone()),
                Part::Literal(_) => None,
            };
            parts.iter().filter_map(name).collect()
        });
        for name in named.unwrap_or_else(|| self.rules.engine.variables(template.key())) {
            if name != "row" && self.headings.find(&name).is_none() {
                let reason = format!("names the variable `{name}`, which is not a column of the file");
                self.absent(template.key(), &name, &reason);
            }
        }
    }

    fn absent(&mut self, key: &str, name: &str, reason: &str) {
        let near = hint(name, self.names());
        // The headings once: a file that does not fit lacks many columns.
        let headings = if self.faults.is_empty() {
            format!("; the file's headings are {}", list(self.names()))
        } else {
            String::new()
        };
        let reason = format!("{reason}{near}{headings}");
        self.faults.push(SettingFault::new(key, reason));
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.headings.names().iter().map(String::as_str)
    }

    fn unrecognised(&mut self) {
        let why = if self.rules.settings.by_own_names && self.rules.fields.is_empty() {
            "has no column: the file is not recognised; `callport init` writes a callport.toml that names its columns"
        } else {
            "is not mapped: name the column that holds the start of the call"
        };
        let reason = format!("{why}; the headings are {}", list(self.names()));
        self.faults.push(SettingFault::new(Field::STARTED_AT.name(), reason));
    }

    fn inbox_choice(&mut self, sources: &[Option<Source>]) -> Option<InboxChoice> {
        match self.rules.inbox_by.as_ref()? {
            Expression::Template(template) => Some(InboxChoice::Template(template.clone())),
            Expression::Column(name) => {
                let field = Field::parse_in_template(name).filter(|field| sources[field.index()].is_some());
                let choice =
                    field.map(InboxChoice::Field).or_else(|| self.column(name).map(InboxChoice::Column));
                if choice.is_none() {
                    let reason =
                        format!("names `{name}`, which is neither a mapped field nor a column of the file");
                    self.absent("conversation.inbox_by", name, &reason);
                }
                choice
            }
        }
    }
}

impl BoundMapping {
    /// Numbers that the account gives to several customers and of which earlier runs have settled whose they are: the
    /// checkpoint leads from there.
    #[must_use]
    pub fn with_settled(self, numbers: Arc<HashSet<String>>) -> Self {
        Self { settled: numbers, ..self }
    }

    pub(super) fn is_settled(&self, number: &str) -> bool {
        self.settled.contains(number)
    }

    /// What feeds `field`.
    pub(super) fn source(&self, field: Field) -> Option<&Source> {
        self.sources[field.index()].as_ref()
    }

    pub(super) fn settings(&self) -> &MappingSettings {
        &self.rules.settings
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.rules.engine
    }

    pub(super) fn group(&self) -> &Group {
        &self.rules.group
    }

    pub(super) fn subject(&self) -> Option<&Template> {
        self.rules.subject.as_ref()
    }

    pub(super) fn text(&self) -> Option<&Template> {
        self.rules.text.as_ref()
    }

    pub(super) fn skip(&self) -> Option<&Template> {
        self.rules.skip.as_ref()
    }

    pub(super) fn inbox_choice(&self) -> Option<&InboxChoice> {
        self.inbox_choice.as_ref()
    }

    /// Whether rows may be records of one call.
    pub(super) fn joins_records(&self) -> bool {
        self.sources[Field::GROUP.index()].is_some()
    }

    /// The heading or setting that feeds `field`, or the field's own name.
    pub(super) fn label(&self, field: Field) -> String {
        self.sources[field.index()].as_ref().map_or_else(|| field.name(), |source| source.label().to_owned())
    }

    /// Takes every mapped value out of a row, without outer white space.
    pub(super) fn fetch_all<'r>(
        &self,
        cells: &'r Cells,
        values: &mut [Option<Cow<'r, str>>; Field::COUNT],
        faults: &mut Vec<Fault>,
    ) {
        let row = OnceCell::new();
        for (source, value) in self.sources.iter().zip(values.iter_mut()) {
            let Some(source) = source else { continue };
            match self.fetch_with(source, cells, &row) {
                Ok(found) => *value = found,
                Err(fault) => faults.push(fault),
            }
        }
    }

    /// Puts what values become in their place; which fields had a value that is not known. A plain word for a direction is
    /// known without being named.
    pub(super) fn translate<'r>(&'r self, values: &mut [Option<Cow<'r, str>>; Field::COUNT]) -> Vec<Field> {
        let mut unknown = Vec::new();
        for (field, map) in &self.rules.values {
            let value = &mut values[field.index()];
            let Some(word) = value.as_deref() else { continue };
            match map.get(word) {
                Some("") => *value = None,
                Some(becomes) => *value = Some(Cow::Borrowed(becomes)),
                None if *field == Field::DIRECTION && plain_direction(word).is_some() => {}
                None => unknown.push(*field),
            }
        }
        unknown
    }

    /// Whether `number` is one of the company's own.
    pub(super) fn is_own_number(&self, number: &str) -> bool {
        self.rules.own_numbers.iter().any(|own| own == number)
    }

    /// Words that mean that nothing is given.
    pub(super) fn nothing(&self) -> &Arc<Nothing> {
        &self.rules.nothing
    }

    /// One value of a row.
    pub(super) fn fetch<'r>(&self, source: &Source, cells: &'r Cells) -> Result<Option<Cow<'r, str>>, Fault> {
        self.fetch_with(source, cells, &OnceCell::new())
    }

    fn fetch_with<'r>(
        &self,
        source: &Source,
        cells: &'r Cells,
        row: &OnceCell<Value>,
    ) -> Result<Option<Cow<'r, str>>, Fault> {
        let value = match source {
            Source::Column { index, .. } => cells.column(*index).map(Cow::Borrowed),
            Source::Path(path) => json_text(cells, path),
            Source::AnyOf(names) => any_of(cells, names),
            Source::Template(template) => {
                let row = row.get_or_init(|| row_value(cells, &self.rules.nothing)).clone();
                Some(Cow::Owned(template.render_value(&self.rules.engine, columns_value(row))?))
            }
            Source::Joined { parts, .. } => self.join(parts, cells, row)?.map(Cow::Owned),
            Source::FirstOf(sources) => {
                for source in sources {
                    let found = self.fetch_with(source, cells, row)?;
                    if found.is_some() {
                        return Ok(found);
                    }
                }
                None
            }
        };
        Ok(value.and_then(|value| self.given(value)))
    }

    fn join(&self, parts: &[Piece], cells: &Cells, row: &OnceCell<Value>) -> Result<Option<String>, Fault> {
        let mut text = String::new();
        let (mut asked, mut found) = (false, false);
        for part in parts {
            match part {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Cell(source) => {
                    asked = true;
                    if let Some(value) = self.fetch_with(source, cells, row)? {
                        found = true;
                        text.push_str(&value);
                    }
                }
            }
        }
        Ok((found || !asked).then_some(text))
    }

    fn given<'r>(&self, value: Cow<'r, str>) -> Option<Cow<'r, str>> {
        match value {
            Cow::Borrowed(text) => self.rules.nothing.given(text).map(Cow::Borrowed),
            Cow::Owned(text) => {
                let length = self.rules.nothing.given(&text)?.len();
                Some(Cow::Owned(if length == text.len() { text } else { text.trim().to_owned() }))
            }
        }
    }
}

/// A value of a JSON object; a list of texts or numbers reads as they are written by people.
fn json_text<'r>(cells: &'r Cells, path: &str) -> Option<Cow<'r, str>> {
    if path.contains(".*") {
        return Some(Cow::Owned(cells.each(path).join(", ")));
    }
    if let Some(items) = cells.list(path)
        && items.iter().all(|item| !item.is_object() && !item.is_array())
    {
        let word = |item: &serde_json::Value| item.as_str().map_or_else(|| item.to_string(), str::to_owned);
        return Some(Cow::Owned(items.iter().map(word).collect::<Vec<_>>().join(", ")));
    }
    cells.value(path)
}

fn any_of<'r>(cells: &'r Cells, names: &[String]) -> Option<Cow<'r, str>> {
    if let Some(value) = names.iter().find_map(|name| json_text(cells, name)) {
        return Some(value);
    }
    let Cells::Json(object) = cells else { return None };
    let key = object.keys().find(|key| names.iter().any(|name| key.trim().eq_ignore_ascii_case(name)))?;
    json_text(cells, key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        call::{Position, Row},
        mapping::{
            Feed, Outcome,
            interpret::tests::{now, own_names},
        },
    };

    #[test]
    fn a_file_that_does_not_fit_is_told_with_its_headings() {
        let bind = |settings: MappingSettings, names: &[&str]| {
            let headings = Arc::new(Headings::new(names.iter().map(ToString::to_string).collect()));
            let faults = Mapping::new(settings).unwrap().bind(&headings).unwrap_err();
            faults.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(
            bind(own_names(), &["Start", "From"]),
            [
                "`call.started_at` has no column: the file is not recognised; `callport init` writes a callport.toml that \
              names its columns; the headings are `Start`, `From`"
            ]
        );
        let settings = MappingSettings {
            fields: [("call.started_at", "start time"), ("call.notes", "{{ nots }}")]
                .map(|(key, value)| (key.to_owned(), value.into()))
                .into(),
            ..MappingSettings::default()
        };
        let told = bind(settings, &["Start Tme", "notes"]);
        assert_eq!(told.len(), 2);
        assert!(told[1].contains("`nots`") && told[1].contains("did you mean `notes`?"), "{}", told[1]);
        assert!(
            told[0].contains("did you mean `Start Tme`?") && told[0].ends_with("`Start Tme`, `notes`"),
            "{}",
            told[0]
        );
    }

    #[test]
    fn a_json_text_that_looks_like_a_list_stays_as_it_is() {
        let json = r#"{"started_at": "2026-03-30T14:05:09Z", "email": "jo@example.com", "notes": "[1, 2]", "duration": "[5]"}"#;
        let Ok(serde_json::Value::Object(object)) = serde_json::from_str(json) else { panic!("{json}") };
        let row = Row { position: Position::new("calls.jsonl", 1), cells: Cells::Json(object) };
        let settings = MappingSettings { text: Some("{{ notes }}".into()), ..own_names() };
        let found = Mapping::new(settings).unwrap().bind_json().interpret(&row, now());
        let Outcome::Rejected(rejection) = found.outcome else { panic!("{found:?}") };
        assert!(rejection.to_string().contains("duration `[5]`: is not a duration"), "{rejection}");
        let settings = MappingSettings {
            text: Some("{{ notes }}".into()),
            fields: [("call.duration".to_owned(), Feed::default())].into(),
            ..own_names()
        };
        let found = Mapping::new(settings).unwrap().bind_json().interpret(&row, now());
        assert!(
            matches!(&found.outcome, Outcome::Call(call) if call.text.starts_with("[1, 2]")),
            "{found:?}"
        );
    }

    #[test]
    fn a_json_row_is_read_by_keys_paths_and_own_names() {
        let interpret = |settings: MappingSettings, json: &str| {
            let Ok(serde_json::Value::Object(object)) = serde_json::from_str(json) else { panic!("{json}") };
            let row = Row { position: Position::new("calls.jsonl", 1), cells: Cells::Json(object) };
            Mapping::new(settings).unwrap().bind_json().interpret(&row, now())
        };
        let json = r#"{"ID": 12345678901234567890123, "started_at": 1774879509, "customer": {"email": "jo@example.com"},
            "tags": ["a", "b"], "contact": {"names": ["Jo"]}}"#;
        let mut settings = own_names();
        settings.fields.insert("customer.first_name".into(), "contact.names.0".into());
        let found = interpret(settings, json);
        let Outcome::Call(call) = found.outcome else { panic!("{found:?}") };
        assert_eq!(call.identity.id.as_deref(), Some("12345678901234567890123"));
        assert_eq!(call.customer.shown(), "Jo");
        assert!(call.text.contains("Tags: a, b\n"), "{}", call.text);
        let told = interpret(own_names(), r#"{"customer_id": 5}"#).outcome;
        assert!(
            matches!(told, Outcome::Rejected(rejection) if rejection.to_string().contains("no start time"))
        );
    }
}
