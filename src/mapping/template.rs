//! A template of a setting.
//!
//! Most are plain: text with variables and nothing else. Those are filled in here or in `bound`, without the engine, which
//! would cost more than all the rest of reading a row. Everything else goes to the engine, and both give the same, but for
//! one thing: a plain template over columns gives nothing where all its columns are empty.

use super::{
    call_view::CallView,
    engine::{Engine, TEXT_KEY},
    escape::escape_anywhere,
    fault::SettingFault,
};
use crate::call::{Fault, FaultKind};

/// A checked template.
#[derive(Debug, Clone)]
pub(super) struct Template {
    key: String,
    plain: Option<Vec<Part>>,
}

/// A piece of a plain template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// Text as it stands.
    Literal(String),
    /// A field of the call by its path, or a column by its name.
    Variable(String),
}

impl Template {
    /// Whether a setting's value is a template at all.
    pub(super) fn is_one(value: &str) -> bool {
        value.contains("{{") || value.contains("{%")
    }

    /// Checks `source`, the value of the setting `key`, whose variables are the fields of a call.
    pub(super) fn over_call(engine: &mut Engine, key: &str, source: &str) -> Result<Self, SettingFault> {
        Self::new(engine, key, source, call_variable)
    }

    /// The same where its variables are the columns of a row.
    pub(super) fn over_columns(engine: &mut Engine, key: &str, source: &str) -> Result<Self, SettingFault> {
        Self::new(engine, key, source, column)
    }

    fn new(
        engine: &mut Engine,
        key: &str,
        source: &str,
        variable: fn(&str) -> Option<String>,
    ) -> Result<Self, SettingFault> {
        let source = source.replace("\r\n", "\n");
        engine.add(key, &source).map_err(|reason| SettingFault::new(key, reason))?;
        // The engine drops the last line end of a template.
        let plain = parts(source.strip_suffix('\n').unwrap_or(&source), variable);
        Ok(Self { key: key.to_owned(), plain })
    }

    /// Its pieces, where it is plain.
    pub(super) fn plain(&self) -> Option<&[Part]> {
        self.plain.as_deref()
    }

    /// The setting that it stands in.
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// Renders it over a call.
    pub(super) fn render(&self, engine: &Engine, call: &CallView<'_>) -> Result<String, Fault> {
        match &self.plain {
            Some(parts) => Ok(fill(parts, call, self.key == TEXT_KEY)),
            None => self.render_value(engine, call.value()),
        }
    }

    /// Renders it by the engine.
    pub(super) fn render_value(&self, engine: &Engine, context: minijinja::Value) -> Result<String, Fault> {
        engine.render(&self.key, context).map_err(|reason| self.fault(reason))
    }

    /// A row's fault that this template has brought about.
    pub(super) fn fault(&self, reason: impl Into<String>) -> Fault {
        Fault { kind: FaultKind::Text, column: Some(self.key.clone()), value: None, reason: reason.into() }
    }
}

fn fill(parts: &[Part], call: &CallView<'_>, html: bool) -> String {
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Literal(literal) => text.push_str(literal),
            Part::Variable(path) => {
                let value = call.text(path).unwrap_or_default();
                if html { text.push_str(&escape_anywhere(&value)) } else { text.push_str(&value) }
            }
        }
    }
    text
}

/// The path of a call's field that may be filled in without the engine.
fn call_variable(expression: &str) -> Option<String> {
    let name = |step: &str| {
        step.starts_with(|letter: char| letter.is_ascii_lowercase())
            && step.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    (expression.split('.').all(name) && CallView::knows(expression)).then(|| expression.to_owned())
}

/// The name of a column: as a variable, or as `row["name"]`.
fn column(expression: &str) -> Option<String> {
    if let Some(rest) = expression.strip_prefix("row[") {
        let quoted = rest.strip_suffix(']')?.trim();
        let quote = quoted.chars().next().filter(|letter| matches!(letter, '"' | '\''))?;
        let name = quoted.strip_prefix(quote)?.strip_suffix(quote)?;
        return (!name.contains([quote, '\\'])).then(|| name.to_owned());
    }
    let words = ["row", "true", "false", "none", "True", "False", "None"];
    let is_name = expression.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
        && expression.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (is_name && !words.contains(&expression)).then(|| expression.to_owned())
}

/// The parts of a plain template.
fn parts(source: &str, variable: fn(&str) -> Option<String>) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut rest = source;
    while let Some((before, after)) = rest.split_once("{{") {
        let (inner, behind) = after.split_once("}}")?;
        let name = variable(inner.trim())?;
        parts.push(Part::Literal(before.to_owned()));
        parts.push(Part::Variable(name));
        rest = behind;
    }
    parts.push(Part::Literal(rest.to_owned()));
    let plain = parts.iter().all(|part| match part {
        Part::Literal(text) => !text.contains("{%") && !text.contains("{#"),
        Part::Variable(_) => true,
    });
    plain.then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_text_with_known_variables_is_plain() {
        for source in ["", "Calls", "Calls of {{ customer }}", "{{customer.email}} {{ notes }}\n"] {
            assert!(parts(source, call_variable).is_some(), "{source}");
        }
        for source in [
            "{{ notes | upper }}",
            "{{- notes }}",
            "{% if notes %}{{ notes }}{% endif %}",
            "{# note #}",
            "{{ row['x'] }}",
            "{{ 'a' }}",
            "{{ colour }}",
            "{{ customer.colour }}",
        ] {
            assert!(parts(source, call_variable).is_none(), "{source}");
        }
    }

    #[test]
    fn a_column_is_a_variable_or_an_item_of_row() {
        for (expression, name) in
            [("Date", "Date"), ("row[\"Start Day\"]", "Start Day"), ("row['a.b']", "a.b"), ("x_1", "x_1")]
        {
            assert_eq!(column(expression).as_deref(), Some(name));
        }
        for expression in
            ["row", "a.b", "a b", "row['a'] ~ 'b'", "row['a\\'b']", "none", "a | upper", "1a", "'a'"]
        {
            assert_eq!(column(expression), None, "{expression}");
        }
    }
}
