//! A template of a setting.
//!
//! Most are plain: text with variables and nothing else. Those are filled in here, without the engine, which would cost more
//! than all the rest of reading a row. Everything else goes to the engine, and both give the same.

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

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Variable(String),
}

impl Template {
    /// Whether a setting's value is a template at all.
    pub(super) fn is_one(value: &str) -> bool {
        value.contains("{{") || value.contains("{%")
    }

    /// Checks `source`, the value of the setting `key`.
    pub(super) fn new(engine: &mut Engine, key: &str, source: &str) -> Result<Self, SettingFault> {
        let source = source.replace("\r\n", "\n");
        engine.add(key, &source).map_err(|reason| SettingFault::new(key, reason))?;
        // The engine drops the last line end of a template.
        let plain = parts(source.strip_suffix('\n').unwrap_or(&source));
        Ok(Self { key: key.to_owned(), plain })
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

/// The parts of a plain template.
fn parts(source: &str) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut rest = source;
    while let Some((before, after)) = rest.split_once("{{") {
        let (inner, behind) = after.split_once("}}")?;
        let path = inner.trim();
        let name = |step: &str| {
            step.starts_with(|letter: char| letter.is_ascii_lowercase())
                && step.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        };
        if !path.split('.').all(name) || !CallView::knows(path) {
            return None;
        }
        parts.push(Part::Literal(before.to_owned()));
        parts.push(Part::Variable(path.to_owned()));
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
            assert!(parts(source).is_some(), "{source}");
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
            assert!(parts(source).is_none(), "{source}");
        }
    }
}
