//! The agents' directory: a table of names and e-mails, read before the first row of the calls.
//!
//! It is read like an export (its encoding and delimiter are found), but nothing in it is passed over: a line that is
//! wrong would leave calls without their agent, and nobody would see why.

use std::sync::Arc;

use super::failure::Failure;
use crate::{
    call::{Headings, Position, Row},
    config::NamedFile,
    mapping::{AgentDirectory, AgentFault},
    source::{Format, Reader, Record, SourceError, SourceSettings, expand},
};

/// The columns that it must have.
const COLUMNS: [&str; 2] = ["name", "email"];
/// The most faults that are told at once.
const MOST_TOLD: usize = 20;

/// Reads the directory that `file` names.
pub(super) fn read(file: &NamedFile) -> Result<Arc<AgentDirectory>, Failure> {
    let of_file = |error: SourceError| Failure::usage(format!("{}: {error}", file.named_at));
    let settings = SourceSettings { format: Some(Format::Csv), ..SourceSettings::default() };
    let mut directory = AgentDirectory::default();
    let mut faults = Vec::new();
    for input in expand(std::slice::from_ref(&file.path)).map_err(of_file)? {
        let reader = Reader::open(&input, &settings).map_err(of_file)?;
        let headings = reader.headings().unwrap_or_default();
        let [name, email] = COLUMNS.map(|column| headings.find(column));
        let (Some(name), Some(email)) = (name, email) else {
            return Err(Failure::usage(format!("{}: {}", file.named_at, lacking(input.name(), &headings))));
        };
        for record in reader {
            match record.map_err(of_file)? {
                Record::Broken(row) => faults.push(format!("{}: {}", place(&row.position), row.fault)),
                Record::Row(row) => faults.extend(enter(&row, (name, email), &headings, &mut directory)),
            }
        }
    }
    if !faults.is_empty() {
        let more = faults.len().saturating_sub(MOST_TOLD);
        faults.truncate(MOST_TOLD);
        if more > 0 {
            faults.push(format!("and {more} more"));
        }
        return Err(Failure::usage(faults.join("\n")));
    }
    if directory.is_empty() {
        let what = "holds no agent: give it a line for each, or leave `agents.directory` out";
        return Err(Failure::usage(format!("{}: `{}` {what}", file.named_at, file.path)));
    }
    Ok(Arc::new(directory))
}

/// Enters a line, and says what is wrong with it. A line without a single letter is none.
fn enter(
    row: &Row,
    (name, email): (usize, usize),
    headings: &Headings,
    directory: &mut AgentDirectory,
) -> Option<String> {
    let cell = |column| row.cells.column(column).unwrap_or_default().trim();
    if cell(name).is_empty() && cell(email).is_empty() {
        return None;
    }
    let fault: AgentFault = directory.add(cell(name), cell(email)).err()?;
    let column = if fault.is_of_name() { name } else { email };
    let heading = headings.names().get(column).map_or("", String::as_str).trim();
    Some(format!("{}: {heading} `{}` {fault}", place(&row.position), cell(column)))
}

fn place(position: &Position) -> String {
    format!("{}:{}", position.file, position.line)
}

fn lacking(file: &str, headings: &Headings) -> String {
    let wanted: Vec<&str> = COLUMNS.into_iter().filter(|column| headings.find(column).is_none()).collect();
    let wanted = wanted.join("` and no column `");
    let known: Vec<String> = headings.names().iter().map(|name| format!("`{name}`")).collect();
    let known = known.join(", ");
    format!(
        "`{file}` has no column `{wanted}` (it has {known}): its first line names its columns, `name` and `email` among them"
    )
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn read_bytes(bytes: &[u8]) -> Result<Arc<AgentDirectory>, String> {
        let mut kept = tempfile::NamedTempFile::new().unwrap();
        kept.write_all(bytes).unwrap();
        let path = kept.path();
        let file =
            NamedFile { path: path.display().to_string(), named_at: "c.toml:2: `agents.directory`".into() };
        let shown = |failure: Failure| format!("{failure:?}").replace(&file.path, "agents.csv");
        read(&file).map_err(shown)
    }

    #[test]
    fn names_and_addresses_are_found_by_their_headings_in_any_form() {
        let mut expected = AgentDirectory::default();
        expected.add("Zoë Agent", "zoe@example.com").unwrap();
        let utf_16: Vec<u8> = "\u{feff}EMAIL\tTeam\tName\r\nzoe@example.com\tx\tZoë Agent\r\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        for bytes in [
            "name,email\nZoë Agent,zoe@example.com\n".as_bytes(),
            "\u{feff}Team; E-Mail ;Email; NAME\n;;Zoe@example.com;\"Zoë  Agent\"\n;;;\n".as_bytes(),
            &utf_16,
        ] {
            assert_eq!(*read_bytes(bytes).unwrap(), expected);
        }
    }

    #[test]
    fn every_fault_is_told_with_its_line_and_value() {
        let told = read_bytes(
            b"Name,E-mail,email\nAda,,ada@example.com\nBo,,bo@\n,,cy@example.com\nADA ,,a@example.com\nDi,,\nEd,x\n",
        )
        .unwrap_err();
        for wanted in [
            "agents.csv:3: email `bo@` is not an e-mail address: give",
            "agents.csv:4: Name `` is empty",
            "agents.csv:5: email `a@example.com` is another e-mail than the same name has further up",
            "agents.csv:6: email `` is empty",
            "agents.csv:7: ",
        ] {
            assert!(told.contains(wanted), "{wanted}\n{told}");
        }
    }

    #[test]
    fn a_file_that_is_no_directory_is_refused_with_what_to_do() {
        for (bytes, wanted) in [
            (
                &b"agent,mail\nAda,ada@example.com\n"[..],
                "has no column `name` and no column `email` (it has `agent`, `mail`)",
            ),
            (b"name,mail\nAda,ada@example.com\n", "has no column `email` (it has `name`, `mail`)"),
            (b"", "is empty"),
            (b"name,email\n", "holds no agent"),
            (b"PK\x03\x04xl/[Content_Types].xml", "is an Excel workbook"),
        ] {
            let told = read_bytes(bytes).unwrap_err();
            assert!(
                told.contains("c.toml:2: `agents.directory`: ") && told.contains(wanted),
                "{wanted}\n{told}"
            );
        }
        let gone = NamedFile { path: "none/agents.csv".into(), named_at: "--set".into() };
        assert!(format!("{:?}", read(&gone).unwrap_err()).contains("`none/agents.csv` does not exist"));
    }
}
