//! One of several records of a call: a leg of a transfer, or an extension that rang.
//!
//! Which record stands for the call is known only once the input is read to its end. Until then each carries both: the call
//! that it would be, and the line that it adds where another one stands.

use super::{Call, CallKey, Moment, Rejection};

/// Stands in a text where the lines of the call's other records go. Like [`super::REFERENCE_SLOT`] it is a control
/// character, which no source can hold; it is filled in when the records of a call are joined.
pub const LEGS_SLOT: char = '\u{1}';

/// Stands in a text at the place of the agent's line where the record itself names no agent.
pub const AGENT_SLOT: char = '\u{2}';

/// The most lines that a call takes: a text must stay readable, and within a request.
pub const MOST_LEGS: usize = 100;

/// A row that shares its call with other rows.
#[derive(Debug, Clone, PartialEq)]
pub struct CallRecord {
    /// Which call it tells of.
    pub group: CallGroup,
    /// What a call of this row's own id would be known by.
    pub key: Option<CallKey>,
    /// When it last changed, in milliseconds since 1970.
    pub updated_at: Option<i64>,
    /// What it adds where another record stands for the call.
    pub leg: Leg,
    /// The call where this record stands for it, with its slots; or what it lacks.
    pub call: Result<Call, Rejection>,
    /// Whether it is not only incomplete but wrong: it is rejected whatever the others say, and none of them stands for the
    /// call in its place.
    pub is_wrong: bool,
}

/// What the records of one call share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallGroup {
    /// The value as the row gives it.
    pub value: String,
    /// What the call is known by that has this value as its id.
    pub root: CallKey,
    /// What a call is known by that stands for this value without having it as its id.
    pub alias: CallKey,
    /// Whether the row names no group: its own id stands in, so that legs that name it find it.
    pub implied: bool,
}

/// What a record adds to the text of its call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leg {
    /// When it began.
    pub started_at: Option<Moment>,
    /// The rest of its line, HTML.
    pub told: String,
    /// Its agent, HTML.
    pub agent: Option<String>,
}

impl CallGroup {
    /// Of the rows of the source `source_name` that give `value`.
    pub fn new(source_name: &str, value: &str, implied: bool) -> Self {
        let root = CallKey::from_id(source_name, value);
        Self { value: value.to_owned(), root, alias: CallKey::from_group(source_name, value), implied }
    }
}

impl CallRecord {
    /// Whether its id is the value that the records share: it stands for the call wherever it is whole.
    pub fn is_root(&self) -> bool {
        self.key == Some(self.group.root)
    }
}

/// The text of a call that began at `started_at`, with the lines of its `legs` in place of its slots. `more` legs go without
/// a line of their own.
pub fn join_legs(text: &str, started_at: Moment, legs: &[Leg], more: u64) -> String {
    let day = started_at.to_string();
    let mut lines: Vec<String> = legs.iter().map(|leg| leg.line(day.get(..10).unwrap_or_default())).collect();
    lines.retain(|line| !line.is_empty());
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    let text = text.replace(AGENT_SLOT, &only_agent(legs).unwrap_or_default());
    if lines.is_empty() {
        without_slot(&text)
    } else {
        text.replace(LEGS_SLOT, &format!("Legs:\n{}", lines.join("\n")))
    }
}

impl Leg {
    /// `14:05:31 UTC · Ada Agent · answered · 1 min 12 s`; with its date where that is not `day`.
    fn line(&self, day: &str) -> String {
        let time = self.started_at.map(|moment| moment.to_string()).unwrap_or_default();
        let (date, clock) = (time.get(..10).unwrap_or_default(), time.get(11..19).unwrap_or_default());
        let mut line = match clock {
            "" => String::new(),
            _ if date == day => format!("{clock} UTC"),
            _ => format!("{date} {clock} UTC"),
        };
        if !line.is_empty() && !self.told.is_empty() {
            line.push_str(" · ");
        }
        line + &self.told
    }
}

/// The agent's line, where the legs name one agent and no other.
fn only_agent(legs: &[Leg]) -> Option<String> {
    let mut agents = legs.iter().filter_map(|leg| leg.agent.as_deref());
    let first = agents.next()?;
    agents.all(|agent| agent == first).then(|| format!("Agent: {first}\n"))
}

/// Takes the slot out; where it begins a line, with the blank line that it would have left.
fn without_slot(text: &str) -> String {
    let mut left = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(LEGS_SLOT) {
        left.push_str(before);
        rest = after;
        if left.is_empty() || left.ends_with('\n') {
            rest = rest.strip_prefix("\n\n").or_else(|| rest.strip_prefix('\n')).unwrap_or(rest);
        }
    }
    left + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Inbound call\n\u{2}Duration: 5 s\n\n\u{1}\n\n\0";

    fn at(text: &str) -> Moment {
        Moment::parse_api(text).unwrap()
    }

    fn leg(time: Option<&str>, told: &str, agent: Option<&str>) -> Leg {
        Leg { started_at: time.map(at), told: told.into(), agent: agent.map(str::to_owned) }
    }

    fn joined(legs: &[Leg], more: u64) -> String {
        join_legs(TEXT, at("2026-03-30T14:05:09Z"), legs, more)
    }

    #[test]
    fn legs_stand_under_the_details_and_their_only_agent_among_them() {
        let legs = [
            leg(Some("2026-03-30T14:05:31Z"), "Ada · answered · 1 min 12 s", Some("Ada")),
            leg(Some("2026-03-31T00:00:01Z"), "", None),
            leg(None, "missed", None),
            Leg::default(),
        ];
        let told = "Inbound call\nAgent: Ada\nDuration: 5 s\n\nLegs:\n14:05:31 UTC · Ada · answered · 1 min 12 s\n\
             2026-03-31 00:00:01 UTC\nmissed\n\n\0";
        assert_eq!(joined(&legs, 0), told);
        let two = [leg(None, "Ada", Some("Ada")), leg(None, "Bo", Some("Bo"))];
        assert_eq!(joined(&two, 7), "Inbound call\nDuration: 5 s\n\nLegs:\nAda\nBo\nand 7 more\n\n\0");
    }

    #[test]
    fn a_call_without_legs_reads_as_one_that_has_no_slots() {
        assert_eq!(joined(&[], 0), "Inbound call\nDuration: 5 s\n\n\0");
        let start = at("2026-03-30T14:05:09Z");
        assert_eq!(join_legs("a (\u{1})\n\0", start, &[], 0), "a ()\n\0");
        assert_eq!(join_legs("\u{1}\na \u{1}\nb", start, &[], 0), "a \nb");
    }
}
