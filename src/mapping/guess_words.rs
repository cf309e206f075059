//! What the words of a file's columns seem to mean: for `init`, which writes each down with why.

use super::{columns::Column, guess::Likelihood};

/// Words that are looked at: a column with more is no list of words.
const MOST: usize = 30;

/// The words of one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuessedWords {
    /// The field that the column feeds, without its section.
    pub field: &'static str,
    /// In the order of the alphabet.
    pub words: Vec<GuessedWord>,
    /// How many words are left out because they do not stand on a line: they hold line breaks or control characters.
    pub odd: usize,
    /// How many more there are.
    pub more: usize,
}

/// A word with what it seems to mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuessedWord {
    /// As it stands in the file.
    pub word: String,
    /// What it seems to mean, how likely, and why; `None` where nobody can tell.
    pub means: Option<(&'static str, Likelihood, String)>,
}

/// Words of a direction's column that mean neither direction by themselves.
pub(super) fn directions(column: &Column) -> Option<GuessedWords> {
    const OWN: [&str; 6] = ["inbound", "incoming", "in", "outbound", "outgoing", "out"];
    let is_own = |word: &str| OWN.contains(&word.to_lowercase().as_str());
    let found = words(column, "direction", is_own, direction_of);
    (!found.words.is_empty() || found.odd > 0).then_some(found)
}

/// What yes and no mean where the heading asks whether a call was answered or missed.
pub(super) fn answers(column: &Column) -> Option<GuessedWords> {
    const YES: [&str; 9] = ["yes", "y", "true", "1", "ja", "si", "sí", "sim", "oui"];
    const NO: [&str; 6] = ["no", "n", "false", "0", "nein", "non"];
    let is_one_of = |word: &str, words: &[&str]| words.contains(&word.to_lowercase().as_str());
    let (yes, no) = match column {
        _ if column.has_words("answered") || column.has_words("picked up") => ("answered", "missed"),
        _ if column.has_words("missed") => ("missed", "answered"),
        _ => return None,
    };
    let asks = column.values.iter().all(|word| is_one_of(word, &YES) || is_one_of(word, &NO));
    let why = || format!("the heading is `{}`", column.name);
    let means = |word: &str| Some((if is_one_of(word, &YES) { yes } else { no }, Likelihood::Fair, why()));
    asks.then(|| words(column, "status", |_| false, means))
}

fn words(
    column: &Column,
    field: &'static str,
    is_plain: impl Fn(&str) -> bool,
    means: impl Fn(&str) -> Option<(&'static str, Likelihood, String)>,
) -> GuessedWords {
    let mut words: Vec<String> = column.values.iter().filter(|word| !is_plain(word)).cloned().collect();
    words.sort_by_cached_key(|word| (word.to_lowercase(), word.clone()));
    // Their letter case does not matter.
    words.dedup_by(|next, word| next.eq_ignore_ascii_case(word));
    let all = words.len();
    words.retain(|word| !word.contains(char::is_control));
    let (odd, more) = (all - words.len(), words.len().saturating_sub(MOST));
    words.truncate(MOST);
    let words = words.into_iter().map(|word| GuessedWord { means: means(&word), word }).collect();
    GuessedWords { field, words, odd, more }
}

/// The direction that a word seems to mean, how likely, and why.
pub(super) fn direction_of(word: &str) -> Option<(&'static str, Likelihood, String)> {
    // German, Spanish and French exports have words of their own.
    const IN: &[&str] =
        &["inbound", "incoming", "in", "received", "eingehend", "ankommend", "entrante", "entrant"];
    const OUT: &[&str] = &[
        "outbound",
        "outgoing",
        "out",
        "placed",
        "dialed",
        "dialled",
        "ausgehend",
        "abgehend",
        "saliente",
        "sortant",
    ];
    // What becomes of calls that come in, and how calls that go out are begun.
    const LIKE_IN: &[&str] = &["missed", "voicemail", "abandoned"];
    const LIKE_OUT: &[&str] = &["manual", "autodial"];
    let word = word.to_lowercase();
    let parts: Vec<&str> = word.split(|letter: char| !letter.is_alphabetic()).collect();
    let first = |words: &[&str]| parts.iter().find(|part| words.contains(part)).copied();
    let sure = |part: &str| format!("`{part}` is in it");
    if let Some(part) = first(IN) {
        return Some(("inbound", Likelihood::Fair, sure(part)));
    }
    if let Some(part) = first(OUT) {
        return Some(("outbound", Likelihood::Fair, sure(part)));
    }
    if let Some(part) = first(LIKE_IN) {
        return Some(("inbound", Likelihood::Low, format!("`{part}` is said of calls that come in")));
    }
    first(LIKE_OUT)
        .map(|part| ("outbound", Likelihood::Low, format!("`{part}` is said of calls that go out")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, values: &[&str]) -> Column {
        Column::new(name, values.iter().map(ToString::to_string).collect())
    }

    fn means(found: &GuessedWords) -> Vec<(&str, Option<&str>)> {
        found.words.iter().map(|one| (one.word.as_str(), one.means.as_ref().map(|means| means.0))).collect()
    }

    #[test]
    fn each_direction_is_told_with_why() {
        let values = ["Incoming", "Missed", "Outgoing (missed)", "missed", "user_in", "x\ny", "zz", "a\u{1}"];
        let found = directions(&column("Type", &values)).unwrap();
        let wanted = [
            ("Missed", Some("inbound")),
            ("Outgoing (missed)", Some("outbound")),
            ("user_in", Some("inbound")),
            ("zz", None),
        ];
        assert_eq!(means(&found), wanted);
        assert_eq!((found.odd, found.more), (2, 0));
        let why =
            |at: usize| found.words[at].means.clone().map(|(_, likelihood, why)| (likelihood.word(), why));
        assert_eq!(why(0), Some(("low", "`missed` is said of calls that come in".to_owned())));
        assert_eq!(why(1), Some(("fair", "`outgoing` is in it".to_owned())));
        assert_eq!(directions(&column("Type", &["in", "OUT"])), None);
        let many: Vec<String> = (0..40).map(|number| format!("in {number}")).collect();
        let found = directions(&Column::new("Type", many)).unwrap();
        assert_eq!((found.words.len(), found.more), (30, 10));
    }

    #[test]
    fn yes_and_no_are_results_where_the_heading_asks_for_one() {
        let found = answers(&column("Call Answered?", &["Yes", "No", "yes"])).unwrap();
        let wanted = [("No", Some("missed")), ("Yes", Some("answered"))];
        assert_eq!((means(&found), found.field), (wanted.to_vec(), "status"));
        assert_eq!(means(&answers(&column("Missed", &["true"])).unwrap()), [("true", Some("missed"))]);
        assert_eq!(answers(&column("Answered", &["Yes", "by Ada"])), None);
        assert_eq!(answers(&column("Recorded", &["Yes"])), None);
    }
}
