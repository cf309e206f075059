//! `[source]`: how files are read.

use std::collections::HashSet;

use crate::source::{Encoding, Format, Pointer, SKIP_LAST_LIMIT, SourceSettings};

use super::{check::Checker, value::Value};

/// What `[source]` says of reading.
pub(super) fn source(checker: &mut Checker) -> SourceSettings {
    let format = match checker.word("source.format") {
        "csv" => Some(Format::Csv),
        "jsonl" => Some(Format::Jsonl),
        "json" => Some(Format::Json),
        _ => None,
    };
    let columns = columns(checker);
    SourceSettings {
        format,
        encoding: encoding(checker),
        delimiter: delimiter(checker),
        skip_lines: number(checker, "source.skip_lines", u32::MAX),
        skip_last: skip_last(checker),
        header: checker.truth("source.header", true),
        columns_at_least: columns_at_least(checker, columns.len()),
        columns,
        records: records(checker),
        records_if_there: checker.is_of_preset("source.records"),
        fill_down: texts(checker, "source.fill_down"),
        fill_down_if_there: checker.is_of_preset("source.fill_down"),
    }
}

/// The number under `key`, 0 where it is left out.
fn number(checker: &mut Checker, key: &str, most: u32) -> u32 {
    let Some(Value::Integer(number)) = checker.value(key) else { return 0 };
    match u32::try_from(*number) {
        Ok(number) if number <= most => number,
        _ => {
            checker.fault(key, format!("is more than {most}"));
            0
        }
    }
}

fn skip_last(checker: &mut Checker) -> usize {
    let most = u32::try_from(SKIP_LAST_LIMIT).unwrap_or(u32::MAX);
    number(checker, "source.skip_last", most) as usize
}

fn encoding(checker: &mut Checker) -> Option<Encoding> {
    const KEY: &str = "source.encoding";
    let label = checker.text(KEY)?;
    Encoding::named(&label).map_err(|unknown| checker.fault(KEY, unknown.to_string())).ok()
}

fn delimiter(checker: &mut Checker) -> Option<u8> {
    const KEY: &str = "source.delimiter";
    let Some(Value::Text(text)) = checker.value(KEY) else { return None };
    match text.as_bytes() {
        b"tab" | b"\\t" => Some(b'\t'),
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r' | 0) => Some(*byte),
        _ => {
            let reason = format!("is `{text}`: one character such as `,`, `;` or `|`, or `tab`");
            checker.fault(KEY, reason);
            None
        }
    }
}

fn records(checker: &mut Checker) -> Option<Pointer> {
    const KEY: &str = "source.records";
    let Some(Value::Text(text)) = checker.value(KEY) else { return None };
    Pointer::parse(text).map_err(|fault| checker.fault(KEY, fault.to_string())).ok()
}

/// The list of names under `key`, none of which is blank.
fn texts(checker: &mut Checker, key: &str) -> Vec<String> {
    let Some(Value::Texts(names)) = checker.value(key).cloned() else { return Vec::new() };
    if names.iter().any(|name| name.trim().is_empty()) {
        checker.fault(key, "holds an empty name");
    }
    names
}

fn columns(checker: &mut Checker) -> Vec<String> {
    const KEY: &str = "source.columns";
    let names = texts(checker, KEY);
    let folded = |name: &String| name.trim().to_lowercase();
    let mut seen = HashSet::new();
    let again = names.iter().filter(|name| !name.trim().is_empty()).find(|name| !seen.insert(folded(name)));
    if let Some(name) = again {
        checker.fault(KEY, format!("names `{name}` twice: each column needs a name of its own"));
    }
    if let Some(name) = names.iter().find(|name| folded(name).starts_with("callport_")) {
        checker.fault(KEY, format!("names `{name}`: names that begin with `callport_` are callport's own"));
    }
    names
}

fn columns_at_least(checker: &mut Checker, columns: usize) -> Option<usize> {
    const KEY: &str = "source.columns_at_least";
    let Some(Value::Integer(least)) = checker.value(KEY) else { return None };
    let least = usize::try_from(*least).unwrap_or(usize::MAX);
    if columns == 0 {
        checker.fault(KEY, "needs `source.columns`: what the columns are called");
    } else if !(1..=columns).contains(&least) {
        checker.fault(KEY, format!("is {least}: a number from 1 to {columns}, which `source.columns` names"));
    }
    Some(least)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{
        call::Moment,
        config::{ConfigFile, Overrides, Settings},
    };

    fn check(text: &str) -> Result<Settings, String> {
        let file = ConfigFile::parse(Path::new("callport.toml"), &format!("[source]\n{text}")).unwrap();
        let now = Moment::parse_api("2026-11-22T12:00:00Z").unwrap();
        Settings::check(Some(&file), &Overrides::default(), now).map_err(|error| error.to_string())
    }

    #[test]
    fn how_files_are_read_is_taken_over() {
        let source = check(
            "format = 'csv'\nencoding = 'Latin1'\nskip_last = 2\nheader = false\ncolumns = ['a', 'b']\n\
             columns_at_least = 1\nfill_down = ['a']\n",
        )
        .unwrap()
        .source;
        assert_eq!(source.encoding, Encoding::named("windows-1252").ok());
        assert_eq!((source.skip_last, source.header, source.columns_at_least), (2, false, Some(1)));
        assert_eq!((source.columns, source.fill_down), (vec!["a".into(), "b".into()], vec!["a".into()]));
        let source = check("format = 'json'\nrecords = '/data/calls'\n").unwrap().source;
        assert_eq!(source.format, Some(Format::Json));
        assert_eq!(source.records, Pointer::parse("/data/calls").ok());
    }

    #[test]
    fn what_changes_the_rows_is_compared_with_an_earlier_run() {
        let plain = check("").unwrap().mapping_recipe;
        for text in ["encoding='latin1'", "records='/calls'", "fill_down=['a']"] {
            let recipe = check(text).unwrap().mapping_recipe;
            assert_eq!(recipe.identity, plain.identity, "{text}");
            assert_ne!(recipe.content, plain.content, "{text}");
        }
        for text in ["header=false", "columns=['a']", "fill_down=['id']"] {
            assert_ne!(check(text).unwrap().mapping_recipe.identity, plain.identity, "{text}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        for (text, wanted) in [
            (
                "encoding = 'utf8x'",
                "`source.encoding` is `utf8x`, which is no known encoding: did you mean `utf-8`?",
            ),
            ("skip_last = 101", "`source.skip_last` is more than 100"),
            ("columns = ['a', ' ']", "`source.columns` holds an empty name"),
            ("columns = ['a', 'A ']", "`source.columns` names `A ` twice"),
            ("columns = ['callport_line']", "`source.columns` names `callport_line`: names that begin"),
            ("columns_at_least = 3", "`source.columns_at_least` needs `source.columns`"),
            ("columns = ['a']\ncolumns_at_least = 3", "`source.columns_at_least` is 3: a number from 1 to 1"),
            ("records = 'calls'", "`source.records` is `calls`: each step begins with `/`"),
            ("fill_down = ['']", "`source.fill_down` holds an empty name"),
            (
                "format = 'xml'",
                "`source.format` is the text `xml`; one of `csv`, `jsonl`, `json` is expected",
            ),
        ] {
            let told = check(text).unwrap_err();
            assert!(told.contains(wanted), "{told}\n{wanted}");
        }
    }
}
