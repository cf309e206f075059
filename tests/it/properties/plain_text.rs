//! Texts that are read back: whatever the service gives as HTML reads as tidy lines, and a reference is found in them
//! where it is and nowhere else.

use callport::{
    call::{CallKey, Reference},
    mapping::plain_text,
};

pub(super) const WORDS: &[&str] = &[
    "<br>",
    "<br />\n",
    "<p>",
    "</p>",
    "<",
    ">",
    "&",
    ";",
    "&amp;",
    "&#39;",
    "&#x41;",
    "&#xd;",
    "&nbsp;",
    "\u{a0}",
    "<a",
    "</",
    "<!--",
    "\r",
    "\r\n",
    "\n",
    " ",
    "a",
    "é",
    "Ref: x 12",
    "Ref:",
    "12",
    ")",
    "\0",
    "\u{2028}",
];

pub(super) fn holds(data: &[u8]) {
    let html = String::from_utf8_lossy(data);
    let text = plain_text(&html);
    assert!(text.len() <= html.len());
    assert!(text.split('\n').all(|line| line.trim_end() == line), "{text:?}");
    assert!(!text.starts_with('\n') && !text.ends_with('\n'), "{text:?}");

    let (id, rest) = html.split_once('\n').unwrap_or((&html, ""));
    let reference = Reference::new("old", Some(id), CallKey::from_id("old", id));
    let longer = Reference::new("old", Some(&format!("{id}1")), CallKey::from_id("old", id));
    assert!(reference.is_in(reference.as_str()));
    assert!(longer == reference || !reference.is_in(longer.as_str()), "{reference:?}");
    // The last line that names a reference decides.
    if !reference.as_str().contains(['<', '&']) && !plain_text(rest).contains("Ref:") {
        let stored = format!("before<br>{}<br />{rest}", reference.as_str());
        assert!(reference.is_in(&plain_text(&stored)), "{reference:?} in {stored:?}");
    }
}
