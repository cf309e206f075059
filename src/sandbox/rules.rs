//! What a field of a request may hold, and how a fault is named.
//!
//! Every fault of a body is collected with its path (`threads[3].createdAt`), as the documented error body lists them.
//! Paths are built only for faults, so that a good request costs none.

use std::fmt;

use super::json::Json;
use crate::call::Moment;

/// One fault of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Where.
    pub(crate) path: String,
    /// What.
    pub(crate) message: String,
    /// The value that was refused.
    pub(crate) rejected: Option<String>,
}

/// Why a request is not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The body is not JSON.
    Unparsable,
    /// 400, with each fault.
    Invalid(Vec<Problem>),
    /// 404.
    NotFound(String),
    /// 409, with the fault.
    Conflict(Problem),
    /// 412.
    Precondition(String),
}

/// Where in a body: a chain of names, with an index for members of arrays.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'p> {
    parent: Option<&'p Place<'p>>,
    name: &'static str,
    index: Option<usize>,
}

impl Place<'static> {
    /// The body itself.
    pub(crate) const TOP: Place<'static> = Place { parent: None, name: "", index: None };
}

impl<'p> Place<'p> {
    /// A member.
    pub(crate) fn member(&'p self, name: &'static str) -> Self {
        Self { parent: Some(self), name, index: None }
    }

    /// An element of a member that is an array.
    pub(crate) fn element(&'p self, name: &'static str, index: usize) -> Self {
        Self { parent: Some(self), name, index: Some(index) }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
            if !parent.name.is_empty() {
                f.write_str(".")?;
            }
        }
        f.write_str(self.name)?;
        self.index.map_or(Ok(()), |index| write!(f, "[{index}]"))
    }
}

/// The faults found so far, and the ways to find them.
#[derive(Debug, Default)]
pub(crate) struct Problems(pub(crate) Vec<Problem>);

impl Problems {
    /// Ends the judging: `Err` if there is any fault.
    pub(crate) fn settle(self) -> Result<(), Refusal> {
        if self.0.is_empty() { Ok(()) } else { Err(Refusal::Invalid(self.0)) }
    }

    /// Notes a fault.
    pub(crate) fn add(&mut self, place: Place<'_>, message: impl Into<String>, rejected: Option<&Json<'_>>) {
        let rejected = rejected.map(Json::shown);
        self.0.push(Problem { path: place.to_string(), message: message.into(), rejected });
    }

    /// A text, if given.
    pub(crate) fn text<'j>(
        &mut self,
        object: &'j Json<'_>,
        place: &Place<'_>,
        key: &'static str,
    ) -> Option<&'j str> {
        let value = object.get(key)?;
        if value.text().is_none() {
            self.add(place.member(key), "must be a string", Some(value));
        }
        value.text()
    }

    /// A text that must be given and hold more than space.
    pub(crate) fn filled<'j>(
        &mut self,
        object: &'j Json<'_>,
        place: &Place<'_>,
        key: &'static str,
    ) -> Option<&'j str> {
        match object.get(key) {
            None => {
                self.add(place.member(key), "may not be empty", None);
                None
            }
            Some(value) => {
                let text = self.text(object, place, key)?;
                if text.trim().is_empty() {
                    self.add(place.member(key), "may not be empty", Some(value));
                    return None;
                }
                Some(text)
            }
        }
    }

    /// A text of the given number of characters, if given.
    pub(crate) fn sized<'j>(
        &mut self,
        object: &'j Json<'_>,
        place: &Place<'_>,
        key: &'static str,
        (least, most): (usize, usize),
    ) -> Option<&'j str> {
        let text = self.text(object, place, key)?;
        if !(least..=most).contains(&text.chars().count()) {
            let message = format!("size must be between {least} and {most}");
            self.add(place.member(key), message, object.get(key));
            return None;
        }
        Some(text)
    }

    /// One of some words, if given.
    pub(crate) fn word<'j>(
        &mut self,
        object: &'j Json<'_>,
        place: &Place<'_>,
        key: &'static str,
        words: &[&str],
    ) -> Option<&'j str> {
        let text = self.text(object, place, key)?;
        if !words.contains(&text) {
            let message = format!("Expected one of these: {}", words.join(", "));
            self.add(place.member(key), message, object.get(key));
            return None;
        }
        Some(text)
    }

    /// An id, if given: a number, or one in a string, as a recorded client sends it.
    pub(crate) fn id(&mut self, object: &Json<'_>, place: &Place<'_>, key: &'static str) -> Option<u64> {
        let value = object.get(key)?;
        let digits = match value {
            Json::Text(text) => text.as_ref(),
            Json::Number(digits) => digits.as_str(),
            _ => {
                self.add(place.member(key), "invalid number", Some(value));
                return None;
            }
        };
        let id = digits.parse().ok().filter(|id: &u64| *id > 0);
        if id.is_none() {
            self.add(place.member(key), "invalid identifier", Some(value));
        }
        id
    }

    /// `true` or `false`; false if not given.
    pub(crate) fn flag(&mut self, object: &Json<'_>, place: &Place<'_>, key: &'static str) -> bool {
        match object.get(key) {
            None => false,
            Some(Json::Bool(value)) => *value,
            Some(value) => {
                self.add(place.member(key), "must be a boolean", Some(value));
                false
            }
        }
    }

    /// A time that is not in the future, if given, in seconds since 1970.
    pub(crate) fn time(
        &mut self,
        object: &Json<'_>,
        place: &Place<'_>,
        key: &'static str,
        now_ms: i64,
    ) -> Option<i64> {
        let text = self.text(object, place, key)?;
        let Some(seconds) = parse_time(text) else {
            self.add(place.member(key), "malformed date", object.get(key));
            return None;
        };
        if seconds > now_ms.div_euclid(1000) {
            self.add(place.member(key), "must be in the past", object.get(key));
            return None;
        }
        Some(seconds)
    }

    /// An array, if given.
    pub(crate) fn array<'j, 'b>(
        &mut self,
        object: &'j Json<'b>,
        place: &Place<'_>,
        key: &'static str,
    ) -> &'j [Json<'b>] {
        match object.get(key) {
            None => &[],
            Some(Json::Array(values)) => values,
            Some(value) => {
                self.add(place.member(key), "must be an array", Some(value));
                &[]
            }
        }
    }
}

/// Exactly `YYYY-MM-DDThh:mm:ssZ`, in seconds since 1970.
pub(crate) fn parse_time(text: &str) -> Option<i64> {
    const FORM: &[u8] = b"0000-00-00T00:00:00Z";
    let bytes = text.as_bytes();
    let fits = bytes.len() == FORM.len()
        && FORM.iter().zip(bytes).all(|(form, byte)| match form {
            b'0' => byte.is_ascii_digit(),
            form => byte == form,
        });
    // A leap second would be read as the second before it.
    (fits && bytes[17] < b'6').then(|| Moment::parse_api(text)).flatten().map(Moment::epoch_seconds)
}

/// Seconds since 1970 in the service's form.
pub(crate) fn show_time(seconds: i64) -> String {
    Moment::from_epoch_seconds(seconds).map(|moment| moment.to_string()).unwrap_or_default()
}

/// Whether a text has the form of an e-mail: a local part and a domain of at least two labels.
pub(crate) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let good_local = (1..=64).contains(&local.len())
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte));
    let good_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    good_local && domain.contains('.') && domain.len() <= 253 && domain.split('.').all(good_label)
}

/// The number of bytes that Base64 stands for, if it is any.
pub(crate) fn base64_len(text: &str) -> Option<usize> {
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    let good = digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/');
    (good && text.len().is_multiple_of(4) && padding <= 2 && !digits.is_empty()).then(|| digits.len() * 3 / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(judge: impl FnOnce(&mut Problems)) -> Vec<(String, String)> {
        let mut problems = Problems::default();
        judge(&mut problems);
        problems.0.into_iter().map(|problem| (problem.path, problem.message)).collect()
    }

    #[test]
    fn a_place_is_written_as_a_path() {
        let thread = Place::TOP.element("threads", 3);
        let customer = thread.member("customer");
        assert_eq!(customer.member("firstName").to_string(), "threads[3].customer.firstName");
        assert_eq!(Place::TOP.member("text").to_string(), "text");
    }

    #[test]
    fn only_the_services_own_form_of_a_time_is_read() {
        assert_eq!(parse_time("2017-03-31T23:30:01Z"), Some(1_491_003_001));
        for wrong in [
            "2017-03-31T23:30:01.000Z",
            "2017-03-31T23:30:01+00:00",
            "2017-03-31 23:30:01Z",
            "2017-02-30T00:00:00Z",
            "2016-12-31T23:59:60Z",
            "2017-3-31T23:30:01Z",
            "+017-03-31T23:30:01Z",
            "",
            "2017-03-31T24:00:00Z",
        ] {
            assert_eq!(parse_time(wrong), None, "{wrong}");
        }
        assert_eq!(show_time(1_491_003_001), "2017-03-31T23:30:01Z");
    }

    #[test]
    fn e_mails_have_a_local_part_and_a_domain() {
        for good in ["jo@example.com", "a.b+c@sub.example.co.uk", "o'x@example.com"] {
            assert!(is_email(good), "{good}");
        }
        for wrong in [
            "",
            "jo",
            "jo@",
            "@example.com",
            "jo@localhost",
            "jo doe@example.com",
            "jo@exa mple.com",
            ".jo@example.com",
            "jo..x@example.com",
            "jo@-x.com",
            "jo@example..com",
            "a@b@example.com",
        ] {
            assert!(!is_email(wrong), "{wrong}");
        }
    }

    #[test]
    fn base64_is_told_by_its_digits_and_padding() {
        assert_eq!(base64_len("ZmlsZQ=="), Some(4));
        assert_eq!(base64_len("Zmls"), Some(3));
        for wrong in ["", "Zml", "Zm=s", "Zm ls", "===="] {
            assert_eq!(base64_len(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn ids_are_positive_numbers_even_in_strings() {
        let json =
            Json::parse(br#"{"a":7,"b":"85","c":-1,"d":0,"e":"x","f":true,"g":null,"h":1.5}"#).unwrap();
        let mut problems = Problems::default();
        assert_eq!(problems.id(&json, &Place::TOP, "a"), Some(7));
        assert_eq!(problems.id(&json, &Place::TOP, "b"), Some(85));
        assert_eq!(problems.id(&json, &Place::TOP, "g"), None);
        assert!(problems.0.is_empty());
        for key in ["c", "d", "e", "f", "h"] {
            assert_eq!(problems.id(&json, &Place::TOP, key), None);
        }
        assert_eq!(problems.0.len(), 5);
        assert_eq!(problems.0[0].rejected.as_deref(), Some("-1"));
    }

    #[test]
    fn texts_have_sizes_in_characters_and_words_are_listed() {
        let json =
            Json::parse(r#"{"a":"ééé","b":"","c":5,"d":"male","e":"other","f":"  "}"#.as_bytes()).unwrap();
        let top = Place::TOP;
        assert_eq!(found(|it| assert_eq!(it.sized(&json, &top, "a", (1, 3)), Some("ééé"))), []);
        let faults = found(|it| {
            it.sized(&json, &top, "a", (1, 2));
            it.sized(&json, &top, "b", (1, 40));
            it.text(&json, &top, "c");
            it.word(&json, &top, "d", &["male"]);
            it.word(&json, &top, "e", &["male", "female"]);
            it.filled(&json, &top, "f");
            it.filled(&json, &top, "missing");
        });
        let messages: Vec<_> = faults.iter().map(|(path, message)| format!("{path}: {message}")).collect();
        assert_eq!(
            messages,
            [
                "a: size must be between 1 and 2",
                "b: size must be between 1 and 40",
                "c: must be a string",
                "e: Expected one of these: male, female",
                "f: may not be empty",
                "missing: may not be empty",
            ]
        );
    }

    #[test]
    fn a_time_in_the_future_is_refused_to_the_second() {
        let json = Json::parse(br#"{"t":"1970-01-01T00:00:10Z"}"#).unwrap();
        assert_eq!(found(|it| assert_eq!(it.time(&json, &Place::TOP, "t", 10_999), Some(10))), []);
        assert_eq!(
            found(|it| assert_eq!(it.time(&json, &Place::TOP, "t", 9_999), None))[0].1,
            "must be in the past"
        );
    }
}
