//! A mapping set against the headings of a file.

use std::{borrow::Cow, cell::OnceCell, sync::Arc};

use minijinja::Value;

use super::{
    engine::Engine,
    expression::{Expression, Group, Mapping, Rules},
    fault::{SettingFault, hint, list},
    field::Field,
    row_view::{columns_value, row_value},
    settings::MappingSettings,
    template::Template,
};
use crate::call::{Cells, Fault, Headings};

/// A mapping that knows where in a row of one file each field stands.
#[derive(Debug, Clone)]
pub struct BoundMapping {
    rules: Arc<Rules>,
    sources: Vec<Option<Source>>,
    inbox_choice: Option<InboxChoice>,
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
        Ok(BoundMapping { rules: Arc::clone(&self.rules), sources, inbox_choice })
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
            Expression::Nothing => InboxChoice::Column(Source::AnyOf(Vec::new())),
        });
        BoundMapping { rules: Arc::clone(&self.rules), sources, inbox_choice }
    }

    fn json_source(&self, field: Field) -> Option<Source> {
        match self.rules.expression(field) {
            Some(Expression::Column(name)) => Some(Source::Path(name.clone())),
            Some(Expression::Template(template)) => Some(Source::Template(template.clone())),
            Some(Expression::Nothing) => None,
            None => self.rules.settings.by_own_names.then(|| Source::AnyOf(field.own_names())),
        }
    }
}

impl Rules {
    fn expression(&self, field: Field) -> Option<&Expression> {
        self.fields.iter().find(|(known, _)| *known == field).map(|(_, expression)| expression)
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
        match self.rules.expression(field) {
            Some(Expression::Column(name)) => self.column(name).or_else(|| {
                let reason = format!("names the column `{name}`, which the file does not have");
                self.absent(&field.name(), name, &reason);
                None
            }),
            Some(Expression::Template(template)) => {
                self.check_variables(template);
                Some(Source::Template(template.clone()))
            }
            None if self.rules.settings.by_own_names => {
                field.own_names().iter().find_map(|name| self.column(name))
            }
            Some(Expression::Nothing) | None => None,
        }
    }

    fn column(&self, name: &str) -> Option<Source> {
        let index = self.headings.find(name)?;
        Some(Source::Column { index, heading: self.headings.names().get(index)?.clone() })
    }

    fn check_variables(&mut self, template: &Template) {
        for name in self.rules.engine.variables(template.key()) {
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
            "has no column: the file is not recognised, so `[call]` in callport.toml must name its columns"
        } else {
            "is not mapped: name the column that holds the start of the call"
        };
        let reason = format!("{why}; the headings are {}", list(self.names()));
        self.faults.push(SettingFault::new(Field::STARTED_AT.name(), reason));
    }

    fn inbox_choice(&mut self, sources: &[Option<Source>]) -> Option<InboxChoice> {
        match self.rules.inbox_by.as_ref()? {
            Expression::Template(template) => Some(InboxChoice::Template(template.clone())),
            Expression::Nothing => None,
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

    /// Whether rows may be records of one call. A key that a JSON object may happen to have does not count: every row would
    /// have to be kept until the end of the input.
    pub(super) fn joins_records(&self) -> bool {
        !matches!(self.sources[Field::GROUP.index()], None | Some(Source::AnyOf(_)))
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
                let row = row.get_or_init(|| row_value(cells)).clone();
                Some(Cow::Owned(template.render_value(&self.rules.engine, columns_value(row))?))
            }
        };
        Ok(value.and_then(trimmed))
    }
}

fn trimmed(value: Cow<'_, str>) -> Option<Cow<'_, str>> {
    let value = match value {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) if text.trim().len() == text.len() => Cow::Owned(text),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    };
    (!value.is_empty()).then_some(value)
}

/// A value of a JSON object; a list of texts or numbers reads as they are written by people.
fn json_text<'r>(cells: &'r Cells, path: &str) -> Option<Cow<'r, str>> {
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
            Outcome,
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
                "`call.started_at` has no column: the file is not recognised, so `[call]` in callport.toml must name its \
              columns; the headings are `Start`, `From`"
            ]
        );
        let settings = MappingSettings {
            fields: [("call.started_at", "start time"), ("call.notes", "{{ nots }}")]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
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
            fields: [("call.duration".to_owned(), String::new())].into(),
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
