//! A call as templates see it: its fields by their names, `customer`, `conversation`, `reference` and `row`.

use std::{borrow::Cow, cell::OnceCell, fmt, sync::Arc};

use minijinja::{
    Value,
    value::{Enumerator, Object},
};

use super::{field::Field, reading::Reading, row_view::row_value};
use crate::call::{Cells, Customer, FIELD_RULES, LEGS_SLOT, REFERENCE_SLOT};

/// What was read of a call so far; a field that could not be read is undefined.
pub(super) struct CallView<'r> {
    pub(super) reading: &'r Reading<'r>,
    pub(super) customer: &'r Customer,
    pub(super) conversation: Option<u64>,
    cells: &'r Cells,
    value: OnceCell<Value>,
}

/// The fields of a call in templates.
const FIELDS: &[(&str, Field)] = &[
    ("id", Field::ID),
    ("started_at", Field::STARTED_AT),
    ("ended_at", Field::ENDED_AT),
    ("duration", Field::DURATION),
    ("ringing", Field::RINGING),
    ("direction", Field::DIRECTION),
    ("status", Field::STATUS),
    ("agent", Field::AGENT),
    ("line", Field::LINE),
    ("from", Field::FROM),
    ("to", Field::TO),
    ("recording", Field::RECORDING),
    ("notes", Field::NOTES),
    ("tags", Field::TAGS),
    ("updated_at", Field::UPDATED_AT),
    ("ticket", Field::TICKET),
    ("group", Field::GROUP),
];

const OTHERS: &[&str] = &["customer", "conversation", "reference", "legs", "row"];

impl<'r> CallView<'r> {
    pub(super) fn new(
        reading: &'r Reading<'r>,
        customer: &'r Customer,
        conversation: Option<u64>,
        cells: &'r Cells,
    ) -> Self {
        Self { reading, customer, conversation, cells, value: OnceCell::new() }
    }

    /// The row itself.
    pub(super) fn cells(&self) -> &'r Cells {
        self.cells
    }

    /// Every variable that a template may name.
    pub(super) fn variables() -> impl Iterator<Item = &'static str> {
        FIELDS.iter().map(|(name, _)| *name).chain(OTHERS.iter().copied())
    }

    /// Whether [`Self::text`] can tell what stands at `path`.
    pub(super) fn knows(path: &str) -> bool {
        match path.split_once('.') {
            None => path != "row" && Self::variables().any(|name| name == path),
            Some(("customer", key)) => {
                ["id", "email", "phone"].contains(&key) || FIELD_RULES.iter().any(|rule| rule.key == key)
            }
            Some(("conversation", key)) => key == "id",
            Some(_) => false,
        }
    }

    /// The printed form of the variable at `path`.
    pub(super) fn text(&self, path: &str) -> Option<Cow<'_, str>> {
        match path {
            "customer" => Some(Cow::Owned(self.customer.shown())),
            "conversation" | "conversation.id" => self.conversation.map(|id| Cow::Owned(id.to_string())),
            "reference" => Some(Cow::Owned(REFERENCE_SLOT.to_string())),
            "legs" => self.reading.group().map(|_| Cow::Owned(LEGS_SLOT.to_string())),
            _ => match path.split_once('.') {
                Some((_, key)) => self.customer_field(key),
                None => {
                    FIELDS.iter().find(|(name, _)| *name == path).and_then(|(_, field)| self.field(*field))
                }
            },
        }
    }

    fn customer_field(&self, key: &str) -> Option<Cow<'_, str>> {
        match key {
            "id" => self.customer.id.map(|id| Cow::Owned(id.to_string())),
            "email" => self.customer.email.as_deref().map(Cow::Borrowed),
            "phone" => self.customer.phone.as_deref().map(Cow::Borrowed),
            _ => {
                let rule = FIELD_RULES.iter().find(|rule| rule.key == key)?;
                self.customer.field(rule.name).map(Cow::Borrowed)
            }
        }
    }

    /// A field in its normal form: times in UTC, the duration in seconds, the direction by its normal word.
    fn field(&self, field: Field) -> Option<Cow<'_, str>> {
        let moment = |time: Option<crate::call::Moment>| time.map(|moment| Cow::Owned(moment.to_string()));
        match field {
            Field::STARTED_AT => moment(self.reading.started_at),
            Field::ENDED_AT => moment(self.reading.ended_at),
            Field::DURATION => self.reading.duration.map(|seconds| Cow::Owned(seconds.to_string())),
            Field::RINGING => self.reading.ringing.map(|seconds| Cow::Owned(seconds.to_string())),
            Field::DIRECTION => self.reading.direction.as_deref().map(Cow::Borrowed),
            other => self.reading.text(other).map(Cow::Borrowed),
        }
    }

    /// The context for the engine.
    pub(super) fn value(&self) -> Value {
        self.value.get_or_init(|| Value::from_object(self.context(false))).clone()
    }

    /// The same with an unknown duration as something that is neither less nor equal to any number: by itself the engine
    /// takes what is undefined for less than every number.
    pub(super) fn value_with_unknown_duration(&self) -> Value {
        Value::from_object(self.context(true))
    }

    fn context(&self, unknown_duration: bool) -> Named {
        let mut values: Vec<(&'static str, Value)> = FIELDS
            .iter()
            .filter(|(_, field)| *field != Field::DURATION && *field != Field::RINGING)
            .filter_map(|(name, field)| Some((*name, Value::from(self.field(*field)?))))
            .collect();
        values.extend(self.reading.ringing.map(|seconds| ("ringing", Value::from(seconds))));
        match self.reading.duration {
            Some(seconds) => values.push(("duration", Value::from(seconds))),
            None if unknown_duration => values.push(("duration", Value::from_object(Unknown))),
            None => {}
        }
        let keys = ["id", "email", "phone"].into_iter().chain(FIELD_RULES.iter().map(|rule| rule.key));
        let of_customer =
            keys.filter_map(|key| Some((key, Value::from(self.customer_field(key)?)))).collect();
        let customer = Named { shown: self.customer.shown(), values: of_customer };
        let id = self.conversation.map(|id| ("id", Value::from(id)));
        let shown = self.conversation.map(|id| id.to_string()).unwrap_or_default();
        values.push(("customer", Value::from_object(customer)));
        values.push(("conversation", Value::from_object(Named { shown, values: id.into_iter().collect() })));
        values.push(("reference", Value::from(REFERENCE_SLOT.to_string())));
        if self.reading.group().is_some() {
            values.push(("legs", Value::from(LEGS_SLOT.to_string())));
        }
        values.push(("row", row_value(self.cells, self.reading.nothing())));
        Named { shown: String::new(), values }
    }
}

/// An object with few members that prints as one text.
#[derive(Debug)]
struct Named {
    shown: String,
    values: Vec<(&'static str, Value)>,
}

impl Object for Named {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let key = key.as_str()?;
        self.values.iter().find(|(name, _)| *name == key).map(|(_, value)| value.clone())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.values.iter().map(|(name, _)| Value::from(*name)).collect())
    }

    fn is_true(self: &Arc<Self>) -> bool {
        !self.shown.is_empty()
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// A number that nobody knows.
#[derive(Debug)]
pub(super) struct Unknown;

impl Object for Unknown {
    fn repr(self: &Arc<Self>) -> minijinja::value::ObjectRepr {
        minijinja::value::ObjectRepr::Plain
    }

    fn is_true(self: &Arc<Self>) -> bool {
        false
    }

    fn render(self: &Arc<Self>, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}
