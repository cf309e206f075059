//! Text as HTML that shows it.

/// Puts `text` at the end of `escaped`, with `&`, `<` and `>` escaped, as it stands between tags.
pub(super) fn escape_onto(text: &str, escaped: &mut String) {
    let find = |rest: &[u8]| memchr::memchr3(b'&', b'<', b'>', rest);
    replace_onto(text, escaped, find);
}

/// With quotes escaped too, as may also stand within a tag of a user's template.
pub(super) fn escape_anywhere(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    replace_onto(text, &mut escaped, |rest| rest.iter().position(|byte| entity(*byte).is_some()));
    escaped
}

/// Replaces what `find` finds. It looks at bytes, because what is replaced is ASCII and a search by characters takes
/// several times as long.
fn replace_onto(text: &str, escaped: &mut String, find: impl Fn(&[u8]) -> Option<usize>) {
    let mut rest = text;
    while let Some(at) = find(rest.as_bytes()) {
        let (before, from) = rest.split_at(at);
        escaped.push_str(before);
        escaped.push_str(from.bytes().next().and_then(entity).unwrap_or_default());
        rest = from.get(1..).unwrap_or_default();
    }
    escaped.push_str(rest);
}

fn entity(byte: u8) -> Option<&'static str> {
    match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'"' => Some("&quot;"),
        b'\'' => Some("&#39;"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_escaped_once() {
        let mut escaped = String::new();
        escape_onto("a & b <c> \"d\"", &mut escaped);
        assert_eq!(escaped, "a &amp; b &lt;c&gt; \"d\"");
        assert_eq!(escape_anywhere("é'\"/&amp;"), "é&#39;&quot;/&amp;amp;");
    }
}
