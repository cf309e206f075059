//! The house rules that a compiler does not know, read from the text of `src/`.
//!
//! Rooms (folders of `src/`) stand in rows; a room names its own items and those of the rows below. The decisions and
//! nouns are pure. Each fault is told with file, line and rule; the tests at the end prove that the checker bites.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

/// The rows from the ground up.
const ROWS: &[&[&str]] = &[
    &["call"],
    &["mapping", "plan", "policy"],
    &["source", "helpscout", "checkpoint"],
    &["import"],
    &["report", "sandbox"],
    &["config"],
    &["cli"],
];

const PURE: &[&str] = &["call", "mapping", "plan", "policy"];

/// What a pure room must not name.
const IMPURE: &[&str] = &[
    "tokio",
    "reqwest",
    "rusqlite",
    "std::fs",
    "std::env",
    "std::net",
    "std::time::Instant",
    "std::time::SystemTime",
    "Instant::now",
    "SystemTime::now",
    "indicatif",
    "tracing",
    "fastrand",
];

const PRINTING: &[&str] = &["println", "eprintln", "print", "eprint", "dbg"];

const NO_ROOMS: &[&str] = &["utils", "util", "helpers", "helper", "common", "types", "misc"];

/// A fault of one line.
#[derive(Debug, PartialEq, Eq)]
struct Breach {
    file: String,
    line: usize,
    rule: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.rule)
    }
}

#[test]
fn every_file_keeps_the_house_rules() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut breaches = Vec::new();
    let files = rust_files(&src);
    assert!(files.len() > 20, "only {} files were found", files.len());
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let name = path.strip_prefix(&src).unwrap().to_string_lossy().replace('\\', "/");
        breaches.extend(check(&name, &text));
    }
    let told: Vec<String> = breaches.iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "\n{}", told.join("\n"));
}

#[test]
fn every_room_stands_in_a_row() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(src).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type().unwrap().is_dir() {
            assert!(row_of(&name).is_some(), "src/{name} stands in no row");
        } else {
            assert!(["lib.rs", "main.rs"].contains(&name.as_str()), "src/{name} belongs to no room");
        }
    }
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("src/ can be read") {
        let path = entry.expect("src/ can be read").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Every breach in the file `name` (relative to `src/`) with the content `text`.
fn check(name: &str, text: &str) -> Vec<Breach> {
    let mut rules: Vec<(usize, String)> = Vec::new();
    let parts: Vec<&str> = name.split('/').collect();
    let room = if parts.len() > 1 { parts[0] } else { "" };
    for part in &parts {
        let part = part.trim_end_matches(".rs");
        if NO_ROOMS.contains(&part) {
            rules.push((1, format!("`{part}` is no noun: a helper lives with the noun that it helps")));
        }
    }
    if !text.starts_with("//!") {
        rules.push((1, "the file has no module docs: it begins with `//!`".to_owned()));
    }
    let code = blank(text);
    // `room/mod.rs` is as deep as `room`; every other file is a module below its folder.
    let depth = if name.ends_with("mod.rs") { parts.len() - 1 } else { parts.len() };
    for (line, path, inner) in paths(&code) {
        rules.extend(check_path(name, room, &path, depth + inner).into_iter().map(|rule| (line, rule)));
    }
    for (line, word) in macros(&code) {
        if PRINTING.contains(&word.as_str()) && !["cli", ""].contains(&room) {
            rules.push((line, format!("`{word}!` outside `cli`: return text or emit an event")));
        }
    }
    rules.sort();
    rules.dedup();
    rules.into_iter().map(|(line, rule)| Breach { file: format!("src/{name}"), line, rule }).collect()
}

fn check_path(name: &str, room: &str, path: &str, depth: usize) -> Option<String> {
    let segments: Vec<&str> = path.split("::").collect();
    let first = segments[0];
    let supers = segments.iter().take_while(|segment| **segment == "super").count();
    if supers >= depth && !room.is_empty() {
        return Some(format!("`{path}` climbs out of the room: write `crate::`"));
    }
    if first == "crate" && !room.is_empty() {
        return segments.get(1).and_then(|other| check_rooms(room, other));
    }
    if PURE.contains(&room) && IMPURE.iter().any(|banned| is_within(path, banned)) {
        return Some(format!("`{room}` is pure and names `{path}`"));
    }
    if first == "anyhow" && !["cli", ""].contains(&room) {
        return Some("`anyhow` outside `cli`: each room has its own error type".to_owned());
    }
    if ["chrono", "chrono_tz"].contains(&first) && name != "call/moment.rs" {
        return Some(format!("`{first}` outside `call/moment.rs`"));
    }
    None
}

fn check_rooms(room: &str, other: &str) -> Option<String> {
    let (Some(own_row), Some(other_row)) = (row_of(room), row_of(other)) else { return None };
    if room == other || (other_row < own_row && (room, other) != ("sandbox", "helpscout")) {
        return None;
    }
    Some(match (room, other) {
        ("sandbox", "helpscout") => {
            "`sandbox` must spell the service for itself, without `helpscout`".to_owned()
        }
        _ if own_row == other_row => format!("`{room}` uses `{other}` of its own row"),
        _ => format!("`{room}` uses `{other}`, which stands above it"),
    })
}

fn row_of(room: &str) -> Option<usize> {
    ROWS.iter().position(|row| row.contains(&room))
}

fn is_within(path: &str, banned: &str) -> bool {
    path.strip_prefix(banned).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// The text with comments, strings and characters blanked, every line and column kept.
fn blank(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = match (chars[at], chars.get(at + 1)) {
            ('/', Some('/')) => until(&chars, at, |rest| rest.starts_with(&['\n'])),
            ('/', Some('*')) => block_comment_end(&chars, at),
            ('"', _) => string_end(&chars, at),
            ('r', Some('"' | '#')) if !is_word(at.checked_sub(1).map(|before| chars[before])) => {
                raw_string_end(&chars, at)
            }
            ('\'', _) => char_end(&chars, at),
            _ => at,
        };
        if end == at {
            out.push(chars[at]);
            at += 1;
        } else {
            out.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    out
}

fn until(chars: &[char], from: usize, found: impl Fn(&[char]) -> bool) -> usize {
    (from..chars.len()).find(|at| found(&chars[*at..])).unwrap_or(chars.len())
}

fn block_comment_end(chars: &[char], from: usize) -> usize {
    let (mut depth, mut at) = (0, from);
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at.min(chars.len())
}

fn string_end(chars: &[char], from: usize) -> usize {
    let mut at = from + 1;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(chars.len())
}

fn raw_string_end(chars: &[char], from: usize) -> usize {
    let hashes = chars[from + 1..].iter().take_while(|c| **c == '#').count();
    let open = from + 1 + hashes;
    if chars.get(open) != Some(&'"') {
        // A raw identifier such as `r#type`.
        return from;
    }
    let mut close = vec!['"'];
    close.extend(std::iter::repeat_n('#', hashes));
    (until(chars, open + 1, |rest| rest.starts_with(&close)) + close.len()).min(chars.len())
}

/// The end of a character literal; `from` itself for a lifetime.
fn char_end(chars: &[char], from: usize) -> usize {
    match (chars.get(from + 1), chars.get(from + 2)) {
        (Some('\\'), Some(_)) => {
            (until(chars, from + 3, |rest| rest.starts_with(&['\''])) + 1).min(chars.len())
        }
        (Some(_), Some('\'')) => from + 3,
        _ => from,
    }
}

fn is_word(c: Option<char>) -> bool {
    c.is_some_and(|c| c.is_alphanumeric() || c == '_')
}

/// A word or a mark of the code, with its line.
fn tokens(code: &str) -> Vec<(usize, String)> {
    let mut tokens: Vec<(usize, String)> = Vec::new();
    let mut line = 1;
    let mut rest = code.chars().peekable();
    while let Some(c) = rest.next() {
        if c == '\n' {
            line += 1;
        } else if is_word(Some(c)) {
            let mut word = c.to_string();
            while let Some(next) = rest.next_if(|next| is_word(Some(*next))) {
                word.push(next);
            }
            tokens.push((line, word));
        } else if c == ':' && rest.next_if_eq(&':').is_some() {
            tokens.push((line, "::".to_owned()));
        } else if !c.is_whitespace() {
            tokens.push((line, c.to_string()));
        }
    }
    tokens
}

/// Every path of the code with its line and how many `mod … {` are around it; `a::{b, c::d}` gives `a::b` and `a::c::d`.
fn paths(code: &str) -> Vec<(usize, String, usize)> {
    let tokens = tokens(code);
    let word = |at: usize| tokens.get(at).is_some_and(|(_, token)| is_word(token.chars().next()));
    let is = |at: usize, mark: &str| tokens.get(at).is_some_and(|(_, token)| token == mark);
    let mut found = Vec::new();
    // The prefix that each open brace adds, and whether it opens a module.
    let mut open: Vec<(String, bool)> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let modules = open.iter().filter(|(_, module)| *module).count();
        let prefix = open.last().map(|(prefix, _)| prefix.clone()).unwrap_or_default();
        if word(at) {
            let (line, mut path) = (tokens[at].0, format!("{prefix}{}", tokens[at].1));
            at += 1;
            while is(at, "::") && word(at + 1) {
                path.push_str("::");
                path.push_str(&tokens[at + 1].1);
                at += 2;
            }
            if is(at, "::") && is(at + 1, "{") {
                open.push((format!("{path}::"), false));
                at += 2;
            } else {
                found.push((line, path, modules));
            }
        } else {
            if is(at, "{") {
                let module = at >= 2 && is(at - 2, "mod");
                open.push((String::new(), module));
            } else if is(at, "}") {
                open.pop();
            }
            at += 1;
        }
    }
    found
}

/// Every macro that is called, with its line.
fn macros(code: &str) -> Vec<(usize, String)> {
    let tokens = tokens(code);
    let called = tokens.windows(3).filter(|three| {
        is_word(three[0].1.chars().next())
            && three[1].1 == "!"
            && ["(", "[", "{"].contains(&three[2].1.as_str())
    });
    called.map(|three| three[0].clone()).collect()
}

mod the_checker {
    use super::*;

    fn told(name: &str, code: &str) -> Vec<String> {
        check(name, &format!("//! Docs.\n{code}")).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn finds_an_import_from_above_and_from_the_own_row() {
        assert_eq!(
            told("plan/group.rs", "use crate::import::Sheet;\nfn f() { crate::policy::decide(); }\n"),
            [
                "src/plan/group.rs:2: `plan` uses `import`, which stands above it",
                "src/plan/group.rs:3: `plan` uses `policy` of its own row",
            ]
        );
    }

    #[test]
    fn finds_it_within_braces_over_several_lines() {
        assert_eq!(
            told(
                "source/open.rs",
                "use crate::{\n    call::{Call, Row},\n    config::{self, Settings},\n};\n"
            ),
            ["src/source/open.rs:4: `source` uses `config`, which stands above it"]
        );
        assert_eq!(
            told("call/key.rs", "use std::{\n    fmt,\n    fs::{self, File},\n};\n"),
            [
                "src/call/key.rs:4: `call` is pure and names `std::fs::File`",
                "src/call/key.rs:4: `call` is pure and names `std::fs::self`",
            ]
        );
    }

    #[test]
    fn finds_a_way_round_by_super() {
        let climbs =
            "src/plan/group.rs:2: `super::super::import::Sheet` climbs out of the room: write `crate::`";
        assert_eq!(told("plan/group.rs", "use super::super::import::Sheet;\n"), [climbs]);
        assert_eq!(told("plan/mod.rs", "use super::import::Sheet;\n").len(), 1);
        assert_eq!(told("plan/group.rs", "mod tests {\n    use super::super::Size;\n}\n"), [""; 0]);
        assert_eq!(told("plan/group.rs", "mod tests {\n    use super::super::super::cli;\n}\n").len(), 1);
    }

    #[test]
    fn finds_the_service_within_the_sandbox() {
        assert_eq!(
            told("sandbox/world.rs", "use crate::helpscout::Body;\n"),
            ["src/sandbox/world.rs:2: `sandbox` must spell the service for itself, without `helpscout`"]
        );
    }

    #[test]
    fn finds_what_a_pure_room_must_not_name() {
        for code in [
            "use tokio::time;",
            "fn f() { std::env::var(\"X\"); }",
            "use std::time::{Duration, Instant};",
            "fn f() { let now = SystemTime::now(); }",
            "use tracing::info;",
        ] {
            assert_eq!(told("policy/wait.rs", code).len(), 1, "{code}");
            assert_eq!(told("import/deliver.rs", code), [""; 0], "{code}");
        }
        assert_eq!(told("policy/wait.rs", "use std::time::Duration;"), [""; 0]);
    }

    #[test]
    fn finds_crates_and_macros_out_of_place() {
        assert_eq!(told("import/stage.rs", "use anyhow::Result;").len(), 1);
        assert_eq!(told("call/row.rs", "fn f() { chrono::NaiveDate::MIN; }").len(), 1);
        assert_eq!(told("sandbox/page.rs", "fn f() { println!(\"x\"); }").len(), 1);
        for (file, code) in [
            ("cli/import.rs", "use anyhow::Result;\nfn f() { println!(); }"),
            ("call/moment.rs", "use chrono::Utc;"),
            ("call/row.rs", "fn f(print: bool) { if print {} }"),
        ] {
            assert_eq!(told(file, code), [""; 0], "{code}");
        }
    }

    #[test]
    fn finds_rooms_of_no_noun_and_files_without_docs() {
        assert_eq!(told("plan/utils.rs", "").len(), 1);
        assert_eq!(check("plan/common/size.rs", "use std::fmt;\n").len(), 2);
    }

    #[test]
    fn is_not_deceived_by_comments_strings_and_characters() {
        let code = "// use crate::cli;\n/* crate::cli /* */ crate::cli */\nconst A: &str = \"crate::cli \\\" \
                    crate::cli\";\nconst B: &str = r#\"crate::cli \" \"#;\nconst C: char = '\"';\nconst D: char = '\\'';\nfn \
                    f<'a>(x: &'a str) {}\nuse crate::cli;\n";
        assert_eq!(told("plan/x.rs", code), ["src/plan/x.rs:9: `plan` uses `cli`, which stands above it"]);
    }
}
