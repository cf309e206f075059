//! The first rows of a file.

use std::sync::Arc;

use crate::{
    call::{Headings, Row},
    mapping::{Column, FirstRows},
    source::{BrokenRow, Input, Reader, Record, SourceError, SourceSettings},
};

/// What a file begins with.
pub(super) struct Sample {
    pub(super) headings: Option<Arc<Headings>>,
    pub(super) rows: Vec<Row>,
    /// The first record that cannot be read.
    pub(super) broken: Option<BrokenRow>,
}

impl Sample {
    /// Reads up to `most` records; those that cannot be read are passed over.
    pub(super) fn read(input: &Input, settings: &SourceSettings, most: usize) -> Result<Self, SourceError> {
        let reader = Reader::open(input, settings)?;
        let headings = reader.headings();
        let (mut rows, mut broken) = (Vec::new(), None);
        for record in reader.take(most) {
            match record? {
                Record::Row(row) => rows.push(row),
                Record::Broken(row) => broken = broken.or(Some(row)),
            }
        }
        Ok(Self { headings, rows, broken })
    }

    /// As a preset looks at them.
    pub(super) fn first(&self) -> FirstRows<'_> {
        FirstRows {
            headings: self.headings.as_deref(),
            rows: self.rows.iter().map(|row| &row.cells).collect(),
        }
    }

    /// Whether there is a column that `source` reads, which is a column itself or a template. A template that names none by
    /// `row["…"]` may read any.
    pub(super) fn has_column_of(&self, source: &str) -> bool {
        if !source.contains("{{") && !source.contains("{%") {
            return self.has_column(source);
        }
        let names: Vec<&str> = source
            .split("row[")
            .skip(1)
            .filter_map(|rest| {
                let quote = rest.chars().next().filter(|quote| ['"', '\''].contains(quote))?;
                rest.split(quote).nth(1)
            })
            .collect();
        names.is_empty() || names.iter().any(|name| self.has_column(name))
    }

    /// Whether there is a column called `name`, or in JSON something under that path in one of the rows.
    fn has_column(&self, name: &str) -> bool {
        match &self.headings {
            Some(headings) => headings.find(name).is_some(),
            None => self.rows.iter().any(|row| row.cells.has(name) || !row.cells.each(name).is_empty()),
        }
    }

    /// The columns with what is given in them, which a word of `nothing` is not; of a JSON record its keys, those within
    /// others by their paths.
    pub(super) fn columns(&self, nothing: &[String]) -> Vec<Column> {
        let names = self.headings.iter().flat_map(|headings| headings.names());
        let mut columns: Vec<Column> = names.map(|name| Column::new(name.clone(), Vec::new())).collect();
        let is_given =
            |value: &str| !value.is_empty() && !nothing.iter().any(|word| word.eq_ignore_ascii_case(value));
        for row in &self.rows {
            for (index, (name, value)) in row.cells.leaves().into_iter().enumerate() {
                let at = match columns.get(index) {
                    Some(column) if column.name == name => index,
                    _ => columns.iter().position(|column| column.name == name).unwrap_or_else(|| {
                        columns.push(Column::new(name, Vec::new()));
                        columns.len() - 1
                    }),
                };
                let value = value.trim();
                if is_given(value) {
                    columns[at].values.push(value.to_owned());
                }
            }
        }
        columns
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::source::expand;

    fn sample(text: &str) -> Sample {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let inputs = expand(&[file.path().to_str().unwrap().to_owned()]).unwrap();
        Sample::read(&inputs[0], &SourceSettings::default(), 10).unwrap()
    }

    #[test]
    fn columns_hold_what_is_given_and_what_cannot_be_read_is_kept_once() {
        let found = sample("a,b\n1,n/a\n2\n3\n , x \n");
        let columns = found.columns(&["N/A".to_owned()]);
        let told: Vec<(&str, &[String])> =
            columns.iter().map(|column| (column.name.as_str(), column.values.as_slice())).collect();
        assert_eq!(told, [("a", &["1".to_owned()][..]), ("b", &["x".to_owned()])]);
        let broken = found.broken.unwrap();
        assert_eq!((broken.position.line, broken.raw.as_str()), (3, "2"));
        let json = sample("{\"a\":{\"b\":1}}\n{\"c\":2,\"a\":{\"b\":3}}\n").columns(&[]);
        let names: Vec<&str> = json.iter().map(|column| column.name.as_str()).collect();
        assert_eq!((names, json[0].values.len()), (vec!["a.b", "c"], 2));
    }

    #[test]
    fn a_template_has_its_column_where_one_that_it_names_is_there() {
        let csv = sample("When,b\n1,2\n");
        for source in ["when", "{{ row[\"When\"] }} {{ row['x'] }}", "{% if a %}{{ b }}{% endif %}"] {
            assert!(csv.has_column_of(source), "{source}");
        }
        for source in ["c", "{{ row[\"c\"] }}", "{{ row['x'] or row[\"y\"] }}"] {
            assert!(!csv.has_column_of(source), "{source}");
        }
        let json = sample("{\"tags\":[{\"name\":\"x\"}],\"a\":{\"b\":null}}\n");
        assert!(json.has_column_of("tags.*.name") && json.has_column_of("a.b") && !json.has_column_of("a.c"));
    }
}
