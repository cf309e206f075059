//! The records of JSON documents: of an array, of an envelope, or objects one after another.
//!
//! A document is walked through and not held, so that an envelope may be of any size. Each of its records is measured,
//! then parsed alone: a fault within its brackets costs that record, and brackets that do not match end the file, because
//! nobody can tell then where the next record begins.

use std::sync::Arc;

use crate::call::Position;

use super::{
    Pointer, Record,
    error::Trouble,
    json_rows::{over_limit, record},
    json_survey::{Survey, is_list_of_objects},
    json_walk::{Measured, Walk},
    record::RECORD_LIMIT,
    window::Window,
};

/// Enough to see what the first element of a list is.
const GLANCE: usize = 4096;

/// How many keys are named where a pointer leads nowhere.
const KEYS_TOLD: usize = 12;

/// Cuts a window into records.
pub(super) struct Documents {
    walk: Walk,
    file: Arc<str>,
    not_text: Arc<str>,
    wanted: Option<Pointer>,
    /// Whether a document may lack what is wanted: it is then read as if nothing were.
    if_there: bool,
    opened: Option<Pointer>,
    /// How many brackets are open around a document: one where documents stand in an array.
    base: usize,
    /// How many brackets are open around the records that are being read.
    list: Option<usize>,
    /// Whether the record that comes next is the only one of its document.
    is_alone: bool,
}

impl Documents {
    pub(super) fn new(window: Window, file: Arc<str>, not_text: Arc<str>, wanted: Option<Pointer>) -> Self {
        let walk = Walk::new(window);
        Self {
            walk,
            file,
            not_text,
            wanted,
            if_there: false,
            opened: None,
            base: 0,
            list: None,
            is_alone: false,
        }
    }

    /// Takes a document that lacks what is wanted as if nothing were.
    pub(super) fn if_there(self, if_there: bool) -> Self {
        Self { if_there, ..self }
    }

    pub(super) fn line(&self) -> u64 {
        self.walk.window.line()
    }

    /// Where the records of an envelope were found without being told.
    pub(super) fn opened(&self) -> Option<&Pointer> {
        self.opened.as_ref()
    }

    /// The next record; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Record>, Trouble> {
        loop {
            if self.list.is_none() && self.walk.depth() > self.base {
                self.leave_envelope()?;
            }
            self.pass_mark()?;
            let Some(byte) = self.walk.peek()? else { return Ok(None) };
            if byte == b']' && self.walk.depth() > 0 {
                self.walk.close(byte)?;
                self.list = None;
                self.base = self.base.min(self.walk.depth());
            } else if self.list.is_some() {
                return self.record().map(Some);
            } else if let Some(record) = self.document(byte)? {
                return Ok(Some(record));
            }
        }
    }

    /// Documents that were strung together may each have a byte-order mark.
    fn pass_mark(&mut self) -> Result<(), Trouble> {
        const MARK: &[u8] = b"\xef\xbb\xbf";
        if self.walk.depth() == 0 {
            self.walk.peek()?;
            self.walk.window.fill_to(MARK.len())?;
            if self.walk.window.data().starts_with(MARK) {
                self.walk.window.pass(MARK.len());
            }
        }
        Ok(())
    }

    /// Opens the document that begins with `byte`, or reads it as one record.
    fn document(&mut self, byte: u8) -> Result<Option<Record>, Trouble> {
        match byte {
            b'{' => {}
            b'[' if self.base == 0 => {
                self.open_array()?;
                return Ok(None);
            }
            _ => return Err(self.walk.misplaced(byte)),
        }
        let measured = self.walk.measure()?;
        let held = match measured {
            Measured::Whole(bytes) => bytes,
            Measured::Over => RECORD_LIMIT,
        };
        let survey = Survey::of(&self.walk.window.data()[..held]);
        let lacks = |path: &Pointer| path.steps().first().is_some_and(|step| !survey.has(step));
        let path = match &self.wanted {
            Some(path) if self.if_there && lacks(path) => self.found(&survey)?,
            Some(path) => (!path.steps().is_empty() && !survey.was_rejected()).then(|| path.clone()),
            None => self.found(&survey)?,
        };
        match path {
            Some(path) => {
                self.open(&path)?;
                Ok(None)
            }
            None => self.measured(&measured, &survey.lists()).map(Some),
        }
    }

    /// The path to the records of an envelope.
    fn found(&mut self, survey: &Survey) -> Result<Option<Pointer>, Trouble> {
        let before = self.opened.as_ref().and_then(|path| path.steps().first()).map(String::as_str);
        let Some(key) = survey.envelope(before) else {
            return match survey.rivals() {
                Some(keys) => Err(two_lists(keys[0], keys[1], self.walk.begin())),
                None => Ok(None),
            };
        };
        let path = Pointer::to_key(key);
        self.opened = Some(path.clone());
        Ok(Some(path))
    }

    /// An array that is a document: of records, or of documents, or one that the path leads through.
    fn open_array(&mut self) -> Result<(), Trouble> {
        let first = self.wanted.as_ref().and_then(|path| path.steps().first());
        match first {
            Some(step) if step.parse::<usize>().is_ok() => {
                let path = self.wanted.clone().unwrap_or_else(|| Pointer::to_key(""));
                self.open(&path)
            }
            Some(_) => {
                self.walk.enter(b'[');
                self.base = 1;
                Ok(())
            }
            None => {
                self.walk.enter(b'[');
                self.list = Some(self.walk.depth());
                Ok(())
            }
        }
    }

    /// Goes along `path` and is then within the list of records, or before the only one.
    fn open(&mut self, path: &Pointer) -> Result<(), Trouble> {
        for (index, step) in path.steps().iter().enumerate() {
            let missing = match self.walk.peek()? {
                Some(b'{') => self.enter_object(step)?,
                Some(b'[') => self.enter_array(step)?,
                _ => Some(("no object", Vec::new())),
            };
            if let Some((what, keys)) = missing {
                return Err(self.nowhere(path, index, what, &keys));
            }
        }
        match self.walk.peek()? {
            Some(b'[') => {
                self.walk.enter(b'[');
                self.list = Some(self.walk.depth());
                Ok(())
            }
            Some(b'{') => {
                self.list = Some(self.walk.depth());
                self.is_alone = true;
                Ok(())
            }
            Some(b'n') => self.walk.pass_value(),
            _ => Err(self.nowhere(path, path.steps().len(), "neither a list nor an object", &[])),
        }
    }

    /// Enters an object up to the value of the key `step`, or says which keys are there.
    fn enter_object(&mut self, step: &str) -> Result<Option<(&'static str, Vec<String>)>, Trouble> {
        self.walk.enter(b'{');
        let mut keys = Vec::new();
        loop {
            match self.walk.peek()? {
                Some(b'"') => {}
                Some(b'}') => return Ok(Some(("an object", keys))),
                other => return Err(self.walk.misplaced(other.unwrap_or_default())),
            }
            let key = self.walk.key()?;
            if key == step {
                return Ok(None);
            }
            if keys.len() <= KEYS_TOLD {
                keys.push(key);
            }
            self.walk.peek()?;
            self.walk.pass_value()?;
        }
    }

    /// Enters a list up to the element `step`.
    fn enter_array(&mut self, step: &str) -> Result<Option<(&'static str, Vec<String>)>, Trouble> {
        self.walk.enter(b'[');
        let Ok(index) = step.parse::<usize>() else { return Ok(Some(("a list", Vec::new()))) };
        for _ in 0..index {
            if self.walk.peek()? == Some(b']') {
                return Ok(Some(("a shorter list", Vec::new())));
            }
            self.walk.pass_value()?;
        }
        let past = self.walk.peek()? == Some(b']');
        Ok(past.then(|| ("a shorter list", Vec::new())))
    }

    fn nowhere(&self, path: &Pointer, index: usize, what: &str, keys: &[String]) -> Trouble {
        let parent = path.steps()[..index].join("/");
        let place = if index == 0 { "the document".to_owned() } else { format!("`/{parent}`") };
        let mut told: Vec<String> = keys.iter().take(KEYS_TOLD).map(|key| format!("`{key}`")).collect();
        if keys.len() > KEYS_TOLD {
            told.push("…".to_owned());
        }
        let there = match (what, told.is_empty()) {
            ("an object", true) => "; it is empty".to_owned(),
            ("an object", false) => format!("; the keys there are {}", told.join(", ")),
            _ => String::new(),
        };
        let line = self.walk.begin();
        Trouble::Content(format!(
            "has no records at `{path}`, which `source.records` names: {place} is {what} (line {line}){there}"
        ))
    }

    /// The record at the start of the window.
    fn record(&mut self) -> Result<Record, Trouble> {
        let measured = self.walk.measure()?;
        let record = self.measured(&measured, &[])?;
        if self.is_alone {
            self.list = None;
            self.is_alone = false;
        }
        Ok(record)
    }

    fn measured(&mut self, measured: &Measured, lists: &[&str]) -> Result<Record, Trouble> {
        let position = Position { file: Arc::clone(&self.file), line: self.line() };
        match measured {
            Measured::Whole(bytes) => {
                let text = &self.walk.window.data()[..*bytes];
                let record = record(position, text, &self.not_text);
                self.walk.window.pass(*bytes);
                Ok(record)
            }
            Measured::Over => {
                let text = &self.walk.window.data()[..RECORD_LIMIT];
                let advice = match lists {
                    [] => String::new(),
                    lists => format!(
                        ": if its records are in a list, set `source.records`, e.g. to `/{}`",
                        lists[0]
                    ),
                };
                let record = Record::broken(position, None, text, over_limit() + &advice);
                self.walk.pass_value()?;
                Ok(record)
            }
        }
    }

    /// Passes what follows the records of an envelope. One that was opened without being told must hold no second list:
    /// this shows late where the first is long.
    fn leave_envelope(&mut self) -> Result<(), Trouble> {
        while let Some(opened) = &self.opened
            && self.walk.depth() == self.base + 1
        {
            let first = opened.steps().first().cloned().unwrap_or_default();
            match self.walk.peek()? {
                Some(b'"') => {}
                _ => break,
            }
            let line = self.line();
            let key = self.walk.key()?;
            self.walk.peek()?;
            self.walk.window.fill_to(GLANCE)?;
            let data = self.walk.window.data();
            if is_list_of_objects(&data[..data.len().min(GLANCE)]) {
                return Err(two_lists(&first, &key, line));
            }
            self.walk.pass_value()?;
        }
        self.walk.leave(self.base)
    }
}

/// Nobody can tell which of an envelope's lists holds the calls; the other one is found on `line`.
fn two_lists(one: &str, other: &str, line: u64) -> Trouble {
    let (first, second) = (Pointer::to_key(one), Pointer::to_key(other));
    Trouble::Content(format!(
        "holds two lists of records, `{one}` and `{other}` (line {line}): set `source.records` to the one that is meant, \
         `{first}` or `{second}`"
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::{call::Cells, source::window::tests::Trickle};

    /// Every record as its line with its text or what is wrong, then the trouble, and where an envelope was opened.
    fn read(
        text: &str,
        records: Option<&str>,
        chunk: usize,
    ) -> (Vec<(u64, String)>, Option<String>, Option<String>) {
        let window = Window::new(Box::new(Trickle(text.as_bytes().to_vec(), chunk)));
        let wanted = records.map(|path| Pointer::parse(path).unwrap());
        let mut documents = Documents::new(window, "a.json".into(), "has odd bytes".into(), wanted);
        let mut found = Vec::new();
        let trouble = loop {
            match documents.next() {
                Ok(None) => break None,
                Ok(Some(Record::Row(row))) => {
                    let Cells::Json(object) = row.cells else { panic!("an object") };
                    found.push((row.position.line, serde_json::to_string(&object).unwrap()));
                }
                Ok(Some(Record::Broken(row))) => found.push((row.position.line, row.fault.reason)),
                Err(Trouble::Content(fault)) => break Some(fault),
                Err(Trouble::Io(error)) => panic!("{error}"),
            }
        };
        (found, trouble, documents.opened().map(ToString::to_string))
    }

    fn rows(text: &str, records: Option<&str>) -> Vec<(u64, String)> {
        let chunk = if text.len() > 10_000 { 1 << 16 } else { 7 };
        let (rows, trouble, _) = read(text, records, chunk);
        assert_eq!(trouble, None);
        rows
    }

    #[test]
    fn a_document_that_lacks_what_a_preset_names_is_read_by_itself() {
        let read = |text: &str| {
            let window = Window::new(Box::new(Trickle(text.as_bytes().to_vec(), 7)));
            let wanted = Some(Pointer::parse("/calls").unwrap());
            let mut documents =
                Documents::new(window, "a.json".into(), "has odd bytes".into(), wanted).if_there(true);
            let mut ids = Vec::new();
            while let Some(Record::Row(row)) = documents.next().unwrap_or_else(|_| panic!("{text}")) {
                ids.push(row.cells.value("id").unwrap_or_default().into_owned());
            }
            ids.join(",")
        };
        assert_eq!(read(r#"{"legs":[{"id":9}],"calls":[{"id":1},{"id":2}]}"#), "1,2");
        assert_eq!(read(r#"[{"id":1},{"id":2}]"#), "1,2");
        assert_eq!(read("{\"id\":1}\n{\"id\":2}\n"), "1,2");
        assert_eq!(read(r#"{"page":1,"data":[{"id":1}]}"#), "1");
        assert_eq!(read(r#"[{"calls":[{"id":1}]},{"calls":[{"id":2}]}]"#), "1,2");
    }

    fn trouble(text: &str, records: Option<&str>) -> String {
        read(text, records, 7).1.expect("the file is in trouble")
    }

    fn row(line: u64, text: &str) -> (u64, String) {
        (line, text.to_owned())
    }

    #[test]
    fn objects_are_read_however_they_stand() {
        let three = [row(1, r#"{"id":1}"#), row(1, r#"{"id":2}"#), row(2, r#"{"id":3}"#)];
        for text in [
            "{\"id\":1}{\"id\":2}\n{\"id\":3}",
            "[{\"id\":1},{\"id\":2},\n{\"id\":3}]\n",
            "[{\"id\":1}] [{\"id\":2}]\u{feff}\n[{\"id\":3}]",
        ] {
            assert_eq!(rows(text, None), three, "{text}");
        }
        let pretty = "{\n  \"id\": 1\n}\n{\n  \"id\": \"}\"\n}\n";
        assert_eq!(rows(pretty, None), [row(1, r#"{"id":1}"#), row(4, r#"{"id":"}"}"#)]);
        assert_eq!(rows("[]", None), []);
    }

    #[test]
    fn a_path_leads_to_the_records_of_each_document() {
        let page = |id| {
            format!("{{\"meta\":{{\"n\":[1]}},\"data\":{{\"calls\":[\n{{\"id\":{id}}}],\"x\":[{{}}]}}}}\n")
        };
        let text = page(1) + &page(2);
        assert_eq!(rows(&text, Some("/data/calls")), [row(2, r#"{"id":1}"#), row(4, r#"{"id":2}"#)]);
        assert_eq!(rows(&format!("[{},{}]", page(1), page(2)), Some("/data/calls")).len(), 2);
        assert_eq!(rows(r#"{"a":[[],[{"id":1},2]]}"#, Some("/a/1"))[1].1, "is not a JSON object");
        assert_eq!(rows(r#"[0,{"id":1},{"id":2}]"#, Some("/1")), [row(1, r#"{"id":1}"#)]);
        assert_eq!(rows(r#"{"a/b":{"id":1}}{"a/b":null}{"a/b":[]}"#, Some("/a~1b")), [row(1, r#"{"id":1}"#)]);
        let whole = r#"{"calls":[{"id":1}]}"#;
        assert_eq!(rows(whole, Some("")), [row(1, whole)]);
    }

    #[test]
    fn a_path_that_leads_nowhere_is_told_with_the_keys_that_are_there() {
        let text = "{\"count\":1,\n\"data\":{\"call\":[],\"next\":null}}";
        assert_eq!(
            trouble(text, Some("/data/calls")),
            "has no records at `/data/calls`, which `source.records` names: `/data` is an object (line 2); the keys \
             there are `call`, `next`"
        );
        let told = trouble(text, Some("/calls"));
        assert!(
            told.ends_with("the document is an object (line 1); the keys there are `count`, `data`"),
            "{told}"
        );
        assert!(trouble(text, Some("/count/x")).contains("`/count` is no object"));
        assert!(trouble(text, Some("/count")).contains("`/count` is neither a list nor an object"));
        assert!(trouble("[[1]]", Some("/0/3")).contains("`/0` is a shorter list"));
        assert!(trouble("{}", Some("/a")).ends_with("it is empty"));
    }

    #[test]
    fn a_row_of_a_rejects_file_is_read_whatever_the_path() {
        let text = r#"{"calls":[{"id":1}]}{"id":2,"callport_line":1}"#;
        let expected = [row(1, r#"{"id":1}"#), row(1, r#"{"id":2,"callport_line":1}"#)];
        assert_eq!(rows(text, Some("/calls")), expected);
    }

    #[test]
    fn an_envelope_is_opened_without_being_told_and_this_can_be_seen() {
        let pages = "{\"calls\":[{\"id\":1},\n{\"id\":2}],\"count\":3,\"next\":null}\n{\"calls\":[]}";
        let (rows, trouble, opened) = read(pages, None, 3);
        assert_eq!(rows, [row(1, r#"{"id":1}"#), row(2, r#"{"id":2}"#)]);
        assert_eq!((trouble, opened.as_deref()), (None, Some("/calls")));
        let record = r#"{"call_id":1,"agent":{"name":"Jo"},"items":[{"a":1}]}"#;
        assert_eq!(read(record, None, 3), (vec![row(1, record)], None, None));
    }

    #[test]
    fn an_envelope_of_any_size_is_opened_and_shows_a_second_list_in_the_end() {
        let line = format!("{{\"id\":\"{}\"}},\n", "x".repeat(1_000));
        let long = format!("{{\"calls\":[{}{{\"id\":0}}]", line.repeat(4_500));
        let (found, trouble, opened) = read(&format!("{long},\"n\":1}}"), None, 1 << 16);
        assert_eq!((found.len(), trouble, opened.as_deref()), (4_501, None, Some("/calls")));
        assert_eq!(found[4_500], row(4_501, r#"{"id":0}"#));
        let told = read(&format!("{long},\"legs\":[{{\"id\":1}}]}}"), None, 1 << 16).1.unwrap();
        let wanted = "holds two lists of records, `calls` and `legs` (line 4501): set `source.records` to the one that is \
                      meant, `/calls` or `/legs`";
        assert_eq!(told, wanted);
        let short = r#"{"calls":[{"a":1}],"users":[{"b":2}]}"#;
        let told = read(short, None, 3).1.unwrap();
        assert!(told.starts_with("holds two lists of records, `calls` and `users` (line 1): set"), "{told}");
        assert_eq!(rows(short, Some("/users")), [row(1, r#"{"b":2}"#)]);
        let other = long.replace("calls", "rows");
        assert_eq!(
            rows(&format!("{other}}}{{}}"), None),
            [
                row(
                    1,
                    "is over 4194304 bytes long: if its records are in a list, set `source.records`, e.g. to `/rows`"
                ),
                row(4_501, "{}"),
            ]
        );
    }

    #[test]
    fn a_fault_within_the_brackets_of_a_record_costs_that_record() {
        let found = rows("[{\"id\":1,},\n{\n\"id\": nul},\noops, 7, \"a\", [1],\n{\"id\":2}]", None);
        assert_eq!(found[0], row(1, "is not valid JSON at column 9: trailing comma"));
        assert!(found[1].1.starts_with("is not valid JSON at line 3, column "), "{:?}", found[1]);
        let none = "is not a JSON object";
        assert!(found[2].1.starts_with("is not valid JSON at column 1"), "{:?}", found[2]);
        assert_eq!(found[3..], [row(4, none), row(4, none), row(4, none), row(5, r#"{"id":2}"#)]);
    }

    #[test]
    fn brackets_that_do_not_match_end_the_file_with_the_line() {
        let told = trouble("[{\"id\":1},\n{\"id\":\n[2}]", None);
        assert_eq!(
            told,
            "is not valid JSON at line 3: `}` closes another bracket than is open, in what begins on line 2"
        );
        let told = trouble("[{\"id\":1},\n{\"id\":\"2}]\n", None);
        assert_eq!(told, "breaks off: a bracket or quote of what begins on line 2 is never closed");
        let told = trouble("\n[{\"id\":1},\n", None);
        assert_eq!(told, "breaks off: a bracket or quote of what begins on line 2 is never closed");
        let told = trouble("{}\nid,from\n", None);
        assert_eq!(told, "is not valid JSON at line 2: `i` stands where an object is expected");
        let told = trouble("[{}}", None);
        assert_eq!(
            told,
            "is not valid JSON at line 1: `}` does not fit the bracket that is open since line 1"
        );
        assert!(trouble(r#"{"a" 1}"#, Some("/b")).contains("a key is expected"));
    }

    #[test]
    fn a_record_over_the_bound_is_cut_and_the_next_one_read() {
        let text = format!("[{{\"a\":\"{}\"}},\n{{\"b\":\"]\"}}]", "}".repeat(5 << 20));
        assert_eq!(rows(&text, None), [row(1, "is over 4194304 bytes long"), row(2, r#"{"b":"]"}"#)]);
    }

    fn any_record() -> impl Strategy<Value = Value> {
        (0..99_u8, r#"[a{}\[\]",:\\\n]{0,6}"#, any::<bool>()).prop_map(|(id, text, nested)| {
            let inner = if nested { json!([{ "x": text }, [text]]) } else { Value::from(text) };
            json!({ "number": id, "inner": inner })
        })
    }

    fn told(records: &[Value]) -> Vec<String> {
        records.iter().map(|record| serde_json::to_string(record).unwrap()).collect()
    }

    proptest! {
        #[test]
        fn any_documents_give_their_records_however_they_arrive(
            pages in prop::collection::vec(prop::collection::vec(any_record(), 1..4), 1..4),
            form in 0..4_u8,
            pretty: bool,
            chunk in 1..40_usize,
        ) {
            let write = |value: &Value| {
                if pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) }.unwrap()
            };
            let page = |records: &Vec<Value>| match form {
                0 => records.iter().map(&write).collect(),
                1 => write(&Value::from(records.clone())),
                2 => write(&json!({ "n": 1, "calls": records, "paging": {} })),
                _ => write(&json!({ "a": [0, { "b": records }], "c": [{}] })),
            };
            let text: Vec<String> = pages.iter().map(page).collect();
            let path = (form == 3).then_some("/a/1/b");
            let (found, trouble, _) = read(&text.join("\n"), path, chunk);
            prop_assert_eq!(trouble, None);
            let found: Vec<String> = found.into_iter().map(|(_, text)| text).collect();
            prop_assert_eq!(found, told(&pages.concat()));
        }

        #[test]
        fn any_text_reads_alike_however_it_arrives(
            text in r#"[\[{}\]",:\\\n a1]{0,40}"#,
            records in prop::option::of(prop::sample::select(vec!["/a", "/0", ""])),
            chunk in 1..9_usize,
        ) {
            prop_assert_eq!(read(&text, records, chunk), read(&text, records, 1000));
        }

        #[test]
        fn every_line_is_a_records_own(gaps in prop::collection::vec(1..4_usize, 1..6)) {
            let mut text = "[".to_owned();
            let mut lines = Vec::new();
            let mut line = 1;
            for gap in &gaps {
                text.push_str(&"\r\n".repeat(*gap));
                line += *gap as u64;
                lines.push(line);
                text.push_str("{},");
            }
            text.push(']');
            let found: Vec<u64> = read(&text, None, 3).0.into_iter().map(|(line, _)| line).collect();
            prop_assert_eq!(found, lines);
        }
    }

    #[test]
    fn a_record_keeps_the_order_of_its_keys_and_the_digits_of_its_numbers() {
        let text = r#"{"z":12345678901234567890,"a":1.50}"#;
        assert_eq!(rows(text, None), [row(1, text)]);
    }
}
