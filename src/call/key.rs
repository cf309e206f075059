//! What a call is known by, and the reference that its text carries.
//!
//! The key is a hash of the source's name and the call's id, or, without an id, of the second, the direction, both
//! numbers and the duration. Neither the file nor the preset takes part, so that the same call in another export is the
//! same call. A released key never changes its recipe: every checkpoint in use depends on it.

use std::{borrow::Cow, fmt};

use sha2::{Digest, Sha256};

use super::Moment;

/// Sixteen bytes that stand for one call, in every run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallKey([u8; 16]);

impl CallKey {
    /// The key of the call that the source `source_name` knows as `id`.
    pub fn from_id(source_name: &str, id: &str) -> Self {
        Self::hash(&[b"id", source_name.as_bytes(), id.as_bytes()])
    }

    /// The key of a call without an id: the first of those that are alike in all of these.
    pub fn from_content(
        source_name: &str,
        started_at: Moment,
        direction: &str,
        from: &str,
        to: &str,
        duration: Option<u64>,
    ) -> Self {
        let second = started_at.epoch_seconds().to_be_bytes();
        let duration = duration.map_or_else(String::new, |seconds| seconds.to_string());
        Self::hash(&[
            b"content",
            source_name.as_bytes(),
            &second,
            direction.as_bytes(),
            from.as_bytes(),
            to.as_bytes(),
            duration.as_bytes(),
        ])
    }

    /// The key of the `ordinal`-th (from 1) of the calls that are alike within a file.
    #[must_use]
    pub fn twin(self, ordinal: u32) -> Self {
        if ordinal <= 1 { self } else { Self::hash(&[b"twin", &self.0, &ordinal.to_be_bytes()]) }
    }

    /// A second key of the call that stands for the records which share `value`, where that is no call's id.
    pub fn from_group(source_name: &str, value: &str) -> Self {
        Self::hash(&[b"group", source_name.as_bytes(), value.as_bytes()])
    }

    /// A second key of a call that took over the record with this `content`, of the group with the key `alias`.
    pub fn of_leg(alias: Self, content: i64) -> Self {
        Self::hash(&[b"leg", &alias.0, &content.to_be_bytes()])
    }

    /// As stored.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0
    }

    /// From its stored form.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The least and the greatest key that are shown as `short`; none where nothing is.
    pub fn range_of_short(short: &str) -> Option<(Self, Self)> {
        let is_short =
            short.len() == 12 && short.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        let number = u64::from_str_radix(short, 16).ok().filter(|_| is_short)?;
        let (mut first, mut last) = ([0; 16], [0xff; 16]);
        let shown = number.to_be_bytes();
        first[..6].copy_from_slice(&shown[2..]);
        last[..6].copy_from_slice(&shown[2..]);
        Some((Self(first), Self(last)))
    }

    fn hash(parts: &[&[u8]]) -> Self {
        Self(stable_digest(parts))
    }
}

/// Sixteen bytes of a hash over `parts`, each taken with its length, so that no two lists of parts read alike. The recipe
/// is part of every checkpoint.
pub fn stable_digest(parts: &[&[u8]]) -> [u8; 16] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    let digest = hasher.finalize();
    let mut key = [0; 16];
    key.copy_from_slice(&digest[..16]);
    key
}

impl fmt::Display for CallKey {
    /// Twelve hexadecimal digits: short enough to read out, and among a million calls two share them about once in five
    /// hundred imports.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..6].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for CallKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CallKey({self})")
    }
}

/// Eight bytes of a text's hash: tells whether a call differs from what was imported, after its text is gone.
pub fn text_fingerprint(text: &str) -> i64 {
    let digest = Sha256::digest(text.as_bytes());
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(bytes)
}

/// The line by which people and this program find a call again in Help Scout: `Ref: aircall 123456`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference(String);

impl Reference {
    /// Of the call with `id`, else with `key`, from the source `source_name` (which may be empty). White space within an
    /// id is folded, so that the reference survives being shown as HTML.
    pub fn new(source_name: &str, id: Option<&str>, key: CallKey) -> Self {
        let call = id.map_or_else(|| Cow::Owned(key.to_string()), Cow::Borrowed);
        let is_word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        // Every call that is sent has one, and nearly all are as simple as this.
        if is_word(source_name) && is_word(&call) {
            return Self(["Ref: ", source_name, " ", &call].concat());
        }
        let words = ["Ref:", source_name, &call];
        Self(words.iter().flat_map(|word| word.split_whitespace()).collect::<Vec<_>>().join(" "))
    }

    /// As it stands in a text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a thread's plain text is that of this call: the last of its lines that holds a reference holds this one, alone
    /// or where what stands around it cannot belong to a longer id. Notes come before it and may name other calls.
    pub fn is_in(&self, plain: &str) -> bool {
        decisive_line(plain).is_some_and(|line| {
            line == self.0
                || line.match_indices(&self.0).any(|(start, _)| {
                    let after = line.get(start + self.0.len()..).unwrap_or_default();
                    begins_freely(line, start) && (ends_an_id(after) || (start > 0 && after.is_empty()))
                })
        })
    }

    /// What may be the reference of a call from `source_name` in a thread's plain text, each as it would stand alone: the rest
    /// of the last line that holds one, and, where it stands `amid` a line as only a user's own template puts it, what comes
    /// before each mark that may end an id.
    pub fn candidates(plain: &str, source_name: &str, amid: bool) -> Vec<String> {
        let prefix = Self::prefix(source_name);
        let line = decisive_line(plain).unwrap_or_default();
        let mut found = Vec::new();
        for (start, _) in line.match_indices(&prefix) {
            let rest = line.get(start..).unwrap_or_default();
            if !begins_freely(line, start) || rest.len() == prefix.len() {
                continue;
            }
            found.push(rest.to_owned());
            if amid || start > 0 {
                let ends = rest.char_indices().map(|(at, _)| rest.split_at(at));
                let ended = ends.filter(|(id, after)| id.len() > prefix.len() && ends_an_id(after));
                found.extend(ended.map(|(id, _)| id.trim_end().to_owned()));
            }
        }
        found
    }

    /// What stands in a reference of a call from `source_name` before the call's id or key.
    pub fn prefix(source_name: &str) -> String {
        ["Ref:", source_name].iter().flat_map(|word| word.split_whitespace()).fold(
            String::new(),
            |mut prefix, word| {
                prefix.push_str(word);
                prefix.push(' ');
                prefix
            },
        )
    }
}

/// The last line of a text that holds a reference of whatever source.
fn decisive_line(plain: &str) -> Option<&str> {
    let holds_one = |line: &&str| line.match_indices("Ref:").any(|(start, _)| begins_freely(line, start));
    plain.lines().rev().map(str::trim).find(holds_one)
}

/// Whether what begins at `start` is no part of a longer word.
fn begins_freely(line: &str, start: usize) -> bool {
    let before = line.get(..start).and_then(|text| text.chars().next_back());
    before.is_none_or(|letter| !letter.is_alphanumeric())
}

/// Whether an id that `after` follows has come to its end there: at a mark that an id may hold, too, only where no letter
/// or digit goes on behind it.
fn ends_an_id(after: &str) -> bool {
    let mut letters = after.chars();
    letters.next().is_some_and(|mark| matches!(mark, ')' | ']' | '}' | '|' | ';' | ',' | '"' | '<'))
        && letters.next().is_none_or(|next| !next.is_alphanumeric())
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment() -> Moment {
        Moment::from_epoch_seconds(1_700_000_000).unwrap()
    }

    #[test]
    fn keys_are_as_every_released_checkpoint_has_them() {
        assert_eq!(format!("{:02x?}", CallKey::from_id("aircall", "123456").to_bytes()), PINNED_ID);
        let content = CallKey::from_content("", moment(), "inbound", "+15550100", "+15550199", Some(61));
        assert_eq!(format!("{:02x?}", content.to_bytes()), PINNED_CONTENT);
    }

    const PINNED_ID: &str = "[bc, 26, 58, 0a, 6e, a0, 59, 23, 13, f8, 1f, 53, 39, c4, 25, 38]";
    const PINNED_CONTENT: &str = "[3e, 9a, b8, 9b, b5, 8c, f7, 2a, 8c, 90, 41, 8a, 19, 57, 3d, 79]";

    #[test]
    fn the_border_between_name_and_id_counts() {
        assert_ne!(CallKey::from_id("a", "bc"), CallKey::from_id("ab", "c"));
    }

    #[test]
    fn twins_differ_and_the_first_is_the_call_itself() {
        let key = CallKey::from_content("", moment(), "inbound", "1", "2", None);
        assert_eq!(key.twin(1), key);
        assert_ne!(key.twin(2), key);
        assert_ne!(key.twin(2), key.twin(3));
    }

    #[test]
    fn a_reference_is_found_as_a_line_and_never_inside_a_longer_id() {
        let reference = Reference::new("aircall", Some("12"), CallKey::from_id("aircall", "12"));
        assert_eq!(reference.as_str(), "Ref: aircall 12");
        assert!(reference.is_in("Inbound call\n  Ref: aircall 12 \n"));
        assert!(reference.is_in("see (Ref: aircall 12)"));
        assert!(reference.is_in("imported, Ref: aircall 12"));
        for other in
            ["Ref: aircall 123", "Ref: aircall 12-3", "Ref: aircall 12 34", "XRef: aircall 12", "aircall 12"]
        {
            assert!(!reference.is_in(other), "{other}");
        }
    }

    #[test]
    fn notes_that_name_another_call_are_not_that_call() {
        let text = "Inbound call\nsee Ref: 12\nRef: 12\nRef: 99";
        let reference = |id: &str| Reference::new("", Some(id), CallKey::from_id("", id));
        assert!(reference("99").is_in(text) && !reference("12").is_in(text));
        assert_eq!(Reference::candidates(text, "", false), ["Ref: 99"]);
    }

    #[test]
    fn an_id_that_goes_on_behind_a_mark_is_another_one() {
        let reference = Reference::new("x", Some("a"), CallKey::from_id("x", "a"));
        assert!(!reference.is_in("Ref: x a,b") && !reference.is_in("(Ref: x a;2)"));
        assert!(reference.is_in("Ref: x a, imported") && reference.is_in("(Ref: x a)."));
    }

    #[test]
    fn candidates_hold_every_reference_that_a_text_carries() {
        let of = |text: &str, amid| Reference::candidates(text, "air  call", amid);
        assert_eq!(of("Ref: air call 3\n  Ref: air call 12 \nbye", false), ["Ref: air call 12"]);
        assert_eq!(of("Inbound\nRef: air call 12\nRef: other 3", false), Vec::<String>::new());
        assert_eq!(of("(Ref: air call 12) x", false), ["Ref: air call 12) x", "Ref: air call 12"]);
        assert_eq!(of("Ref: air call 12, x", false), ["Ref: air call 12, x"]);
        assert_eq!(of("Ref: air call 12, x", true), ["Ref: air call 12, x", "Ref: air call 12"]);
        for none in ["XRef: air call 12", "Ref: air call", "Ref: air callous"] {
            assert_eq!(of(none, false), Vec::<String>::new(), "{none}");
        }
        assert_eq!(Reference::candidates("Ref: 7 8", "", false), ["Ref: 7 8"]);
    }

    proptest::proptest! {
        #[test]
        fn a_reference_is_among_the_candidates_of_its_own_text(
            name in "[a-z ]{0,6}", id in "[A-Za-z0-9,;|. -]{1,12}", before in "[a-z .]{0,8}", wrapped: bool,
        ) {
            proptest::prop_assume!(!id.trim().is_empty());
            let reference = Reference::new(&name, Some(&id), CallKey::from_id(&name, &id));
            let text = if wrapped { format!("({reference})") } else { format!("{before}\n{reference}") };
            let found = Reference::candidates(&text, &name, true);
            proptest::prop_assert!(found.iter().any(|one| one == reference.as_str()), "{:?} in {:?}", found, text);
        }
    }

    #[test]
    fn a_key_lies_within_the_range_of_what_is_shown_of_it() {
        let key = CallKey::from_id("x", "y");
        let (first, last) = CallKey::range_of_short(&key.to_string()).unwrap();
        assert!(first <= key && key <= last && first.to_string() == last.to_string());
        for other in ["", "123", "0123456789AB", "0123456789abc", "+12345678901"] {
            assert_eq!(CallKey::range_of_short(other), None, "{other}");
        }
    }

    #[test]
    fn a_reference_without_name_or_id_is_still_one() {
        let key = CallKey::from_id("x", "y");
        assert_eq!(Reference::new("", Some(" 7  8 "), key).as_str(), "Ref: 7 8");
        assert_eq!(Reference::new("", None, key).as_str(), format!("Ref: {key}"));
    }
}
