//! What led to a customer, as the file holds it.

use crate::call::FoundBy;

/// In the order of their numbers, which never change: new ones are put at the end.
const STORED: [FoundBy; 7] = [
    FoundBy::Nothing,
    FoundBy::Id,
    FoundBy::Email,
    FoundBy::Directory,
    FoundBy::Account,
    FoundBy::Checkpoint,
    FoundBy::OnlyEmail,
];

/// The number that stands for it.
pub(super) fn stored(found_by: FoundBy) -> i64 {
    (0..).zip(STORED).find(|(_, known)| *known == found_by).map_or(0, |(number, _)| number)
}

/// What the number stands for.
pub(super) fn read(stored: i64) -> FoundBy {
    usize::try_from(stored).ok().and_then(|index| STORED.get(index).copied()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_reads_back_as_it_was_stored_and_an_older_file_says_nothing() {
        for found_by in STORED {
            assert_eq!(read(stored(found_by)), found_by);
        }
        assert_eq!((read(0), read(-1), read(99)), (FoundBy::Nothing, FoundBy::Nothing, FoundBy::Nothing));
    }
}
