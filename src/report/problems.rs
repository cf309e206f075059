//! What `check` found wrong with rows: the first of them one by one, all of them by reason.
//!
//! Memory is bounded: an export of a million bad rows is told by a thousand of them and the counts of all.

use serde::Serialize;

use crate::call::{Fault, FaultKind};
use crate::import::RejectedRow;

use super::count::{counted, grouped};

/// Problems that are kept whole.
const MOST: usize = 1_000;
/// Problems of one reason that are shown to a person.
const EXAMPLES: usize = 3;
/// Reasons that are told apart; what comes beyond them is counted by kind.
const MOST_REASONS: usize = 100;

/// One fault of a row; its names are those of `check --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file, as the user gave it.
    pub file: String,
    /// The line on which the row begins.
    pub line: u64,
    /// The column at fault, where it is one.
    pub column: Option<String>,
    /// The value at fault, shortened.
    pub value: Option<String>,
    /// What is wrong and what to do.
    pub reason: String,
}

/// All problems of one reason in one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProblemGroup {
    /// What kind of fault.
    pub kind: FaultKind,
    /// The column at fault, where it is one.
    pub column: Option<String>,
    /// How often it came.
    pub count: u64,
    /// The first of them.
    pub examples: Vec<Problem>,
    /// The reason without what differs from row to row.
    shape: String,
}

/// The problems of all rows.
#[derive(Debug, Clone, Default)]
pub struct ProblemList {
    first: Vec<Problem>,
    groups: Vec<ProblemGroup>,
    rows: u64,
}

impl ProblemList {
    /// Takes note of a rejected row.
    pub fn add(&mut self, row: &RejectedRow) {
        self.rows += 1;
        for fault in &row.rejection.faults {
            let problem = Problem {
                file: row.position.file.to_string(),
                line: row.position.line,
                column: fault.column.clone(),
                value: fault.value.clone(),
                reason: fault.reason.clone(),
            };
            let group = self.group(fault);
            group.count += 1;
            if group.examples.len() < EXAMPLES {
                group.examples.push(problem.clone());
            }
            if self.first.len() < MOST {
                self.first.push(problem);
            }
        }
    }

    /// The first 1,000, in the order of the input.
    pub fn first(&self) -> &[Problem] {
        &self.first
    }

    /// By reason, the most frequent first.
    pub fn groups(&self) -> Vec<&ProblemGroup> {
        let mut groups: Vec<&ProblemGroup> = self.groups.iter().collect();
        groups.sort_by(|a, b| b.count.cmp(&a.count).then(a.kind.cmp(&b.kind)).then(a.shape.cmp(&b.shape)));
        groups
    }

    /// How many rows have problems.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// For a person; empty where no row has a problem.
    pub fn text(&self) -> String {
        let mut lines = Vec::new();
        for group in self.groups() {
            lines.push(format!("{} – {}", headline(group), counted(group.count, "row")));
            lines.extend(group.examples.iter().map(|problem| format!("  {}", shown(problem, group))));
            let more = group.count.saturating_sub(group.examples.len() as u64);
            if more > 0 {
                lines.push(format!("  and {} more", grouped(more)));
            }
            lines.push(format!("  → {}", what_to_do(group)));
        }
        if lines.is_empty() { String::new() } else { lines.join("\n") + "\n" }
    }

    fn group(&mut self, fault: &Fault) -> &mut ProblemGroup {
        let (mut column, mut shape) = (fault.column.clone(), shape(&fault.reason));
        let mut at = self.find(fault.kind, column.as_ref(), &shape);
        if at.is_none() && self.groups.len() >= MOST_REASONS {
            (column, shape) = (None, String::new());
            at = self.find(fault.kind, None, "");
        }
        let at = at.unwrap_or_else(|| {
            self.groups.push(ProblemGroup {
                kind: fault.kind,
                column,
                count: 0,
                examples: Vec::new(),
                shape,
            });
            self.groups.len() - 1
        });
        &mut self.groups[at]
    }

    fn find(&self, kind: FaultKind, column: Option<&String>, shape: &str) -> Option<usize> {
        let is_it = |group: &ProblemGroup| {
            group.kind == kind && group.column.as_ref() == column && group.shape == shape
        };
        self.groups.iter().position(is_it)
    }
}

/// A reason without its numbers and quoted values, which differ from row to row.
fn shape(reason: &str) -> String {
    let mut shape = String::with_capacity(reason.len());
    for (index, part) in reason.split('`').enumerate() {
        // What is between two marks is a value or a name; names of settings stay apart.
        let is_setting = part.contains('.')
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'.' | b'_'));
        match index % 2 {
            1 if !is_setting => shape.push('`'),
            _ => shape.extend(part.chars().map(|letter| if letter.is_ascii_digit() { '#' } else { letter })),
        }
    }
    shape
}

/// The reason, and where it stands.
fn headline(group: &ProblemGroup) -> String {
    let reason = group.examples.first().map_or("", |problem| problem.reason.as_str());
    match &group.column {
        _ if group.shape.is_empty() => format!("more {}", title(group.kind)),
        Some(column) => format!("{column}: {reason}"),
        None => reason.to_owned(),
    }
}

/// The place and the value; the reason only where it is not that of the headline.
fn shown(problem: &Problem, group: &ProblemGroup) -> String {
    let Problem { file, line, column, value, reason } = problem;
    let mut text = format!("{file}:{line}");
    if let Some(value) = value.as_ref().filter(|value| !value.is_empty()) {
        let name = column
            .as_ref()
            .filter(|_| group.column.is_none())
            .map_or(String::new(), |name| format!("{name} "));
        text = format!("{text}: {name}`{value}`");
    }
    let told = group.examples.first().is_some_and(|first| first.reason == *reason) && !group.shape.is_empty();
    if told { text } else { format!("{text}: {reason}") }
}

/// What a person can set or mend.
fn what_to_do(group: &ProblemGroup) -> &'static str {
    let says = |word: &str| group.examples.first().is_some_and(|problem| problem.reason.contains(word));
    match group.kind {
        FaultKind::Time if says("--time-zone") => {
            "if the export's clock is known, name its zone: `--time-zone`, or `source.time_zone` in callport.toml"
        }
        FaultKind::Time | FaultKind::Value | FaultKind::Unreadable if says("set `source.") => {
            "set it in callport.toml, or with `--set`, for all rows at once"
        }
        FaultKind::Time if says("clocks of") => {
            "only the previous platform knows which is meant: put the time with its offset (`2026-10-25T02:30:00+02:00`) into the rejects file"
        }
        FaultKind::Time => {
            "mend the time in the rejects file, or feed the field from another column (`[call]`)"
        }
        FaultKind::Value => {
            "mend the value in the rejects file, or feed the field from another column (`[call]`)"
        }
        FaultKind::Customer if group.column.is_some() => {
            "mend the number in the export or in the rejects file, or feed `customer.phone` or `customer.email` from another column"
        }
        FaultKind::Customer => {
            "map `customer.email`, `customer.phone` or `call.direction`; `customer.hidden` names who stands for callers without a number"
        }
        FaultKind::Email => "mend the address in the rejects file, or leave it empty where a number is given",
        FaultKind::Text => "mend the template that is named, in callport.toml",
        FaultKind::Destination if says("renders to nothing") => {
            "give the template something for every call, such as `{{ ticket or id }}`"
        }
        FaultKind::Destination => {
            "add the value to `[conversation.inboxes]`, set `conversation.inbox_otherwise`, or mend the id"
        }
        FaultKind::Conflict => {
            "if the newer record counts, map `call.updated_at`; if they are legs of one call, map `call.group`; else give each its own id"
        }
        FaultKind::Astray => {
            "export the calls that these records belong to as well, and read all of it in one run"
        }
        FaultKind::Agent => {
            "add the agents to `agents.directory`, or set `agents.unknown` to `warn`: their calls then go in without a user"
        }
        FaultKind::Refused => "mend what Help Scout names, and import the rejects file",
        FaultKind::Unreadable => {
            "mend the line in the export or in the rejects file: its text is there as it was read"
        }
    }
}

fn title(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::Unreadable => "rows that cannot be read",
        FaultKind::Time => "faults of times",
        FaultKind::Value => "faults of values",
        FaultKind::Customer => "calls without a customer",
        FaultKind::Email => "faults of e-mails",
        FaultKind::Text => "faults of texts",
        FaultKind::Destination => "faults of inboxes and conversations",
        FaultKind::Conflict => "ids that stand for two calls",
        FaultKind::Agent => "agents who match nobody",
        FaultKind::Refused => "calls that Help Scout refused",
        FaultKind::Astray => "legs without their call",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        call::{Position, Rejection},
        import::RejectedContent,
    };

    fn row(line: u64, faults: Vec<Fault>) -> RejectedRow {
        RejectedRow {
            position: Position::new("calls.csv", line),
            content: RejectedContent::Raw { headings: None, text: String::new() },
            rejection: Rejection { faults },
            known: false,
        }
    }

    fn time_fault() -> Fault {
        Fault::of_value(FaultKind::Time, "start", "2024-02-30", "no such day")
    }

    #[test]
    fn every_fault_of_a_row_is_a_problem_and_the_row_counts_once() {
        let mut list = ProblemList::default();
        list.add(&row(3, vec![time_fault(), Fault::new(FaultKind::Customer, "no customer")]));
        assert_eq!((list.rows(), list.first().len(), list.groups().len()), (1, 2, 2));
        let json = serde_json::to_string(&list.first()[0]).unwrap();
        assert_eq!(
            json,
            r#"{"file":"calls.csv","line":3,"column":"start","value":"2024-02-30","reason":"no such day"}"#
        );
    }

    #[test]
    fn the_list_stays_small_and_the_counts_stay_true() {
        let mut list = ProblemList::default();
        list.add(&row(1, vec![Fault::new(FaultKind::Customer, "no customer")]));
        for line in 2..=3_001 {
            list.add(&row(line, vec![time_fault()]));
        }
        assert_eq!((list.rows(), list.first().len()), (3_001, MOST));
        assert_eq!(
            list.text(),
            "start: no such day – 3,000 rows\n  calls.csv:2: `2024-02-30`\n  calls.csv:3: `2024-02-30`\n  \
             calls.csv:4: `2024-02-30`\n  and 2,997 more\n  → mend the time in the rejects file, or feed the field from \
             another column (`[call]`)\nno customer – 1 row\n  calls.csv:1\n  → map `customer.email`, `customer.phone` or \
             `call.direction`; `customer.hidden` names who stands for callers without a number\n"
        );
    }

    #[test]
    fn a_setting_is_advised_only_where_the_reason_says_to_set_one() {
        let told = |reason: &str| {
            let mut list = ProblemList::default();
            list.add(&row(2, vec![Fault::of_value(FaultKind::Time, "start", "x", reason)]));
            list.text()
        };
        let set = "→ set it in callport.toml, or with `--set`";
        assert!(told("may be either: set `source.date_order` to `month_first`").contains(set));
        for reason in [
            "is not a time: a number since 1970 (`source.epoch`) is needed",
            "is no date: see `source.date_order`",
        ] {
            assert!(told(reason).contains("→ mend the time in the rejects file"), "{}", told(reason));
        }
    }

    #[test]
    fn reasons_that_differ_only_by_row_are_one_and_others_are_not() {
        let mut list = ProblemList::default();
        let conflict = |line| {
            Fault::new(
                FaultKind::Conflict,
                format!("has the id of line {line} of `a.csv` with other content"),
            )
        };
        for line in 1..=5 {
            list.add(&row(line, vec![conflict(line + 100)]));
        }
        list.add(&row(
            9,
            vec![Fault::new(FaultKind::Conflict, "is a leg of a call that is not in the input")],
        ));
        let counts: Vec<u64> = list.groups().iter().map(|group| group.count).collect();
        assert_eq!(counts, [5, 1]);
        assert!(list.text().contains("  calls.csv:2: has the id of line 102 of `a.csv`"), "{}", list.text());
        for number in 0..2 * MOST_REASONS as u64 {
            let column = format!("c{number}");
            list.add(&row(10 + number, vec![Fault::of_value(FaultKind::Value, column, "x", "is none")]));
        }
        assert_eq!(list.groups().len(), MOST_REASONS + 1);
        assert_eq!(list.groups().iter().map(|group| group.count).sum::<u64>(), 6 + 2 * MOST_REASONS as u64);
        assert!(list.text().starts_with("more faults of values – 102 rows\n"), "{}", list.text());
    }
}
