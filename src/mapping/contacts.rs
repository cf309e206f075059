//! Whom a row may name, also where it is no call: a barred person's row is left out whatever else is wrong with it.

use std::{borrow::Cow, collections::HashSet};

use super::{
    bound::{BoundMapping, Piece, Source},
    field::Field,
};
use crate::call::Cells;

/// The fields that tell of the far end.
const CONTACTS: [Field; 4] = [Field::FROM, Field::TO, Field::PHONE, Field::EMAIL];

impl BoundMapping {
    /// The values of a row that may be somebody's number or e-mail: those that feed `from`, `to` and the customer's, all of
    /// them where the first that is given counts; and of columns that feed nothing those that can be nothing else. A column
    /// that feeds another field (the id, the agent, the company's line) tells of nobody at the far end.
    pub fn contacts(&self, cells: &Cells) -> Vec<String> {
        let mut contacts = Vec::new();
        for field in CONTACTS {
            if let Some(source) = self.source(field) {
                self.gather(source, cells, &mut contacts);
            }
        }
        let used = self.used_columns();
        for (name, value) in cells.pairs() {
            let text = value.trim();
            if (text.starts_with('+') || text.contains('@')) && !used.contains(&name.to_lowercase()) {
                contacts.push(text.to_owned());
            }
        }
        contacts
    }

    /// The company's line and the result of the call, as the row has them.
    pub fn line_and_status(&self, cells: &Cells) -> [Option<String>; 2] {
        [Field::LINE, Field::STATUS].map(|field| {
            let value = self.fetch(self.source(field)?, cells).ok()??;
            Some(value.into_owned())
        })
    }

    fn gather(&self, source: &Source, cells: &Cells, contacts: &mut Vec<String>) {
        match source {
            Source::FirstOf(sources) => sources.iter().for_each(|one| self.gather(one, cells, contacts)),
            Source::AnyOf(names) => {
                contacts.extend(names.iter().filter_map(|name| cells.value(name)).map(Cow::into_owned));
            }
            one => contacts.extend(self.fetch(one, cells).ok().flatten().map(Cow::into_owned)),
        }
    }

    /// The columns that feed any field, in lower case.
    fn used_columns(&self) -> HashSet<String> {
        let mut used = HashSet::new();
        for source in Field::all().filter_map(|field| self.source(field)) {
            self.note_columns(source, &mut used);
        }
        used
    }

    fn note_columns(&self, source: &Source, used: &mut HashSet<String>) {
        match source {
            Source::Column { heading, .. } => {
                used.insert(heading.to_lowercase());
            }
            Source::Path(path) => {
                used.insert(path.to_lowercase());
            }
            Source::AnyOf(names) => used.extend(names.iter().map(|name| name.to_lowercase())),
            Source::Template(template) => {
                let names = self.engine().variables(template.key());
                used.extend(names.iter().map(|name| name.to_lowercase()));
            }
            Source::Joined { parts, .. } => {
                for part in parts {
                    if let Piece::Cell(source) = part {
                        self.note_columns(source, used);
                    }
                }
            }
            Source::FirstOf(sources) => sources.iter().for_each(|one| self.note_columns(one, used)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        call::Headings,
        mapping::{Feed, Mapping, MappingSettings},
    };

    const HEADINGS: [&str; 7] = ["when", "from", "agent", "line", "result", "other", "extra"];

    fn bound() -> BoundMapping {
        let feed = |names: &[&str]| Feed {
            sources: names.iter().map(|name| (*name).to_owned()).collect(),
            may_be_absent: false,
        };
        let fields = [
            ("call.started_at", feed(&["when"])),
            ("call.from", feed(&["from", "other"])),
            ("call.agent", feed(&["{{ agent }}"])),
            ("call.line", feed(&["line"])),
            ("call.status", feed(&["result"])),
        ];
        let settings = MappingSettings {
            fields: fields.into_iter().map(|(name, feed)| (name.to_owned(), feed)).collect(),
            group_by: "customer".to_owned(),
            subject: "Calls".to_owned(),
            ..MappingSettings::default()
        };
        let headings = Headings::new(HEADINGS.map(str::to_owned).to_vec());
        Mapping::new(settings).unwrap().bind(&Arc::new(headings)).unwrap()
    }

    fn cells(values: [&str; 7]) -> Cells {
        let mut ends = Vec::new();
        let mut text = String::new();
        for value in values {
            text.push_str(value);
            ends.push(u32::try_from(text.len()).unwrap());
        }
        Cells::Csv { headings: Arc::new(Headings::new(HEADINGS.map(str::to_owned).to_vec())), text, ends }
    }

    #[test]
    fn only_columns_of_the_far_end_and_those_that_feed_nothing_name_somebody() {
        let row = cells(["x", "1", "a@example.com", "+15550199", "+15550198", " 2 ", "+15550101"]);
        assert_eq!(bound().contacts(&row), ["1", "2", "+15550101"]);
        let row = cells(["x", "", "", "", "", "", "5550101"]);
        assert_eq!(
            bound().contacts(&row),
            [""; 0],
            "any number may stand in a column of which nothing is known"
        );
    }

    #[test]
    fn the_line_and_the_result_are_told_as_they_stand() {
        let row = cells(["x", "", "", " Sales ", "", "", ""]);
        assert_eq!(bound().line_and_status(&row), [Some("Sales".to_owned()), None]);
    }
}
