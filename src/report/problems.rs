//! What `check` found wrong with rows: the first of them one by one, all of them by kind.
//!
//! Memory is bounded: an export of a million bad rows is told by a thousand of them and the counts of all.

use serde::Serialize;

use crate::call::FaultKind;
use crate::import::RejectedRow;

use super::count::{counted, grouped};

/// Problems that are kept whole.
const MOST: usize = 1_000;
/// Problems of one kind that are shown to a person.
const EXAMPLES: usize = 3;

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

/// All problems of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProblemGroup {
    /// What kind of fault.
    pub kind: FaultKind,
    /// How often it came.
    pub count: u64,
    /// The first of them.
    pub examples: Vec<Problem>,
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
            let group = self.group(fault.kind);
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

    /// By kind, the most frequent first.
    pub fn groups(&self) -> Vec<&ProblemGroup> {
        let mut groups: Vec<&ProblemGroup> = self.groups.iter().collect();
        groups.sort_by(|a, b| b.count.cmp(&a.count).then(a.kind.cmp(&b.kind)));
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
            lines.push(format!("{}: {}", title(group.kind), counted(group.count, "problem")));
            lines.extend(group.examples.iter().map(|problem| format!("  {}", shown(problem))));
            let more = group.count.saturating_sub(group.examples.len() as u64);
            if more > 0 {
                lines.push(format!("  and {} more", grouped(more)));
            }
        }
        if lines.is_empty() { String::new() } else { lines.join("\n") + "\n" }
    }

    fn group(&mut self, kind: FaultKind) -> &mut ProblemGroup {
        let index = self.groups.iter().position(|group| group.kind == kind).unwrap_or_else(|| {
            self.groups.push(ProblemGroup { kind, count: 0, examples: Vec::new() });
            self.groups.len() - 1
        });
        &mut self.groups[index]
    }
}

fn shown(problem: &Problem) -> String {
    let Problem { file, line, column, value, reason } = problem;
    match (column, value) {
        (Some(column), Some(value)) => format!("{file}:{line}: {column} `{value}`: {reason}"),
        (Some(column), None) => format!("{file}:{line}: {column}: {reason}"),
        _ => format!("{file}:{line}: {reason}"),
    }
}

fn title(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::Unreadable => "rows that cannot be read",
        FaultKind::Time => "times",
        FaultKind::Value => "values",
        FaultKind::Customer => "calls without a customer",
        FaultKind::Email => "e-mails",
        FaultKind::Text => "texts",
        FaultKind::Destination => "inboxes and conversations",
        FaultKind::Conflict => "ids that stand for two calls",
        FaultKind::Refused => "calls that Help Scout refused",
        FaultKind::Astray => "legs without their call",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        call::{Fault, Position, Rejection},
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
            "times: 3,000 problems\n  calls.csv:2: start `2024-02-30`: no such day\n  calls.csv:3: start \
             `2024-02-30`: no such day\n  calls.csv:4: start `2024-02-30`: no such day\n  and 2,997 more\ncalls \
             without a customer: 1 problem\n  calls.csv:1: no customer\n"
        );
    }
}
