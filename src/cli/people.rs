//! The people whom files beside the export know: the user's directory, `account.json`, and those who must not be imported.

use super::failure::Failure;
use crate::{
    call::{Cells, Headings},
    config::NamedFile,
    import::WarningCount,
    mapping::{DIRECTORY_COLUMNS, DirectoryRow, Excluded, NumberForm, People, Person, UnusedCell},
    sandbox::Seed,
    source::{Encoding, Reader, Record, SourceError, SourceSettings, expand},
};

/// What a directory holds, and what of it cannot be used.
pub(super) struct Directory {
    pub(super) people: People,
    pub(super) unused: Vec<WarningCount>,
}

/// Reads the directory that `file` names, its numbers as callers' are.
pub(super) fn directory(
    file: &NamedFile,
    form: NumberForm,
    encoding: Option<Encoding>,
) -> Result<Directory, Failure> {
    let settings = SourceSettings { encoding, ..SourceSettings::default() };
    let of_file = |error: SourceError| Failure::usage(format!("{}: {error}", file.named_at));
    let mut directory = Directory { people: People::default(), unused: Vec::new() };
    for input in expand(std::slice::from_ref(&file.path)).map_err(of_file)? {
        let reader = Reader::open(&input, &settings).map_err(of_file)?;
        let columns = Columns::of(input.name(), reader.headings().as_deref())
            .map_err(|lacking| Failure::usage(format!("{}: {lacking}", file.named_at)))?;
        for record in reader {
            let row = match record.map_err(of_file)? {
                Record::Row(row) => row,
                Record::Broken(broken) => {
                    return Err(Failure::usage(format!("{}: {}", broken.position, broken.fault)));
                }
            };
            let line = row.position.line;
            let cells: Vec<Option<String>> = DIRECTORY_COLUMNS
                .iter()
                .zip(&columns.0)
                .map(|(name, column)| value(&row.cells, name, *column))
                .collect();
            let [phone, email, id, first_name, last_name] = [0, 1, 2, 3, 4].map(|at| cells[at].as_deref());
            let row = DirectoryRow { phone, email, id, first_name, last_name };
            let unused = directory
                .people
                .add_row(row, form)
                .map_err(|fault| Failure::usage(format!("{}:{line}: {fault}", input.name())))?;
            for cell in unused {
                directory.note(&cell, input.name(), line);
            }
        }
    }
    Ok(directory)
}

impl Directory {
    fn note(&mut self, cell: &UnusedCell, file: &str, line: u64) {
        let reason = format!("a `{}` of the directory is left out where it {}", cell.column, cell.reason);
        match self.unused.iter_mut().find(|known| known.reason == reason) {
            Some(known) => known.count += 1,
            None => self.unused.push(WarningCount { reason, count: 1, file: file.to_owned(), line }),
        }
    }
}

/// Where the columns of a directory stand in a CSV file.
struct Columns([Option<usize>; DIRECTORY_COLUMNS.len()]);

impl Columns {
    /// JSON rows name their values themselves.
    fn of(file: &str, headings: Option<&Headings>) -> Result<Self, String> {
        let Some(headings) = headings else { return Ok(Self([None; DIRECTORY_COLUMNS.len()])) };
        let folded = |name: &str| name.trim().to_lowercase().replace([' ', '-', '_'], "");
        let find = |column: &str| headings.names().iter().position(|name| folded(name) == folded(column));
        let columns = DIRECTORY_COLUMNS.map(find);
        if columns[..2] == [None, None] || columns[1..] == [None; 4] {
            return Err(format!(
                "`{file}` is no directory of customers: it needs the columns `phone` and `email` or `id` (and \
                 `first_name`, `last_name` where they are known), and has `{}`",
                headings.names().join("`, `")
            ));
        }
        Ok(Self(columns))
    }
}

fn value(cells: &Cells, name: &str, column: Option<usize>) -> Option<String> {
    let text = match column {
        Some(column) => cells.column(column)?.to_owned(),
        None if matches!(cells, Cells::Json(_)) => cells.value(name)?.into_owned(),
        None => return None,
    };
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The customers of an account, as `callport pull` wrote them.
pub(super) fn of_account(seed: &Seed, form: NumberForm) -> People {
    let mut people = People::default();
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    for customer in seed.customers() {
        let person = Person {
            id: Some(customer.id),
            email: customer.emails.first().map(ToString::to_string),
            first_name: given(&customer.first_name),
            last_name: given(&customer.last_name),
        };
        let emails = customer.emails.iter().map(AsRef::as_ref);
        let numbers = customer.phones.iter().filter_map(|number| form.read(number));
        // Help Scout gives an e-mail to one customer alone; a seed is held to it.
        people.add(person, emails, numbers).ok();
    }
    people
}

/// Reads the list of people who must not be imported: every line names somebody by a number or an e-mail.
pub(super) fn excluded(file: &NamedFile, form: NumberForm) -> Result<Excluded, Failure> {
    let path = &file.path;
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("{}: `{path}` cannot be read: {error}", file.named_at)))?;
    let mut excluded = Excluded::default();
    for (line, content) in (1_u64..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let cells = content.split([',', ';', '\t', '|']).map(|cell| cell.trim().trim_matches('"'));
        let named = cells.filter(|cell| excluded.add(cell, form)).count();
        // The first may be a heading.
        if named == 0 && line > 1 && !content.trim().is_empty() {
            return Err(Failure::usage(format!(
                "{path}:{line}: `{}` holds neither a phone number nor an e-mail, so that nobody would be left out by it",
                content.trim()
            )));
        }
    }
    if excluded.is_empty() {
        let what = "names nobody: give it a line with a number or an e-mail for each, or leave the key out";
        return Err(Failure::usage(format!("{}: `{path}` {what}", file.named_at)));
    }
    Ok(excluded)
}
