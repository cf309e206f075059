//! Quotes that a CSV writer placed wrongly, read where they can mean one thing only.
//!
//! Seen in exports: a blank between a delimiter and a quote, and quotes within a quoted cell that are not doubled. A quote
//! ends a cell where a delimiter or the end of the line follows it, and is a part of the cell elsewhere. Where a record
//! has as many cells then as it must have, and no quote is left over, there is no second way to read it.

/// How the quotes of a record on one line stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quoting {
    /// As they must, or before text that belongs to the cell.
    Regular,
    /// A quote stands behind a blank: it opens a cell, or is a part of one.
    Blank,
    /// A reader of regular records drops some of them and keeps others.
    Stray,
}

/// How the quotes of `line`, a record without its line end, stand.
pub(super) fn quoting(line: &[u8], delimiter: u8) -> Quoting {
    let mut found = Quoting::Regular;
    let mut rest = line;
    loop {
        let quoted = rest.first() == Some(&b'"');
        if quoted {
            rest = after_quoted(&rest[1..]);
        } else if rest.get(blanks(rest, delimiter)) == Some(&b'"') {
            found = Quoting::Blank;
        }
        let end = rest.iter().position(|byte| *byte == delimiter).unwrap_or(rest.len());
        if quoted && rest[..end].contains(&b'"') {
            return Quoting::Stray;
        }
        match rest.get(end) {
            Some(_) => rest = &rest[end + 1..],
            None => return found,
        }
    }
}

/// What follows the quote that closes a cell.
pub(super) fn after_quoted(mut rest: &[u8]) -> &[u8] {
    while let Some(quote) = rest.iter().position(|byte| *byte == b'"') {
        rest = &rest[quote + 1..];
        match rest.strip_prefix(b"\"") {
            Some(behind) => rest = behind,
            None => return rest,
        }
    }
    &[]
}

/// Reads `line` as it was meant: the text of all cells and where each ends in it. `None` if a quote is left over.
pub(super) fn read(line: &[u8], delimiter: u8) -> Option<(Vec<u8>, Vec<usize>)> {
    let (mut text, mut ends) = (Vec::with_capacity(line.len()), Vec::new());
    let mut rest = line;
    loop {
        let blanks = blanks(rest, delimiter);
        if rest.get(blanks) == Some(&b'"') {
            rest = quoted(&rest[blanks + 1..], delimiter, &mut text)?;
        } else {
            let end = rest.iter().position(|byte| *byte == delimiter).unwrap_or(rest.len());
            text.extend_from_slice(&rest[..end]);
            rest = &rest[end..];
        }
        ends.push(text.len());
        match rest.split_first() {
            Some((_, behind)) => rest = behind,
            None => return Some((text, ends)),
        }
    }
}

/// Adds the cell whose opening quote stands before `rest` to `text`, and gives what follows it.
fn quoted<'l>(mut rest: &'l [u8], delimiter: u8, text: &mut Vec<u8>) -> Option<&'l [u8]> {
    loop {
        let quote = rest.iter().position(|byte| *byte == b'"')?;
        text.extend_from_slice(&rest[..quote]);
        rest = &rest[quote + 1..];
        let behind = &rest[blanks(rest, delimiter)..];
        if behind.first().is_none_or(|byte| *byte == delimiter) {
            return Some(behind);
        }
        text.push(b'"');
        rest = rest.strip_prefix(b"\"").unwrap_or(rest);
    }
}

fn blanks(rest: &[u8], delimiter: u8) -> usize {
    rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t') && **byte != delimiter).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cells(line: &str) -> Option<Vec<String>> {
        let (text, ends) = read(line.as_bytes(), b',')?;
        let begins = [0].into_iter().chain(ends.iter().copied());
        let text = String::from_utf8(text).unwrap();
        Some(begins.zip(&ends).map(|(begin, end)| text.get(begin..*end).unwrap().to_owned()).collect())
    }

    #[test]
    fn a_wrongly_quoted_line_reads_as_it_was_meant() {
        for (line, meant) in [
            (r#""a", "b" ,c"#, vec!["a", "b", "c"]),
            (r#"1,"Jo "JJ" Doe",2"#, vec!["1", r#"Jo "JJ" Doe"#, "2"]),
            (r#""Doe, "JJ" Jo", """#, vec![r#"Doe, "JJ" Jo"#, ""]),
            (r#""a ""b"" "c" d""#, vec![r#"a "b" "c" d"#]),
        ] {
            assert_ne!(quoting(line.as_bytes(), b','), Quoting::Regular, "{line}");
            assert_eq!(cells(line).unwrap(), meant, "{line}");
        }
        assert_eq!(cells(r#"1,"a "b,2"#), None);
    }

    #[test]
    fn a_rightly_quoted_line_is_left_alone() {
        for line in [r#""a","b ""c"", d",5" pipe, x "y" z"#, "", ",,", r#""""""" <100>,1"#] {
            assert_eq!(quoting(line.as_bytes(), b','), Quoting::Regular, "{line}");
        }
        assert_eq!(quoting(br#""Jo" <100>,1"#, b','), Quoting::Regular);
        assert_eq!(quoting(b"\"a\"\t\"b\"", b'\t'), Quoting::Regular);
    }

    proptest! {
        #[test]
        fn a_rightly_quoted_line_is_regular(cells in prop::collection::vec("[a\", ]{0,5}", 1..5)) {
            let quoted = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
            let line: Vec<String> = cells.iter().map(quoted).collect();
            prop_assert_eq!(quoting(line.join(",").as_bytes(), b','), Quoting::Regular);
        }

        #[test]
        fn blanks_about_quotes_change_nothing(words in prop::collection::vec("[ab;]{0,4}", 1..5), gap in " {0,2}") {
            let line: Vec<String> = words.iter().map(|word| format!("{gap}\"{word}\"{gap}")).collect();
            prop_assert_eq!(cells(&line.join(",")), Some(words));
        }
    }
}
