//! Text as HTML that shows it.

/// Puts `text` at the end of `escaped`, with `&`, `<` and `>` escaped, as it stands between tags.
pub(super) fn escape_onto(text: &str, escaped: &mut String) {
    replace_onto(text, escaped, &[('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;")]);
}

/// With quotes escaped too, as may also stand within a tag of a user's template.
pub(super) fn escape_anywhere(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let all = [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;"), ('\'', "&#39;")];
    replace_onto(text, &mut escaped, &all);
    escaped
}

fn replace_onto(text: &str, escaped: &mut String, table: &[(char, &str)]) {
    let is_special = |letter: char| table.iter().any(|(special, _)| *special == letter);
    let mut rest = text;
    while let Some(at) = rest.find(is_special) {
        let (before, from) = rest.split_at(at);
        escaped.push_str(before);
        let mut letters = from.chars();
        let special = letters.next();
        escaped.push_str(
            table.iter().find(|(letter, _)| Some(*letter) == special).map_or("", |(_, entity)| entity),
        );
        rest = letters.as_str();
    }
    escaped.push_str(rest);
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
