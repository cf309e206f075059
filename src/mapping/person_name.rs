//! What stands in place of a name where a platform knew none: the number itself, or where the carrier places it.

use super::number::{HIDDEN, normalise_number};
use crate::call::Cells;

/// What carriers show for a caller whom they cannot name.
const PLACEHOLDERS: &[&str] =
    &["wireless caller", "cell phone", "mobile caller", "toll free call", "no name", "n/a"];

/// Whether `name`, the whole name as the row gives it, is no person's: a number, a word for a caller who is hidden, or a
/// city of the row, alone or with its state.
pub(super) fn is_no_name(name: &str, location: Option<&str>, cells: &Cells) -> bool {
    is_number(name) || is_placeholder(name) || is_city(name, location, cells)
}

/// A name may hold a number (`Shop 24`), but has letters then that are no extension's.
fn is_number(name: &str) -> bool {
    normalise_number(name).is_some() && !name.chars().any(char::is_alphabetic)
}

fn is_placeholder(name: &str) -> bool {
    PLACEHOLDERS.iter().chain(HIDDEN).any(|word| name.trim().eq_ignore_ascii_case(word))
}

/// Only what the row itself calls a city is one: people are called Austin and Paris.
fn is_city(name: &str, location: Option<&str>, cells: &Cells) -> bool {
    let is_it = |city: &str| !city.trim().is_empty() && begins_with_city(name.trim(), city.trim());
    location.is_some_and(is_it)
        || cells.pairs().iter().any(|(heading, value)| names_city(heading) && is_it(value))
}

/// `customer_city`, `Caller City`, `FromCity`.
fn names_city(heading: &str) -> bool {
    heading.trim().to_ascii_lowercase().ends_with("city")
}

/// Whether `name` is `city`, or has only a state's two or three letters after it, as carriers write it.
fn begins_with_city(name: &str, city: &str) -> bool {
    let rest: String = name.chars().skip(city.chars().count()).collect();
    let rest = rest.trim_matches([',', ' ']);
    name.to_lowercase().starts_with(&city.to_lowercase())
        && rest.len() <= 3
        && rest.chars().all(|letter| letter.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use crate::call::Headings;

    fn cells(heading: &str, value: &str) -> Cells {
        let headings = Arc::new(Headings::new(vec![heading.to_owned()]));
        let ends = vec![u32::try_from(value.len()).unwrap()];
        Cells::Csv { headings, text: value.to_owned(), ends }
    }

    #[test]
    fn a_number_a_placeholder_and_the_rows_city_are_no_names() {
        let with = cells("Caller City", "New York");
        for name in [
            "+1 555-0100",
            "5550100",
            "Anonymous",
            "WIRELESS CALLER",
            "NEW YORK NY",
            "New York",
            "New York, NY",
        ] {
            assert!(is_no_name(name, None, &with), "{name}");
        }
        for name in ["Jo Doe", "Shop 24", "New Yorker", "New York Pizza", "York", "Jo", "24"] {
            assert!(!is_no_name(name, None, &with), "{name}");
        }
        assert!(is_no_name("Berlin", Some("Berlin"), &cells("x", "")));
        assert!(is_no_name("MÜNCHEN", Some("München"), &cells("x", "")));
        assert!(!is_no_name("Austin", None, &cells("Capacity of it", "Austin")));
        assert!(!is_no_name("Jo", None, &cells("city", "")));
    }
}
