//! Paths and queries: values are percent-encoded, and what is shown of a target is its path.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

/// Everything but the unreserved characters of RFC 3986; a space becomes `%20`, which every server reads alike.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// `value` as it may stand in a query.
pub(super) fn encoded(value: &str) -> PercentEncode<'_> {
    utf8_percent_encode(value, RESERVED)
}

/// The path of `target`; a query may name a person.
pub(super) fn path_of(target: &str) -> String {
    target.split('?').next().unwrap_or_default().to_owned()
}

/// The value of `name` in the query of `href`, decoded.
pub(super) fn query_value(href: &str, name: &str) -> Option<String> {
    let (_, query) = href.split_once('?')?;
    let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
    let spaced = value.replace('+', " ");
    Some(percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_survives_the_way_through_a_query() {
        for value in ["phone history", "a&b=c?d#e", "jo+1@example.com", "(body:\"Ref: x\")", "größe", "a%20b"]
        {
            let href = format!("https://example.com/v2/x?page=2&q={}&z=1", encoded(value));
            assert_eq!(query_value(&href, "q").as_deref(), Some(value));
        }
        assert_eq!(encoded("a b\"&").to_string(), "a%20b%22%26");
        assert_eq!(query_value("/v2/x", "q"), None);
        assert_eq!(query_value("/v2/x?qq=1", "q"), None);
    }

    #[test]
    fn only_the_path_is_shown() {
        assert_eq!(path_of("/v2/users?email=jo%40example.com"), "/v2/users");
    }
}
