//! Blank cells that mean what stands above them.

use serde_json::Value;

use crate::call::{Cells, Headings, Row};

use super::{Record, SourceSettings, record::has_own};

/// The columns that are filled, with what stood there last.
///
/// A row that cannot be read may have begun a new group, so nothing is filled below it before a column has a value again.
/// Rows of a rejects file are filled already and stand beside rows that were not their neighbours: they stay as they are.
#[derive(Debug)]
pub(super) struct FillDown {
    columns: Vec<Column>,
}

#[derive(Debug)]
struct Column {
    name: String,
    /// Where it is in a CSV file.
    index: usize,
    above: Option<Value>,
}

impl FillDown {
    /// Fills the columns that `settings` names; `Err` says which of them the file lacks.
    pub(super) fn new(settings: &SourceSettings, headings: Option<&Headings>) -> Result<Self, String> {
        if headings.is_some_and(has_own) {
            return Ok(Self { columns: Vec::new() });
        }
        let column = |name: &String| {
            let index = headings.map_or(Some(0), |headings| headings.find(name));
            let index =
                index.ok_or_else(|| format!("has no column `{name}`, which `source.fill_down` names"))?;
            Ok(Column { name: name.clone(), index, above: None })
        };
        let names = settings.fill_down.iter();
        let columns: Result<Vec<Column>, String> = if settings.fill_down_if_there {
            Ok(names.filter_map(|name| column(name).ok()).collect())
        } else {
            names.map(column).collect()
        };
        Ok(Self { columns: columns? })
    }

    /// Fills `record` and remembers it.
    pub(super) fn fill(&mut self, record: &mut Record) {
        if self.columns.is_empty() || record.was_rejected() {
            return;
        }
        match record {
            Record::Broken(_) => self.columns.iter_mut().for_each(|column| column.above = None),
            Record::Row(Row { cells: Cells::Json(object), .. }) => {
                for column in &mut self.columns {
                    match object.get(&column.name) {
                        Some(value) if !is_blank(value) => column.above = Some(value.clone()),
                        _ => {
                            if let Some(above) = &column.above {
                                object.insert(column.name.clone(), above.clone());
                            }
                        }
                    }
                }
            }
            Record::Row(Row { cells, .. }) => self.fill_cells(cells),
        }
    }

    fn fill_cells(&mut self, cells: &mut Cells) {
        let mut filled = false;
        for column in &mut self.columns {
            match cells.column(column.index) {
                Some(cell) if !cell.trim().is_empty() => column.above = Some(cell.into()),
                _ => filled |= column.above.is_some(),
            }
        }
        let Cells::Csv { headings, ends, .. } = &*cells else { return };
        if !filled {
            return;
        }
        let (mut all, mut new_ends) = (String::new(), Vec::with_capacity(ends.len()));
        for index in 0..ends.len() {
            let cell = cells.column(index).unwrap_or_default();
            let above = self.columns.iter().find(|column| column.index == index);
            let above = above.and_then(|column| column.above.as_ref()).and_then(Value::as_str);
            all.push_str(above.unwrap_or(cell));
            new_ends.push(u32::try_from(all.len()).unwrap_or(u32::MAX));
        }
        *cells = Cells::Csv { headings: headings.clone(), text: all, ends: new_ends };
    }
}

fn is_blank(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Reader;

    fn read(text: &str, columns: &[&str]) -> Vec<String> {
        let fill_down = columns.iter().map(ToString::to_string).collect();
        let settings = SourceSettings { fill_down, ..SourceSettings::default() };
        let bytes = std::io::Cursor::new(text.to_owned());
        let reader = match Reader::from_read("calls.csv", bytes, &settings) {
            Ok(reader) => reader,
            Err(error) => return vec![error.to_string()],
        };
        let show = |record| match record {
            super::Record::Row(row) => {
                row.cells.pairs().into_iter().map(|(_, cell)| cell).collect::<Vec<_>>().join("|")
            }
            super::Record::Broken(broken) => broken.fault.reason,
        };
        reader.map(|record| show(record.unwrap())).collect()
    }

    #[test]
    fn a_blank_cell_takes_what_stands_above_it() {
        let text = "time,leg,note\n,0,\n10:00,1,a\n ,2,\n11:00,3,\n,4,\n";
        let filled = ["|0|", "10:00|1|a", "10:00|2|", "11:00|3|", "11:00|4|"];
        assert_eq!(read(text, &["Time"]), filled);
        assert_eq!(read(text, &["time", "note"])[2..4], ["10:00|2|a", "11:00|3|a"]);
    }

    #[test]
    fn nothing_is_filled_below_a_row_that_cannot_be_read_or_in_a_rejects_file() {
        let found = read("time,leg\n10:00,1\n11:00\n,2\n12:00,3\n,4\n", &["time"]);
        assert_eq!(found, ["10:00|1", "has 1 cells, the headings have 2", "|2", "12:00|3", "12:00|4"]);
        assert_eq!(read("time,callport_line\n10:00,1\n,2\n", &["time"]), ["10:00|1", "|2"]);
    }

    #[test]
    fn json_values_are_filled_alike() {
        let text = "{\"t\":1}\n{\"t\":null,\"id\":2}\n{\"id\":3}\n{\"t\":\" \",\"callport_line\":4}\n";
        assert_eq!(read(text, &["t"]), ["1", "1|2", "3|1", " |4"]);
    }

    #[test]
    fn a_column_that_is_not_there_is_told() {
        let told = read("time,leg\n1,2\n", &["Time", "kind"]);
        assert_eq!(told, ["`calls.csv` has no column `kind`, which `source.fill_down` names"]);
        let names = ["Time", "kind"].map(str::to_owned).into();
        let settings =
            SourceSettings { fill_down: names, fill_down_if_there: true, ..SourceSettings::default() };
        let headings = Headings::new(["time", "leg"].map(str::to_owned).into());
        assert_eq!(FillDown::new(&settings, Some(&headings)).unwrap().columns.len(), 1);
    }
}
