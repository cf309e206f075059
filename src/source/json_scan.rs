//! Where a JSON value ends, told by its quotes and brackets alone.
//!
//! Nothing is understood here and nothing kept but the brackets that are open, so that a document of any size can be
//! walked through, and a record with a fault inside still ends where it ends.

/// The most brackets that may be open at a time; no record that nests deeper is understood anyway.
const DEEPEST: usize = 1024;

/// The brackets and the quote that are open at a place.
#[derive(Debug, Default)]
pub(super) struct Scan {
    open: Vec<u8>,
    in_string: bool,
    escaped: bool,
    in_word: bool,
}

/// How far a scan came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// All was taken, and the value goes on.
    More,
    /// The value ends after so many bytes.
    Done(usize),
    /// The bracket at this place closes another than the one that is open.
    Wrong(usize),
    /// The bracket at this place is one too many within another.
    TooDeep(usize),
}

impl Scan {
    /// How many brackets are open.
    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    /// Whether a number or a word is all that was seen, which the end of a text ends too.
    pub(super) fn is_word(&self) -> bool {
        self.in_word
    }

    /// Opens a bracket that was passed.
    pub(super) fn enter(&mut self, bracket: u8) {
        self.open.push(bracket);
    }

    /// Closes the innermost bracket, which was passed.
    pub(super) fn leave(&mut self) {
        self.open.pop();
    }

    /// The bracket that would close the innermost one.
    pub(super) fn closing(&self) -> Option<u8> {
        self.open.last().map(|open| if *open == b'{' { b'}' } else { b']' })
    }

    /// Goes through `bytes` until no more than `depth` brackets are open and the value is complete.
    pub(super) fn run(&mut self, bytes: &[u8], depth: usize) -> Step {
        let mut at = 0;
        while at < bytes.len() {
            if self.in_string {
                at += self.through_string(&bytes[at..]);
                if !self.in_string && self.open.len() == depth {
                    return Step::Done(at);
                }
                continue;
            }
            let outermost = self.open.len() == depth;
            match bytes[at] {
                b'"' | b'{' | b'[' if outermost && self.in_word => return Step::Done(at),
                b'}' | b']' | b',' | b' ' | b'\t' | b'\n' | b'\r' if outermost => return Step::Done(at),
                b'"' => self.in_string = true,
                b'{' | b'[' if self.open.len() == DEEPEST => return Step::TooDeep(at),
                bracket @ (b'{' | b'[') => self.open.push(bracket),
                bracket @ (b'}' | b']') => {
                    if self.closing() != Some(bracket) {
                        return Step::Wrong(at);
                    }
                    self.open.pop();
                    if self.open.len() == depth {
                        return Step::Done(at + 1);
                    }
                }
                _ => self.in_word |= outermost,
            }
            at += 1;
        }
        Step::More
    }

    /// Goes to the quote that closes the text, and says how many bytes that took.
    fn through_string(&mut self, bytes: &[u8]) -> usize {
        for (index, byte) in bytes.iter().enumerate() {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => {
                    self.in_string = false;
                    return index + 1;
                }
                _ => {}
            }
        }
        bytes.len()
    }
}

/// The values in `line` that stand one after another, as where each ends; `None` unless there are several and all are
/// objects.
pub(super) fn objects(line: &[u8]) -> Option<Vec<usize>> {
    let mut ends = Vec::new();
    let mut at = 0;
    loop {
        at += line[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        match line.get(at) {
            None => return (ends.len() > 1).then_some(ends),
            Some(b'{') => {}
            Some(_) => return None,
        }
        let Step::Done(bytes) = Scan::default().run(&line[at..], 0) else { return None };
        at += bytes;
        ends.push(at);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn run(text: &str) -> Step {
        Scan::default().run(text.as_bytes(), 0)
    }

    #[test]
    fn a_value_ends_where_its_brackets_and_quotes_do() {
        assert_eq!(run(r#"{"a":"}\"]"}, "#), Step::Done(12));
        assert_eq!(run(r"[[1], {}]x"), Step::Done(9));
        assert_eq!(run(r#""a\\"b"#), Step::Done(5));
        assert_eq!(run("12,"), Step::Done(2));
        assert_eq!(run("null}"), Step::Done(4));
        assert_eq!(run("a\"b"), Step::Done(1));
        assert_eq!(run("}"), Step::Done(0));
        assert_eq!(run(r#"{"a":[1}"#), Step::Wrong(7));
        assert_eq!(run(r#"{"a":"#), Step::More);
        assert_eq!(run(&"[".repeat(2000)), Step::TooDeep(1024));
    }

    #[test]
    fn a_line_of_several_objects_is_cut_between_them() {
        assert_eq!(objects(br#"{"a":1} {"b":"}{"}{}"#), Some(vec![7, 18, 20]));
        for one in [r#"{"a":1}"#, r#"{"a":1} 2"#, r#"{"a":1}{"#, r#"{"a":1},{"b":2}"#, ""] {
            assert_eq!(objects(one.as_bytes()), None, "{one}");
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            r#"[a{}\[\]",:\\]{0,6}"#.prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((r#"[a{"\\]{0,3}"#, inner), 0..4)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_value_ends_where_serde_json_ends_it(value in any_json(), pretty: bool, step in 1..9_usize) {
            let text =
                if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
            let followed = format!("{text} {{");
            let mut scan = Scan::default();
            let mut at = 0;
            for piece in followed.as_bytes().chunks(step) {
                match scan.run(piece, 0) {
                    Step::More => at += piece.len(),
                    Step::Done(bytes) => {
                        at += bytes;
                        break;
                    }
                    other => panic!("{other:?}"),
                }
            }
            prop_assert_eq!(at, text.len());
        }
    }
}
