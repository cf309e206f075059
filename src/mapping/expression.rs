//! The settings of a mapping, checked: what feeds each field, and every template compiled.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    call_view::CallView,
    engine::{Engine, TEXT_KEY},
    fault::{SettingFault, hint, list},
    field::Field,
    number::read_number,
    row_view::Nothing,
    settings::{Feed, MappingSettings},
    template::Template,
};

/// How rows are read as calls, whatever the file.
#[derive(Debug, Clone)]
pub struct Mapping {
    pub(super) rules: Arc<Rules>,
}

/// Settings with their templates.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) settings: MappingSettings,
    pub(super) engine: Engine,
    pub(super) fields: Vec<(Field, Expressions)>,
    pub(super) values: Vec<(Field, ValueMap)>,
    pub(super) nothing: Arc<Nothing>,
    pub(super) own_numbers: Vec<String>,
    pub(super) group: Group,
    pub(super) subject: Option<Template>,
    pub(super) text: Option<Template>,
    pub(super) skip: Option<Template>,
    pub(super) inbox_by: Option<Expression>,
}

/// What a setting says of where a value comes from: the first of `choices` that gives one. None of them: from nowhere,
/// not even from a column that bears the field's name.
#[derive(Debug, Clone)]
pub(super) struct Expressions {
    pub(super) choices: Vec<Expression>,
    /// Whether a column may be missing from the file.
    pub(super) may_be_absent: bool,
}

/// A column or a template.
#[derive(Debug, Clone)]
pub(super) enum Expression {
    /// A column, or in JSON a key or path.
    Column(String),
    /// A template over the columns.
    Template(Template),
}

/// What the values of a field become.
#[derive(Debug)]
pub(super) struct ValueMap {
    entries: Vec<(String, String)>,
    others: Option<String>,
}

impl ValueMap {
    fn new(table: &BTreeMap<String, String>) -> Self {
        let trimmed =
            |(value, becomes): (&String, &String)| (value.trim().to_owned(), becomes.trim().to_owned());
        let entries = table.iter().filter(|(value, _)| *value != "*").map(trimmed).collect();
        Self { entries, others: table.get("*").map(|becomes| becomes.trim().to_owned()) }
    }

    /// What `value` becomes; `None` where nothing is said of it.
    pub(super) fn get(&self, value: &str) -> Option<&str> {
        let exact = self.entries.iter().find(|(known, _)| known == value);
        let found =
            exact.or_else(|| self.entries.iter().find(|(known, _)| known.eq_ignore_ascii_case(value)));
        found.map(|(_, becomes)| becomes).or(self.others.as_ref()).map(String::as_str)
    }
}

/// Which calls share a conversation.
#[derive(Debug)]
pub(super) enum Group {
    Customer,
    Call,
    Template(Template),
}

impl Mapping {
    /// Checks `settings`, and tells every fault at once.
    pub fn new(settings: MappingSettings) -> Result<Self, Vec<SettingFault>> {
        let mut check = Check { engine: Engine::new(), faults: Vec::new() };
        let fields = check.fields(&settings);
        let values = check.values(&settings);
        let nothing = Arc::new(Nothing::new(&settings.nothing));
        let own_numbers = check.own_numbers(&settings);
        let group = check.group(&settings.group_by);
        let subject = check.call_template("conversation.subject", &settings.subject);
        let text = settings.text.as_deref().and_then(|source| check.call_template(TEXT_KEY, source));
        let skip = settings.skip.as_deref().and_then(|source| check.call_template("source.skip", source));
        let inbox_by = settings.inbox.by.as_deref().and_then(|value| check.inbox_by(value));
        if !check.faults.is_empty() {
            return Err(check.faults);
        }
        let engine = check.engine;
        Ok(Self {
            rules: Arc::new(Rules {
                settings,
                engine,
                fields,
                values,
                nothing,
                own_numbers,
                group,
                subject,
                text,
                skip,
                inbox_by,
            }),
        })
    }

    /// Whether a call is rejected whose customer is nothing but a number.
    pub fn rejects_unknown(&self) -> bool {
        self.rules.settings.unknown == super::UnknownCaller::Reject
    }

    /// Whether texts are made by a template of the user's.
    pub fn has_own_text(&self) -> bool {
        self.rules.settings.text.is_some()
    }

    /// People whose calls must not be imported.
    pub fn excluded(&self) -> &Arc<super::Excluded> {
        &self.rules.settings.excluded
    }

    /// Numbers that the account gives to several customers.
    pub fn shared_numbers(&self) -> Vec<String> {
        self.rules.settings.account.shared_numbers()
    }

    /// How phone numbers are read.
    pub fn number_form(&self) -> super::NumberForm {
        self.rules.settings.forms.numbers
    }

    /// `[source] name`: part of every reference.
    pub fn source_name(&self) -> &str {
        &self.rules.settings.source_name
    }
}

/// Takes the settings one by one and gathers what is wrong with them.
struct Check {
    engine: Engine,
    faults: Vec<SettingFault>,
}

impl Check {
    fn fields(&mut self, settings: &MappingSettings) -> Vec<(Field, Expressions)> {
        let mut fields = Vec::new();
        for (key, feed) in &settings.fields {
            if let Some(field) = self.field(key) {
                fields.push((field, self.expressions(key, feed)));
            }
        }
        fields
    }

    fn field(&mut self, key: &str) -> Option<Field> {
        let field = Field::parse(key);
        if field.is_none() {
            let names: Vec<String> = Field::all().map(Field::name).collect();
            let near = hint(key, names.iter().map(String::as_str));
            self.faults.push(SettingFault::new(key, format!("is not a field that can be mapped{near}")));
        }
        field
    }

    fn expressions(&mut self, key: &str, feed: &Feed) -> Expressions {
        let mut choices = Vec::new();
        for (index, source) in feed.sources.iter().enumerate() {
            if source.trim().is_empty() {
                continue;
            }
            // Several templates of one setting need names of their own in the engine.
            let name = if index == 0 { key.to_owned() } else { format!("{key}[{index}]") };
            if !Template::is_one(source) {
                choices.push(Expression::Column(source.clone()));
            } else if let Some(template) = self.columns_template(&name, source) {
                choices.push(Expression::Template(template));
            }
        }
        Expressions { choices, may_be_absent: feed.may_be_absent }
    }

    fn values(&mut self, settings: &MappingSettings) -> Vec<(Field, ValueMap)> {
        let mut values = Vec::new();
        for (key, table) in &settings.values {
            if let Some(field) = self.field(key) {
                values.push((field, ValueMap::new(table)));
            }
        }
        values
    }

    /// One that is not understood would be taken for a customer's.
    fn own_numbers(&mut self, settings: &MappingSettings) -> Vec<String> {
        let mut numbers = Vec::new();
        for written in &settings.own_numbers {
            let why = match read_number(written) {
                Ok(Some(number)) => {
                    numbers.push(settings.forms.numbers.complete(number));
                    continue;
                }
                Ok(None) => "is no phone number".to_owned(),
                Err(fault) => fault.to_string(),
            };
            let reason = format!("holds `{written}`, which {why}");
            self.faults.push(SettingFault::new("source.own_numbers", reason));
        }
        numbers
    }

    /// A template over the columns of a row.
    fn columns_template(&mut self, key: &str, source: &str) -> Option<Template> {
        Template::over_columns(&mut self.engine, key, source).map_err(|fault| self.faults.push(fault)).ok()
    }

    fn template(&mut self, key: &str, source: &str) -> Option<Template> {
        Template::over_call(&mut self.engine, key, source).map_err(|fault| self.faults.push(fault)).ok()
    }

    /// A template over a call; `None` too where nothing is given.
    fn call_template(&mut self, key: &str, source: &str) -> Option<Template> {
        if source.trim().is_empty() {
            return None;
        }
        let template = self.template(key, source)?;
        for name in self.engine.variables(key) {
            if CallView::variables().any(|known| known == name) {
                continue;
            }
            let near = hint(&name, CallView::variables());
            let known = list(CallView::variables());
            let reason = format!(
                "names the unknown variable `{name}`{near}; known are {known}, and any column as `row[\"name\"]`"
            );
            self.faults.push(SettingFault::new(key, reason));
        }
        Some(template)
    }

    fn group(&mut self, value: &str) -> Group {
        const KEY: &str = "conversation.group_by";
        match value.trim() {
            "" | "customer" => Group::Customer,
            "call" => Group::Call,
            source if Template::is_one(source) => {
                self.call_template(KEY, source).map_or(Group::Customer, Group::Template)
            }
            other => {
                let reason = format!(
                    "is `{other}`: `customer`, `call` or a template such as `{{{{ line }}}}` is needed"
                );
                self.faults.push(SettingFault::new(KEY, reason));
                Group::Customer
            }
        }
    }

    fn inbox_by(&mut self, value: &str) -> Option<Expression> {
        if Template::is_one(value) {
            return self.call_template("conversation.inbox_by", value).map(Expression::Template);
        }
        (!value.trim().is_empty()).then(|| Expression::Column(value.trim().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_the_settings_is_told_at_once() {
        let settings = MappingSettings {
            fields: [("call.strated_at", "x"), ("call.notes", "a\n{{ b"), ("call.id", "{% fi %}")]
                .map(|(key, value)| (key.to_owned(), value.into()))
                .into(),
            group_by: "line".into(),
            subject: "Calls of {{ custmer }}".into(),
            text: Some("{{ notes ".into()),
            skip: Some("{{ row['x'] == 1 and statsu }}".into()),
            own_numbers: vec!["+1 555 0100, +1 555 0101".into(), "+1 555 0102".into(), "Sales".into()],
            ..MappingSettings::default()
        };
        let faults: Vec<String> =
            Mapping::new(settings).unwrap_err().iter().map(ToString::to_string).collect();
        let expected = [
            "`call.id` fails on line 1: ",
            "`call.notes` fails on line 2: ",
            "`call.strated_at` is not a field that can be mapped (did you mean `call.started_at`?)",
            "`source.own_numbers` holds `+1 555 0100, +1 555 0101`, which holds several phone numbers: one is needed",
            "`source.own_numbers` holds `Sales`, which is no phone number",
            "`conversation.group_by` is `line`: ",
            "`conversation.subject` names the unknown variable `custmer` (did you mean `customer`?); known are `id`, ",
            "`text.template` fails on line 1: ",
            "`source.skip` names the unknown variable `statsu` (did you mean `status`?)",
        ];
        assert_eq!(faults.len(), expected.len(), "{faults:#?}");
        for (fault, expected) in faults.iter().zip(expected) {
            assert!(fault.starts_with(expected), "{fault}");
        }
    }
}
