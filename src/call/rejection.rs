//! Why a row does not become a call.

use std::fmt;

/// What kind of fault a row has. The kind is stable and is what groups problems and what "rejected alike by an earlier
/// run" compares; the words may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FaultKind {
    /// The row does not fit its headings, is not JSON, or has invalid bytes or a cell over the limit.
    Unreadable,
    /// A time is missing, impossible, in the future, or cannot be told without a zone.
    Time,
    /// A duration, an id or another value has a form that is not known.
    Value,
    /// There is no way to a customer.
    Customer,
    /// The e-mail is not one.
    Email,
    /// The text renders to nothing, or a template fails.
    Text,
    /// The inbox or conversation cannot be told.
    Destination,
    /// The id of an earlier row of this run, with other content.
    Conflict,
    /// The agent matches nobody.
    Agent,
    /// The service refused the call.
    Refused,
    /// It is a record of a call that no row of the input stands for.
    Astray,
}

impl FaultKind {
    /// By its stable word.
    pub fn from_code(code: &str) -> Option<Self> {
        let all = [
            Self::Unreadable,
            Self::Time,
            Self::Value,
            Self::Customer,
            Self::Email,
            Self::Text,
            Self::Destination,
            Self::Conflict,
            Self::Agent,
            Self::Refused,
            Self::Astray,
        ];
        all.into_iter().find(|kind| kind.code() == code)
    }

    /// The stable word for this kind.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Time => "time",
            Self::Value => "value",
            Self::Customer => "customer",
            Self::Email => "email",
            Self::Text => "text",
            Self::Destination => "destination",
            Self::Conflict => "conflict",
            Self::Agent => "agent",
            Self::Refused => "refused",
            Self::Astray => "astray",
        }
    }
}

/// One fault of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What kind.
    pub kind: FaultKind,
    /// The heading of the column at fault, or the configuration's key where a template is at fault.
    pub column: Option<String>,
    /// The value at fault, shortened to 80 characters.
    pub value: Option<String>,
    /// What is wrong and what to do, as a lower-case fragment.
    pub reason: String,
}

impl Fault {
    /// A fault of the row as a whole.
    pub fn new(kind: FaultKind, reason: impl Into<String>) -> Self {
        Self { kind, column: None, value: None, reason: reason.into() }
    }

    /// The fault of a `value` in a `column`.
    pub fn of_value(
        kind: FaultKind,
        column: impl Into<String>,
        value: &str,
        reason: impl Into<String>,
    ) -> Self {
        Self { kind, column: Some(column.into()), value: Some(shorten(value)), reason: reason.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.column, &self.value) {
            (Some(column), Some(value)) if !value.is_empty() => {
                write!(f, "{column} `{value}`: {}", self.reason)
            }
            (Some(column), _) => write!(f, "{column}: {}", self.reason),
            _ => f.write_str(&self.reason),
        }
    }
}

/// Every fault of a row that became no call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// At least one.
    pub faults: Vec<Fault>,
}

impl Rejection {
    /// A rejection for one fault.
    pub fn one(fault: Fault) -> Self {
        Self { faults: vec![fault] }
    }

    /// The kinds of its faults, for comparing with an earlier run's.
    pub fn codes(&self) -> String {
        let mut codes: Vec<&str> = self.faults.iter().map(|fault| fault.kind.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        codes.join("+")
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

/// Something that was left out or changed while the call went in all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// What happened, without the value, so that equal warnings can be counted.
    pub reason: String,
}

fn shorten(value: &str) -> String {
    const MOST: usize = 80;
    if value.chars().count() <= MOST {
        return value.to_owned();
    }
    let mut short: String = value.chars().take(MOST - 1).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_value_is_shortened_and_all_faults_are_told() {
        let rejection = Rejection {
            faults: vec![
                Fault::of_value(FaultKind::Time, "start time", &"9".repeat(200), "not a time"),
                Fault::new(FaultKind::Customer, "no customer"),
            ],
        };
        let told = rejection.to_string();
        assert!(
            told.starts_with("start time `999") && told.ends_with("…`: not a time; no customer"),
            "{told}"
        );
        assert_eq!(rejection.codes(), "customer+time");
    }
}
