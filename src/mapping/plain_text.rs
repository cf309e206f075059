//! HTML as the text that a person reads: what the service gives back, to be compared with what was sent.
//!
//! The service stores newlines as `<br>` and may write entities and tags in its own way (help-scout-api.md §13), so a text
//! is compared only after both sides went through here.

/// The text of `html`: line breaks and blocks become line ends, other tags go, entities are read, and no line ends with
/// white space.
pub fn plain_text(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    // Behind the last `>` no tag ends: looking for its end once for each `<` there would take the square of the length.
    let least_left = html.rfind('>').map_or(usize::MAX, |end| html.len() - end);
    while let Some(at) = rest.find(['<', '&', '\r', '\u{a0}']) {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        rest = match from.chars().next() {
            Some('<') => read_tag(from, from.len() >= least_left, &mut text),
            Some('&') => read_entity(from, &mut text),
            Some('\r') => {
                text.push('\n');
                from.strip_prefix("\r\n").or_else(|| from.strip_prefix('\r')).unwrap_or_default()
            }
            // A space that may not be broken is a space that an editor made.
            _ => {
                text.push(' ');
                from.strip_prefix('\u{a0}').unwrap_or_default()
            }
        };
    }
    text.push_str(rest);
    let lines: Vec<&str> = text.split('\n').map(str::trim_end).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

/// Reads the tag at the start of `from`, where one `may_end`; a `<` that begins none stands for itself.
fn read_tag<'h>(from: &'h str, may_end: bool, text: &mut String) -> &'h str {
    let after = from.strip_prefix('<').unwrap_or_default();
    let begins_one = may_end
        && after.starts_with(|letter: char| letter.is_ascii_alphabetic() || matches!(letter, '/' | '!'));
    let Some((tag, rest)) = begins_one.then(|| after.split_once('>')).flatten() else {
        text.push('<');
        return after;
    };
    let name: String = tag
        .trim_start_matches('/')
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_lowercase();
    match name.as_str() {
        "br" => {
            text.push('\n');
            // Some writers put a line end behind each break.
            return rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix('\n')).unwrap_or(rest);
        }
        "p" | "div" | "li" | "ul" | "ol" | "tr" | "table" | "blockquote" | "pre" | "h1" | "h2" | "h3"
            if !text.is_empty() && !text.ends_with('\n') =>
        {
            text.push('\n');
        }
        _ => {}
    }
    rest
}

/// Reads the entity at the start of `from`; a `&` that begins none stands for itself.
fn read_entity<'h>(from: &'h str, text: &mut String) -> &'h str {
    const LONGEST: usize = 10;
    let after = from.strip_prefix('&').unwrap_or_default();
    let end = after.bytes().take(LONGEST).position(|byte| byte == b';');
    let found = end.and_then(|end| Some((entity(after.get(..end)?)?, after.get(end + 1..)?)));
    let (letter, rest) = found.unwrap_or(('&', after));
    text.push(letter);
    rest
}

fn entity(name: &str) -> Option<char> {
    if let Some(code) = name.strip_prefix('#') {
        let number = match code.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16),
            None => code.parse(),
        };
        let letter = number.ok().and_then(char::from_u32)?;
        return Some(if letter == '\u{a0}' { ' ' } else { letter });
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::mapping::escape::escape_onto;

    #[test]
    fn breaks_blocks_and_entities_are_undone() {
        let cases = [
            ("a<br>b<br/>c<br />d", "a\nb\nc\nd"),
            ("a<br />\nb", "a\nb"),
            ("<p>a</p><p>b <b>c</b></p>", "a\nb c"),
            ("<div>a<br></div>", "a"),
            (
                "&lt;a&gt; &amp; &quot;b&quot; &#39;c&#39; &apos;d&apos; &#x41;&nbsp;e",
                "<a> & \"b\" 'c' 'd' A e",
            ),
            ("&amp;lt;", "&lt;"),
            ("1 < 2 & 3 > 2; &unknown; &", "1 < 2 & 3 > 2; &unknown; &"),
            ("a  \r\nb\t\rc \n\n", "a\nb\nc"),
            ("open <b", "open <b"),
        ];
        for (html, text) in cases {
            assert_eq!(plain_text(html), text, "{html}");
        }
    }

    #[test]
    fn tags_without_an_end_take_no_square_of_their_number() {
        for open in ["<a", "<"] {
            let html = open.repeat(2_000_000);
            assert_eq!(plain_text(&html), html);
        }
        assert_eq!(plain_text(&("<".repeat(2_000_000) + "a>b")), "<".repeat(1_999_999) + "b");
    }

    proptest! {
        #[test]
        fn a_text_survives_being_sent_and_given_back(text in "[a<>&;\"' \u{a0}\u{e9}#x1\n\r\t/p]{0,40}") {
            let normal = text.replace("\r\n", "\n").replace('\r', "\n").replace('\u{a0}', " ");
            let lines: Vec<&str> = normal.split('\n').map(str::trim_end).collect();
            let mut sent = String::new();
            escape_onto(&text, &mut sent);
            let sent = sent.replace("\r\n", "\n").replace('\r', "\n");
            let expected = lines.join("\n").trim_matches('\n').to_owned();
            prop_assert_eq!(plain_text(&sent), expected.clone());
            prop_assert_eq!(plain_text(&sent.replace('\n', "<br>")), expected);
        }

        #[test]
        fn no_html_panics(html in "[<>/a-p&#;x0-9\\PC]{0,60}") {
            let once = plain_text(&html);
            prop_assert!(!once.ends_with(' '));
        }
    }
}
