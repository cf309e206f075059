//! What an object holds at its top: enough to tell an envelope from a record.

use super::{
    json_scan::{Scan, Step},
    record::is_own,
};

/// The keys under which an envelope holds its records.
const LISTS: &[&str] =
    &["calls", "records", "data", "results", "items", "call_logs", "call_history", "entries", "value"];

/// Those of them that nobody gives to a part of a record.
const CALLS: &[&str] = &["calls", "records", "call_logs", "call_history"];

/// The objects that an envelope has beside its records.
const PAGING: &[&str] = &[
    "paging",
    "pagination",
    "navigation",
    "page",
    "meta",
    "metadata",
    "links",
    "_links",
    "syncinfo",
    "sync_info",
];

/// What stands under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Scalar,
    Object,
    /// A list whose first element is an object.
    Objects,
    EmptyList,
    OtherList,
}

/// The keys of an object and what stands under them, or of its beginning.
#[derive(Debug, Default)]
pub(super) struct Survey {
    entries: Vec<(String, What)>,
    /// Whether something stands there that no object holds.
    odd: bool,
}

impl Survey {
    /// Looks at `object`, which begins with its bracket and may be cut off.
    pub(super) fn of(object: &[u8]) -> Self {
        let mut survey = Self::default();
        let mut at = 1;
        while let Some(entry) = next_entry(object, &mut at) {
            match entry {
                Ok(entry) => survey.entries.push(entry),
                Err(Odd) => {
                    survey.odd = true;
                    break;
                }
            }
        }
        survey
    }

    /// Whether the key is there, in what was looked at.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|(known, _)| known == key)
    }

    /// Whether it is a row of a rejects file.
    pub(super) fn was_rejected(&self) -> bool {
        self.entries.iter().any(|(key, _)| is_own(key))
    }

    /// The key of the only list of records, if all else that is there belongs to an envelope. `before` is the key of the
    /// envelope before this one, under which an empty list is expected too.
    pub(super) fn envelope(&self, before: Option<&str>) -> Option<&str> {
        let mut lists = self.entries.iter().filter(|(key, what)| {
            is_list(key) && (*what == What::Objects || (*what == What::EmptyList && before == Some(key)))
        });
        let (list, _) = lists.next()?;
        let belongs = |(key, what): &(String, What)| {
            key == list
                || match what {
                    // An envelope is a page, and has no id of its own.
                    What::Scalar => !key.eq_ignore_ascii_case("id"),
                    What::Object => PAGING.contains(&key.to_lowercase().as_str()),
                    What::EmptyList | What::OtherList => {
                        is_list(key) || PAGING.contains(&key.to_lowercase().as_str())
                    }
                    What::Objects => false,
                }
        };
        let only = lists.next().is_none();
        (only && !self.odd && self.entries.iter().all(belongs)).then_some(list)
    }

    /// The keys of an envelope's lists, where it has several and nobody can tell which is meant.
    pub(super) fn rivals(&self) -> Option<Vec<&str>> {
        let lists = self.lists();
        let known = lists.iter().filter(|key| is_list(key)).count();
        let of_calls = lists.iter().any(|key| CALLS.contains(&key.to_lowercase().as_str()));
        let belongs = |(key, what): &(String, What)| match what {
            // Whatever has an id of some kind may be a record with lists of its own.
            What::Scalar => !key.to_lowercase().ends_with("id") && !is_own(key),
            What::Object => PAGING.contains(&key.to_lowercase().as_str()),
            What::Objects | What::EmptyList | What::OtherList => true,
        };
        let several = lists.len() > 1 && (known > 1 || of_calls);
        (several && !self.odd && self.entries.iter().all(belongs)).then_some(lists)
    }

    /// The keys of lists of objects.
    pub(super) fn lists(&self) -> Vec<&str> {
        let lists = self.entries.iter().filter(|(_, what)| *what == What::Objects);
        lists.map(|(key, _)| key.as_str()).collect()
    }
}

/// Whether records of an envelope are usually under this key.
fn is_list(key: &str) -> bool {
    LISTS.contains(&key.to_lowercase().as_str())
}

/// Something else than an entry.
struct Odd;

/// The entry at `at`, which is moved behind it; `None` at the end.
fn next_entry(object: &[u8], at: &mut usize) -> Option<Result<(String, What), Odd>> {
    pass_blanks(object, at, true);
    match object.get(*at)? {
        b'"' => {}
        b'}' => return None,
        _ => return Some(Err(Odd)),
    }
    let begin = *at;
    let Step::Done(bytes) = Scan::default().run(&object[begin..], 0) else { return None };
    *at += bytes;
    let Ok(key) = serde_json::from_slice::<String>(&object[begin..*at]) else { return Some(Err(Odd)) };
    pass_blanks(object, at, false);
    if *object.get(*at)? != b':' {
        return Some(Err(Odd));
    }
    *at += 1;
    pass_blanks(object, at, false);
    let value = object.get(*at..).filter(|value| !value.is_empty())?;
    let what = what(value);
    match Scan::default().run(value, 0) {
        Step::Done(0) | Step::Wrong(_) | Step::TooDeep(_) => return Some(Err(Odd)),
        Step::Done(bytes) => *at += bytes,
        Step::More => *at = object.len(),
    }
    Some(Ok((key, what)))
}

fn pass_blanks(object: &[u8], at: &mut usize, commas: bool) {
    let is_blank = |byte: &&u8| byte.is_ascii_whitespace() || (commas && **byte == b',');
    *at += object[*at..].iter().take_while(is_blank).count();
}

fn what(value: &[u8]) -> What {
    match value[0] {
        b'{' => What::Object,
        b'[' => match value[1..].trim_ascii_start().first() {
            Some(b'{') => What::Objects,
            Some(b']') => What::EmptyList,
            _ => What::OtherList,
        },
        _ => What::Scalar,
    }
}

/// Whether `value`, of which this is the beginning, is a list of objects.
pub(super) fn is_list_of_objects(value: &[u8]) -> bool {
    value.first().is_some_and(|_| what(value) == What::Objects)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(text: &str) -> Option<String> {
        Survey::of(text.as_bytes()).envelope(None).map(str::to_owned)
    }

    #[test]
    fn an_envelope_holds_one_list_of_records_and_what_tells_of_pages() {
        for (text, key) in [
            (r#"{"calls":[{"id":1}],"count":1,"next_page":null}"#, "calls"),
            (
                r#"{"uri":"https://example.com","records": [ {"id":1} ],"paging":{"page":1},"navigation":{}}"#,
                "records",
            ),
            (r#"{"@odata.count":2,"value":[{"id":"a"}]}"#, "value"),
            (r#"{"Data":[{"id":"a"}],"errors_seen":0,"items":[]}"#, "Data"),
        ] {
            assert_eq!(envelope(text).as_deref(), Some(key), "{text}");
        }
    }

    #[test]
    fn what_may_be_a_record_is_none() {
        for text in [
            r#"{"id":7,"items":[{"a":1}]}"#,
            r#"{"call":{"a":1},"data":[{"a":1}]}"#,
            r#"{"call_logs":[{"a":1}],"call_history":[{"a":1}]}"#,
            r#"{"legs":[{"a":1}],"data":[{"a":1}]}"#,
            r#"{"data":[1]}"#,
            r#"{"data":[]}"#,
            r#"{"calls":{"a":1}}"#,
            r#"{"rows":[{"a":1}]}"#,
            r#"{"data":[{"a":1}],oops}"#,
            "{}",
        ] {
            assert_eq!(envelope(text), None, "{text}");
        }
        let rest = Survey::of(br#"{"calls":[],"count":0}"#);
        assert_eq!(rest.envelope(Some("calls")), Some("calls"));
        assert_eq!(rest.envelope(Some("data")), None);
    }

    #[test]
    fn an_envelope_with_two_lists_is_told_from_a_record_with_lists() {
        let rivals = |text: &str| {
            let survey = Survey::of(text.as_bytes());
            survey.rivals().map(|keys| keys.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        for (text, keys) in [
            (r#"{"calls":[{"a":1}],"users":[{"b":1}],"total":2,"paging":{}}"#, ["calls", "users"]),
            (r#"{"data":[{"a":1}],"Entries":[{"b":1}]}"#, ["data", "Entries"]),
        ] {
            assert_eq!(rivals(text), Some(keys.map(str::to_owned).to_vec()), "{text}");
        }
        for text in [
            r#"{"calls":[{"a":1}],"total":2}"#,
            r#"{"call_id":1,"records":[{"a":1}],"legs":[{"b":1}]}"#,
            r#"{"legs":[{"a":1}],"data":[{"b":1}],"start":3}"#,
            r#"{"calls":[{"a":1}],"users":[{"b":1}],"caller":{"c":1}}"#,
            r#"{"calls":[{"a":1}],"users":[{"b":1}],"callport_line":1}"#,
        ] {
            assert_eq!(rivals(text), None, "{text}");
        }
    }

    #[test]
    fn the_beginning_of_a_long_envelope_is_enough() {
        assert_eq!(envelope(r#"{"count":9,"calls":[{"id":1},{"id"#).as_deref(), Some("calls"));
        assert_eq!(envelope(r#"{"count":9,"calls"#), None);
        assert_eq!(Survey::of(br#"{"rows":[{"id":1},{"id"#).lists(), ["rows"]);
        assert!(Survey::of(br#"{"id":1,"callport_line":3}"#).was_rejected());
    }
}
