//! What the columns of a CSV file are called: by its headings, by the settings, or by their numbers.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use crate::{call::Headings, mapping::reads_as_row};

use super::{SourceSettings, record::is_own};

/// The columns of a file.
#[derive(Debug, Clone, Default)]
pub(super) struct Columns {
    pub(super) headings: Arc<Headings>,
    /// How many cells a row has at least; what it lacks is empty.
    least: usize,
    /// Whether it was the settings that named them.
    by_settings: bool,
}

/// The first record of a file.
pub(super) struct First {
    /// Its cells, or why it has none.
    pub(super) cells: Result<Vec<String>, String>,
    /// How many cells it has, if that is known.
    pub(super) width: Option<usize>,
}

/// The columns, and whether the first record is a line of headings and no row.
pub(super) struct Decided {
    pub(super) columns: Columns,
    pub(super) is_heading: bool,
}

impl Columns {
    /// Decides by the settings and the first record. One that begins with the very names that its columns are given
    /// anyway is a line of headings, whatever the settings say: so begins a rejects file.
    pub(super) fn decide(settings: &SourceSettings, first: First) -> Result<Decided, String> {
        let given = &settings.columns;
        if let Ok(cells) = &first.cells
            && repeats(cells, settings)
        {
            return Ok(Decided { columns: Self::all(cells.clone(), true), is_heading: true });
        }
        let columns = match (settings.header, given.is_empty()) {
            (true, true) => Self::of_headings(headings(first.cells?)?),
            (_, false) => {
                // A line of headings that has no end cannot be passed.
                if settings.header && first.width.is_none() {
                    return Err(first.cells.err().unwrap_or_default());
                }
                let least = settings.columns_at_least.unwrap_or(given.len());
                Self { least, ..Self::all(given.clone(), true) }
            }
            (false, true) => {
                let width = first.width.ok_or_else(|| first.cells.err().unwrap_or_default())?;
                Self::all((1..=width).map(numbered).collect(), true)
            }
        };
        Ok(Decided { columns, is_heading: settings.header })
    }

    fn all(names: Vec<String>, by_settings: bool) -> Self {
        let least = names.len();
        Self { headings: Arc::new(Headings::new(names)), least, by_settings }
    }

    /// Under headings with a delimiter at their end rows may have one or none.
    fn of_headings(names: Vec<String>) -> Self {
        let open_end = names.len() > 1 && names.last().is_some_and(|name| name.trim().is_empty());
        let mut columns = Self::all(distinct(names), false);
        columns.least -= usize::from(open_end);
        columns
    }

    /// Whether a row may have `count` cells; `Err` says why not.
    pub(super) fn check(&self, count: usize) -> Result<(), String> {
        let most = self.headings.names().len();
        if most == 0 || (self.least..=most).contains(&count) {
            return Ok(());
        }
        let what = if self.by_settings { "the columns are" } else { "the headings have" };
        let least =
            if self.by_settings && self.least < most { format!("{} to ", self.least) } else { String::new() };
        Err(format!("has {count} cells, {what} {least}{most}"))
    }

    /// Adds the cells that a row lacks to where its cells end.
    pub(super) fn pad(&self, ends: &mut Vec<u32>) {
        let end = ends.last().copied().unwrap_or_default();
        ends.resize(ends.len().max(self.headings.names().len()), end);
    }
}

/// `cells` as headings. A row must not be taken for them: it would be lost without a word.
fn headings(cells: Vec<String>) -> Result<Vec<String>, String> {
    match reads_as_row(&cells) {
        Some(why) if !cells.iter().any(|cell| is_own(cell)) => Err(format!(
            "reads like a row ({why}): set `source.header` to `false` (the columns are then `column 1`, `column 2`, …, or \
             what `source.columns` names); where headings stand further down, set `source.skip_lines`"
        )),
        _ => Ok(cells),
    }
}

/// Whether `cells` are the names that the settings give, with nothing behind them but what a rejects file adds.
fn repeats(cells: &[String], settings: &SourceSettings) -> bool {
    let own = cells.iter().take_while(|cell| !is_own(cell)).count();
    let (names, added) = cells.split_at(own);
    let same = if !settings.columns.is_empty() {
        names.iter().map(|name| name.trim()).eq(settings.columns.iter().map(|name| name.trim()))
    } else if !settings.header {
        !names.is_empty() && names.iter().cloned().eq((1..=own).map(numbered))
    } else {
        false
    };
    same && added.iter().all(|name| is_own(name))
}

fn numbered(number: usize) -> String {
    format!("column {number}")
}

/// A heading that was there before gets a number, so that each column can be named.
fn distinct(names: Vec<String>) -> Vec<String> {
    let mut taken: HashSet<String> = names.iter().map(|name| name.trim().to_owned()).collect();
    // How often a name came; a number that was given is not tried again, however often it comes.
    let mut counts: HashMap<String, usize> = HashMap::new();
    let distinct = |name: String| {
        let plain = name.trim();
        let count = counts.entry(plain.to_owned()).and_modify(|count| *count += 1).or_insert(1);
        if plain.is_empty() || *count == 1 {
            return name;
        }
        let mut other = format!("{plain} ({count})");
        while !taken.insert(other.clone()) {
            *count += 1;
            other = format!("{plain} ({count})");
        }
        other
    };
    names.into_iter().map(distinct).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(settings: &SourceSettings, cells: &[&str]) -> (Vec<String>, usize, bool) {
        let cells: Vec<String> = cells.iter().map(ToString::to_string).collect();
        let width = Some(cells.len());
        let decided = Columns::decide(settings, First { cells: Ok(cells), width }).ok().unwrap();
        let names = decided.columns.headings.names().to_vec();
        (names, decided.columns.least, decided.is_heading)
    }

    fn settings(header: bool, columns: &[&str], columns_at_least: Option<usize>) -> SourceSettings {
        let columns = columns.iter().map(ToString::to_string).collect();
        SourceSettings { header, columns, columns_at_least, ..SourceSettings::default() }
    }

    #[test]
    fn the_settings_name_columns_before_the_file_does() {
        let by_file = decide(&settings(true, &[], None), &["id", "at"]);
        assert_eq!(by_file, (vec!["id".into(), "at".into()], 2, true));
        let instead = decide(&settings(true, &["a", "b", "c"], None), &["id", "at"]);
        assert_eq!(instead, (vec!["a".into(), "b".into(), "c".into()], 3, true));
        let headless = decide(&settings(false, &["a", "b"], Some(1)), &["7"]);
        assert_eq!(headless, (vec!["a".into(), "b".into()], 1, false));
        let nameless = decide(&settings(false, &[], None), &["7", "8"]);
        assert_eq!(nameless, (vec!["column 1".into(), "column 2".into()], 2, false));
    }

    #[test]
    fn the_headings_of_a_rejects_file_are_known_again() {
        let added = ["callport_file", "callport_line", "callport_reason"];
        for (header, columns) in [(false, ["a", "b"]), (true, ["a", "b"])] {
            let (names, least, is_heading) =
                decide(&settings(header, &columns, Some(1)), &[&columns[..], &added].concat());
            assert_eq!((names.len(), least, is_heading), (5, 5, true));
        }
        let nameless = settings(false, &[], None);
        assert!(decide(&nameless, &["column 1", "column 2", "callport_file"]).2);
        assert!(!decide(&nameless, &["column 1", "x", "callport_file"]).2);
        assert!(!decide(&settings(false, &["a", "b"], None), &["a", "b", "c"]).2);
    }

    #[test]
    fn a_row_is_not_taken_for_headings() {
        let row = || First { cells: Ok(vec!["2026-03-30 14:05".into(), "Jo".into()]), width: Some(2) };
        let refused = |settings: &SourceSettings, first| Columns::decide(settings, first).err();
        let told = refused(&settings(true, &[], None), row()).unwrap();
        assert!(
            told.starts_with("reads like a row (`2026-03-30 14:05` is a time): set `source.header`"),
            "{told}"
        );
        assert_eq!(refused(&settings(false, &[], None), row()), None);
        assert_eq!(
            refused(&settings(true, &["a", "b"], None), row()),
            None,
            "they stand in place of the headings"
        );
        let rejected = vec!["2026-03-30 14:05".into(), "callport_file".into()];
        assert_eq!(refused(&settings(true, &[], None), First { cells: Ok(rejected), width: Some(2) }), None);
    }

    #[test]
    fn each_column_can_be_named() {
        let names = ["name", "date", "name", "name (2)", "name", "", ""].map(str::to_owned).to_vec();
        assert_eq!(distinct(names), ["name", "date", "name (3)", "name (2)", "name (4)", "", ""]);
        let many = distinct(vec!["x".to_owned(); 30_000]);
        assert_eq!((many[0].as_str(), many[29_999].as_str()), ("x", "x (30000)"));
    }

    #[test]
    fn a_row_may_lack_what_it_is_allowed_to() {
        let fit = |columns: &Columns, width: u32| {
            let mut ends: Vec<u32> = (1..=width).collect();
            columns.pad(&mut ends);
            columns.check(usize::try_from(width).unwrap()).map(|()| ends)
        };
        let all = || ["a", "b", "c"].map(str::to_owned).to_vec();
        let some = Columns { least: 2, ..Columns::all(all(), true) };
        assert_eq!(fit(&some, 2).unwrap(), [1, 2, 2]);
        assert_eq!(fit(&some, 1).unwrap_err(), "has 1 cells, the columns are 2 to 3");
        assert_eq!(fit(&Columns::all(all(), false), 4).unwrap_err(), "has 4 cells, the headings have 3");
        let open_end = Columns::of_headings(["a", "b", ""].map(str::to_owned).to_vec());
        assert_eq!(fit(&open_end, 2).unwrap(), [1, 2, 2]);
        assert_eq!(fit(&open_end, 3).unwrap(), [1, 2, 3]);
        assert_eq!(fit(&open_end, 1).unwrap_err(), "has 1 cells, the headings have 3");
    }
}
