//! The fields that a row may feed, by the dotted names that they have in the configuration.

use crate::call::FIELD_RULES;

/// One field of a call, its customer or its conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field(usize);

/// The fields but the optional ones of a customer, which [`FIELD_RULES`] lists; in the order of the constants below.
const NAMES: [&str; 23] = [
    "call.id",
    "call.started_at",
    "call.ended_at",
    "call.duration",
    "call.direction",
    "call.status",
    "call.agent",
    "call.line",
    "call.from",
    "call.to",
    "call.recording",
    "call.notes",
    "call.tags",
    "call.updated_at",
    "call.ringing",
    "call.ticket",
    "call.time_zone",
    "customer.id",
    "customer.email",
    "customer.phone",
    "conversation.id",
    "call.group",
    "call.clock",
];

impl Field {
    pub(super) const ID: Self = Self(0);
    pub(super) const STARTED_AT: Self = Self(1);
    pub(super) const ENDED_AT: Self = Self(2);
    pub(super) const DURATION: Self = Self(3);
    pub(super) const DIRECTION: Self = Self(4);
    pub(super) const STATUS: Self = Self(5);
    pub(super) const AGENT: Self = Self(6);
    pub(super) const LINE: Self = Self(7);
    pub(super) const FROM: Self = Self(8);
    pub(super) const TO: Self = Self(9);
    pub(super) const RECORDING: Self = Self(10);
    pub(super) const NOTES: Self = Self(11);
    pub(super) const TAGS: Self = Self(12);
    pub(super) const UPDATED_AT: Self = Self(13);
    pub(super) const RINGING: Self = Self(14);
    pub(super) const TICKET: Self = Self(15);
    pub(super) const TIME_ZONE: Self = Self(16);
    pub(super) const CUSTOMER_ID: Self = Self(17);
    pub(super) const EMAIL: Self = Self(18);
    pub(super) const PHONE: Self = Self(19);
    pub(super) const CONVERSATION_ID: Self = Self(20);
    pub(super) const GROUP: Self = Self(21);
    pub(super) const CLOCK: Self = Self(22);

    /// How many there are.
    pub(super) const COUNT: usize = NAMES.len() + FIELD_RULES.len();

    /// The optional field of a customer that stands at `index` of [`FIELD_RULES`].
    pub(super) fn optional(index: usize) -> Self {
        Self(NAMES.len() + index)
    }

    pub(super) fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT).map(Self)
    }

    pub(super) fn index(self) -> usize {
        self.0
    }

    /// The dotted name.
    pub(super) fn name(self) -> String {
        match NAMES.get(self.0) {
            Some(name) => (*name).to_owned(),
            None => format!("customer.{}", FIELD_RULES[self.0 - NAMES.len()].key),
        }
    }

    /// By its dotted name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::all().find(|field| field.name() == name)
    }

    /// By the name that it has in a template: those of the call stand alone.
    pub(super) fn parse_in_template(name: &str) -> Option<Self> {
        Self::parse(name).or_else(|| Self::parse(&format!("call.{name}")))
    }

    /// The headings that feed it without being named. `id` alone is the call's, and a `clock` may be anything. No heading makes
    /// rows records of one call: of JSON nobody knows before its end whether a key comes, and every row would have to be kept
    /// until then.
    pub(super) fn own_names(self) -> Vec<String> {
        if self == Self::GROUP {
            return Vec::new();
        }
        let name = self.name();
        let mut names = vec![name.replace('.', "_")];
        if ![Self::CUSTOMER_ID, Self::CONVERSATION_ID, Self::CLOCK].contains(&self) {
            names.extend(name.split('.').next_back().map(str::to_owned));
        }
        names.insert(0, name);
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_found_by_its_name() {
        for field in Field::all() {
            assert_eq!(Field::parse(&field.name()), Some(field));
        }
        assert_eq!(Field::parse("call.notes"), Some(Field::NOTES));
        assert_eq!(Field::parse("conversation.id"), Some(Field::CONVERSATION_ID));
        assert_eq!(Field::parse("customer.first_name"), Some(Field::optional(0)));
        assert_eq!(Field::parse("call.colour"), None);
    }

    #[test]
    fn no_two_fields_are_fed_by_one_heading() {
        let mut names: Vec<String> = Field::all().flat_map(Field::own_names).collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
        assert_eq!(Field::CUSTOMER_ID.own_names(), ["customer.id", "customer_id"]);
        assert!(Field::GROUP.own_names().is_empty());
        assert_eq!(Field::EMAIL.own_names(), ["customer.email", "customer_email", "email"]);
    }
}
