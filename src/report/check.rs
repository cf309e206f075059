//! The result of `check`: what an import would do, cost and take.

use std::time::Duration;

use serde::Serialize;

use crate::{
    checkpoint::FoundByCounts,
    import::{Choice, WarningCount},
    plan::WhenAppending,
};

use super::{
    count::{counted, grouped, span},
    problems::{Problem, ProblemList},
};

/// What the plan comes to.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct PlanFigures {
    /// Data rows.
    pub rows: u64,
    /// Calls that would be sent.
    pub calls: u64,
    /// Rows that become no call.
    pub rejected: u64,
    /// Rows that `[source] skip` leaves out.
    pub skipped: u64,
    /// Rows whose call was imported, and repeats.
    pub already_imported: u64,
    /// Customers that would be made.
    pub customers_new: u64,
    /// Customers that Help Scout has.
    pub customers_known: u64,
    /// By what customers were found.
    pub found_by: FoundByCounts,
    /// Conversations that the calls go to.
    pub conversations: u64,
    /// Requests that would leave.
    pub requests: u64,
    /// What they cost of the account's limit.
    pub rate_units: u64,
    /// What filling conversations costs, and what new ones would.
    pub choice: Choice,
    /// Units a minute that the account allows.
    pub limit_per_minute: u32,
    /// The part of them that may be used.
    pub share: f64,
    /// How long the requests take at that pace.
    pub seconds_at_limit: f64,
}

/// `check --json`.
#[derive(Debug, Clone, Serialize)]
pub struct CheckResult<'a> {
    rows: u64,
    calls: u64,
    rejected: u64,
    skipped: u64,
    already_imported: u64,
    customers: u64,
    conversations: u64,
    requests: u64,
    rate_units: u64,
    seconds_at_limit: f64,
    limit_per_minute: u32,
    warnings: &'a [WarningCount],
    problems: &'a [Problem],
}

impl<'a> CheckResult<'a> {
    /// From the plan's figures with what was found on the way.
    pub fn new(figures: &PlanFigures, warnings: &'a [WarningCount], problems: &'a ProblemList) -> Self {
        Self {
            rows: figures.rows,
            calls: figures.calls,
            rejected: figures.rejected,
            skipped: figures.skipped,
            already_imported: figures.already_imported,
            customers: figures.customers_new + figures.customers_known,
            conversations: figures.conversations,
            requests: figures.requests,
            rate_units: figures.rate_units,
            seconds_at_limit: figures.seconds_at_limit,
            limit_per_minute: figures.limit_per_minute,
            warnings,
            problems: problems.first(),
        }
    }
}

/// What customers are found by, and how many.
fn ways(found_by: &FoundByCounts) -> [(&'static str, u64); 7] {
    let FoundByCounts { id, email, directory, account, checkpoint, only_email, nothing } = *found_by;
    [
        ("the id in their rows", id),
        ("the e-mail in their rows", email),
        ("the directory", directory),
        ("account.json", account),
        ("an earlier run", checkpoint),
        ("the only e-mail that came with their number", only_email),
        ("nothing but their number", nothing),
    ]
}

/// Where rows name all customers alike, nothing is to be told.
fn found_by_line(found_by: &FoundByCounts) -> Option<String> {
    let ways = ways(found_by).into_iter().filter(|(_, count)| *count > 0);
    let told: Vec<String> = ways.map(|(words, count)| format!("{} by {words}", grouped(count))).collect();
    (told.len() > 1).then(|| format!("customers are found: {}", told.join(", ")))
}

/// The plan for a person.
pub fn plan_text(figures: &PlanFigures) -> String {
    let customers = figures.customers_new + figures.customers_known;
    let kinds = match (figures.customers_new, figures.customers_known) {
        (0, 0) => String::new(),
        (new, 0) => format!(" ({} new at most)", grouped(new)),
        (new, known) => format!(" ({} new, {} known)", grouped(new), grouped(known)),
    };
    let mut lines = vec![format!("{} read", counted(figures.rows, "row"))];
    for (count, what) in [
        (figures.rejected, "would be rejected"),
        (figures.skipped, "left out (`source.skip`, `source.exclude`, or barred)"),
        (figures.already_imported, "imported already, repeated, or part of another row's call"),
    ] {
        if count > 0 {
            lines.push(format!("{} {what}", counted(count, "row")));
        }
    }
    lines.push(format!(
        "{} of {}{kinds} to send, into {}",
        counted(figures.calls, "call"),
        counted(customers, "customer"),
        counted(figures.conversations, "conversation"),
    ));
    lines.extend(found_by_line(&figures.found_by));
    lines.push(format!(
        "{}, {} of the account's limit",
        counted(figures.requests, "request"),
        counted(figures.rate_units, "unit")
    ));
    lines.extend(choice_line(&figures.choice));
    lines.push(duration_line(figures));
    lines.join("\n") + "\n"
}

/// What the other choice would cost, where there is one.
fn choice_line(choice: &Choice) -> Option<String> {
    let Choice { chosen, conversations, fill_units, cheap_units } = *choice;
    let (there, fill, cheap) =
        (counted(conversations, "conversation"), grouped(fill_units), grouped(cheap_units));
    (conversations > 0).then(|| match chosen {
        WhenAppending::Fill => format!(
            "appending to {there} takes {fill} of these units; with conversation.when_appending = \"cheap\" new ones would \
             be made for {cheap}"
        ),
        WhenAppending::Cheap => format!(
            "going on in new conversations beside {there} takes {cheap} of these units; with \
             conversation.when_appending = \"fill\" appending would take {fill}"
        ),
    })
}

fn duration_line(figures: &PlanFigures) -> String {
    let time = match Duration::try_from_secs_f64(figures.seconds_at_limit) {
        Ok(time) if time.as_secs() == 0 => "less than a second".to_owned(),
        Ok(time) => format!("about {}", span(time)),
        Err(_) => "an unknown time".to_owned(),
    };
    let percent = figures.share * 100.0;
    format!("{time} at {percent:.0}% of {} a minute", counted(u64::from(figures.limit_per_minute), "unit"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures() -> PlanFigures {
        PlanFigures {
            rows: 180_010,
            calls: 180_000,
            rejected: 1,
            skipped: 0,
            already_imported: 9,
            customers_new: 20_000,
            customers_known: 5,
            found_by: FoundByCounts {
                directory: 5,
                email: 1_000,
                nothing: 19_000,
                ..FoundByCounts::default()
            },
            conversations: 41_000,
            requests: 41_000,
            rate_units: 82_000,
            choice: Choice::default(),
            limit_per_minute: 400,
            share: 0.8,
            seconds_at_limit: 15_375.0,
        }
    }

    #[test]
    fn the_plan_reads_well() {
        assert_eq!(
            plan_text(&figures()),
            "180,010 rows read\n\
             1 row would be rejected\n\
             9 rows imported already, repeated, or part of another row's call\n\
             180,000 calls of 20,005 customers (20,000 new, 5 known) to send, into 41,000 conversations\n\
             customers are found: 1,000 by the e-mail in their rows, 5 by the directory, 19,000 by nothing but their number\n\
             41,000 requests, 82,000 units of the account's limit\n\
             about 4 h 16 min at 80% of 400 units a minute\n"
        );
    }

    #[test]
    fn the_price_of_the_other_choice_is_named_where_there_is_one() {
        let line = |chosen| {
            let choice = Choice { chosen, conversations: 1_200, fill_units: 24_000, cheap_units: 2_400 };
            let text = plan_text(&PlanFigures { choice, ..figures() });
            text.lines().rev().nth(1).unwrap().to_owned()
        };
        assert_eq!(
            line(WhenAppending::Fill),
            "appending to 1,200 conversations takes 24,000 of these units; with conversation.when_appending = \"cheap\" new \
             ones would be made for 2,400"
        );
        assert_eq!(
            line(WhenAppending::Cheap),
            "going on in new conversations beside 1,200 conversations takes 2,400 of these units; with \
             conversation.when_appending = \"fill\" appending would take 24,000"
        );
    }

    #[test]
    fn the_json_has_the_documented_names() {
        let problems = ProblemList::default();
        let json = serde_json::to_value(CheckResult::new(&figures(), &[], &problems)).unwrap();
        let names: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "rows",
                "calls",
                "rejected",
                "skipped",
                "already_imported",
                "customers",
                "conversations",
                "requests",
                "rate_units",
                "seconds_at_limit",
                "limit_per_minute",
                "warnings",
                "problems"
            ]
        );
        assert_eq!(json["customers"], 20_005);
    }
}
