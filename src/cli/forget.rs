//! `callport forget`: personal data leaves the checkpoint.

use serde::Serialize;

use super::{
    args::{Common, ForgetOptions},
    exit_code,
    failure::Failure,
    setup::{self, Setup},
};
use crate::{
    checkpoint::{Checkpoint, CheckpointError, Forgotten, Person},
    config::Overrides,
    mapping::NumberForm,
    report::counted,
};

/// Runs the command.
pub(super) fn run(common: &Common, options: &ForgetOptions) -> Result<u8, Failure> {
    let people = people(common, options)?;
    let path = setup::paths(common).checkpoint;
    if !path.exists() {
        return Err(CheckpointError::Missing(path).into());
    }
    let mut checkpoint = Checkpoint::open(&path)?;
    let forgotten = match &options.file {
        Some(file) => checkpoint.forget_file(file)?,
        None if options.imported => checkpoint.forget_imported()?,
        None => checkpoint.forget_people(&people)?,
    };
    drop(checkpoint);
    if common.json {
        super::print_json(&Document::from(forgotten))?;
    } else {
        super::print(&text(&forgotten, options))?;
    }
    Ok(exit_code::DONE)
}

/// Whom the options name, each in the form in which rows are compared.
fn people(common: &Common, options: &ForgetOptions) -> Result<Vec<Person>, Failure> {
    let mut people = Vec::new();
    for email in &options.email {
        if !email.contains('@') {
            return Err(Failure::usage(format!("--email: `{email}` is no e-mail address")));
        }
        people.push(Person::Email(email.trim().to_owned()));
    }
    if !options.number.is_empty() {
        let form = number_form(common, &options.number)?;
        for number in &options.number {
            let normal = form.read(number);
            people.push(Person::Number(
                normal.ok_or_else(|| Failure::usage(format!("--number: `{number}` is no phone number")))?,
            ));
        }
    }
    Ok(people)
}

/// How the configuration reads numbers without a country code; it is not asked where all have one.
fn number_form(common: &Common, numbers: &[String]) -> Result<NumberForm, Failure> {
    if numbers.iter().all(|number| number.trim().starts_with('+')) {
        return Ok(NumberForm::AsWritten);
    }
    Ok(Setup::without_rows(common, &Overrides::default())?.settings.mapping.forms.numbers)
}

/// The result of `forget --json`.
#[derive(Serialize)]
struct Document {
    imported: u64,
    dropped: u64,
    dropped_refused: u64,
    dropped_beside: u64,
    in_flight: u64,
    customers: u64,
    barred: u64,
    kept: KeptDocument,
}

#[derive(Serialize)]
struct KeptDocument {
    staged: u64,
    undecided: u64,
    rejected: u64,
}

impl From<Forgotten> for Document {
    fn from(forgotten: Forgotten) -> Self {
        let Forgotten {
            imported,
            dropped,
            dropped_refused,
            dropped_beside,
            in_flight,
            customers,
            barred,
            kept,
        } = forgotten;
        let kept = KeptDocument { staged: kept.staged, undecided: kept.undecided, rejected: kept.rejected };
        Self { imported, dropped, dropped_refused, dropped_beside, in_flight, customers, barred, kept }
    }
}

fn text(forgotten: &Forgotten, options: &ForgetOptions) -> String {
    let mut lines = Vec::new();
    if options.file.is_none() {
        lines.push(format!(
            "forgotten: {} that {} imported, {}",
            counted(forgotten.imported, "call"),
            if forgotten.imported == 1 { "is" } else { "are" },
            counted(forgotten.customers, "customer")
        ));
    }
    if !options.imported {
        let refused = match forgotten.dropped_refused {
            0 => String::new(),
            refused => format!(" ({refused} of them refused by Help Scout)"),
        };
        lines.push(format!("dropped: {} not imported yet{refused}", counted(forgotten.dropped, "call")));
    }
    if forgotten.dropped_beside > 0 {
        lines.push(format!(
            "  {} of customers whom rows also name by another number or e-mail: those of their rows that name nobody who is \
             barred come back when their file is read again",
            counted(forgotten.dropped_beside, "call")
        ));
    }
    if forgotten.in_flight > 0 {
        lines.push(format!(
            "{} in flight: only what finds them in Help Scout is kept, until the next import knows what became of them",
            counted(forgotten.in_flight, "call")
        ));
    }
    if options.file.is_none() && !options.imported {
        lines.push(format!("barred from later imports: {} more", forgotten.barred));
    }
    let kept = forgotten.kept;
    let still = [(kept.staged, "waiting"), (kept.undecided, "undecided"), (kept.rejected, "rejected")];
    let still: Vec<String> =
        still.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    if options.imported && !still.is_empty() {
        lines.push(format!(
            "still in the checkpoint, because they are not imported: {}; forget again once they are",
            still.join(", ")
        ));
    }
    if options.file.is_none() {
        lines.push("files beside the checkpoint may hold the same: see docs/privacy.md".to_owned());
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Kept;

    #[test]
    fn the_text_tells_what_went_and_what_is_still_there() {
        let imported = ForgetOptions { imported: true, number: vec![], email: vec![], file: None };
        let kept = Kept { staged: 2, undecided: 0, rejected: 1 };
        let forgotten = Forgotten { imported: 1, customers: 3, kept, ..Forgotten::default() };
        let told = text(&forgotten, &imported);
        assert!(told.contains("1 call that is imported, 3 customers"), "{told}");
        assert!(told.contains("not imported: 2 waiting, 1 rejected;"), "{told}");
        let person = ForgetOptions { imported: false, email: vec!["a@b".into()], ..imported };
        let told = text(
            &Forgotten {
                dropped: 4,
                dropped_refused: 1,
                dropped_beside: 3,
                in_flight: 1,
                barred: 1,
                ..forgotten
            },
            &person,
        );
        assert!(told.contains("dropped: 4 calls") && told.contains("1 call in flight"), "{told}");
        assert!(
            told.contains("not imported yet (1 of them refused by Help Scout)\n  3 calls of customers"),
            "{told}"
        );
        assert!(told.contains("barred from later imports: 1 more") && !told.contains("waiting"), "{told}");
    }
}
