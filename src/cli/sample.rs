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
}
