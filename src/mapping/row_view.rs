//! A row as templates see it: columns by their names.

use std::{collections::BTreeMap, sync::Arc};

use minijinja::{
    Value,
    value::{Enumerator, Object},
};

use crate::call::Cells;

/// Words that mean that nothing is given.
#[derive(Debug, Default)]
pub(super) struct Nothing {
    words: Vec<String>,
    longest: usize,
}

impl Nothing {
    pub(super) fn new(words: &[String]) -> Self {
        let words: Vec<String> = words.iter().map(|word| word.trim().to_owned()).collect();
        Self { longest: words.iter().map(String::len).max().unwrap_or_default(), words }
    }

    /// `text` without outer white space; `None` where nothing is left or it means nothing.
    pub(super) fn given<'t>(&self, text: &'t str) -> Option<&'t str> {
        let text = text.trim();
        let is_word = || self.words.iter().any(|word| word.eq_ignore_ascii_case(text));
        (!text.is_empty() && (text.len() > self.longest || !is_word())).then_some(text)
    }
}

/// `row["Column name"]`, or in the templates of `[call]` and `[customer]` the columns themselves. A cell of white space or
/// of a word for nothing is undefined, as a value that is not given.
#[derive(Debug)]
pub(super) struct RowView {
    cells: Cells,
    nothing: Arc<Nothing>,
}

/// The columns as variables, with `row` beside them.
#[derive(Debug)]
struct Columns {
    row: Value,
}

/// The value that templates know as `row`.
pub(super) fn row_value(cells: &Cells, nothing: &Arc<Nothing>) -> Value {
    Value::from_object(RowView { cells: cells.clone(), nothing: Arc::clone(nothing) })
}

/// The context of a field's template.
pub(super) fn columns_value(row: Value) -> Value {
    Value::from_object(Columns { row })
}

impl Object for RowView {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        if let Cells::Json(object) = &self.cells
            && let Some(value) = object.get(name)
        {
            let is_given = |text: &str| self.nothing.given(text).is_some();
            return if value.as_str().is_none_or(is_given) { json(value) } else { None };
        }
        self.cells.value(name).filter(|text| self.nothing.given(text).is_some()).map(Value::from)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.cells.pairs().into_iter().map(|(name, _)| Value::from(name)).collect())
    }
}

impl Object for Columns {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        if key.as_str() == Some("row") {
            return Some(self.row.clone());
        }
        self.row.get_item(key).ok().filter(|value| !value.is_undefined())
    }
}

/// Numbers that fit keep their kind; longer ones become texts, so that no digit is lost.
fn json(value: &serde_json::Value) -> Option<Value> {
    Some(match value {
        serde_json::Value::Null => return None,
        serde_json::Value::Bool(truth) => Value::from(*truth),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Value::from(whole),
            (None, Some(decimal)) if !number.to_string().bytes().all(|byte| byte.is_ascii_digit()) => {
                Value::from(decimal)
            }
            _ => Value::from(number.to_string()),
        },
        serde_json::Value::String(text) if text.trim().is_empty() => return None,
        serde_json::Value::String(text) => Value::from(text.as_str()),
        serde_json::Value::Array(items) => items.iter().map(|item| json(item).unwrap_or_default()).collect(),
        serde_json::Value::Object(object) => {
            let members = object.iter().filter_map(|(name, value)| Some((name.as_str(), json(value)?)));
            members.collect::<BTreeMap<_, _>>().into()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::engine::Engine;

    fn render(source: &str) -> String {
        let serde_json::Value::Object(object) = serde_json::from_str(
            r#"{"id": 12345678901234567890123, "n": 5, "who": {"names": ["Jo", "Doe"]}, "Call Tag": "x", "blank": " ", "word": "[none]"}"#,
        )
        .unwrap() else {
            unreachable!("an object was written above")
        };
        let nothing = Arc::new(Nothing::new(&["[None]".to_owned()]));
        let mut engine = Engine::new();
        engine.add("k", source).unwrap();
        engine.render("k", columns_value(row_value(&Cells::Json(object), &nothing))).unwrap()
    }

    #[test]
    fn columns_are_variables_and_row_gives_any_of_them() {
        assert_eq!(render("{{ n + 1 }} {{ id }}"), "6 12345678901234567890123");
        assert_eq!(render("{{ who.names[0] }} {{ who.names | join(' ') }}"), "Jo Jo Doe");
        assert_eq!(render("{{ row['Call Tag'] }}{{ row['who.names.1'] }}{{ row['no'] }}"), "xDoe");
        assert_eq!(render("{{ blank | default('none') }} {{ word | default('none') }}"), "none none");
        assert_eq!(render("{% for name in row %}{{ name }},{% endfor %}"), "id,n,who,Call Tag,blank,word,");
    }
}
