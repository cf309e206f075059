//! A row as templates see it: columns by their names.

use std::{collections::BTreeMap, sync::Arc};

use minijinja::{
    Value,
    value::{Enumerator, Object},
};

use crate::call::Cells;

/// `row["Column name"]`, or in the templates of `[call]` and `[customer]` the columns themselves. A cell of white space is
/// undefined, as a value that is not given.
#[derive(Debug)]
pub(super) struct RowView(Cells);

/// The columns as variables, with `row` beside them.
#[derive(Debug)]
struct Columns {
    row: Value,
}

/// The value that templates know as `row`.
pub(super) fn row_value(cells: &Cells) -> Value {
    Value::from_object(RowView(cells.clone()))
}

/// The context of a field's template.
pub(super) fn columns_value(row: Value) -> Value {
    Value::from_object(Columns { row })
}

impl Object for RowView {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        if let Cells::Json(object) = &self.0
            && let Some(value) = object.get(name)
        {
            return json(value);
        }
        self.0.value(name).filter(|text| !text.trim().is_empty()).map(Value::from)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.pairs().into_iter().map(|(name, _)| Value::from(name)).collect())
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
            r#"{"id": 12345678901234567890123, "n": 5, "who": {"names": ["Jo", "Doe"]}, "Call Tag": "x", "blank": " "}"#,
        )
        .unwrap() else {
            unreachable!("an object was written above")
        };
        let mut engine = Engine::new();
        engine.add("k", source).unwrap();
        engine.render("k", columns_value(row_value(&Cells::Json(object)))).unwrap()
    }

    #[test]
    fn columns_are_variables_and_row_gives_any_of_them() {
        assert_eq!(render("{{ n + 1 }} {{ id }}"), "6 12345678901234567890123");
        assert_eq!(render("{{ who.names[0] }} {{ who.names | join(' ') }}"), "Jo Jo Doe");
        assert_eq!(render("{{ row['Call Tag'] }}{{ row['who.names.1'] }}{{ row['no'] }}"), "xDoe");
        assert_eq!(render("{{ blank | default('none') }}"), "none");
        assert_eq!(render("{% for name in row %}{{ name }},{% endfor %}"), "id,n,who,Call Tag,blank,");
    }
}
