//! Which e-mail addresses the service can be told.
//!
//! Stricter than the standard, which also knows addresses without a domain, in quotes or in other scripts: a caller whom
//! the service refuses later costs a request and stops a batch.

use email_address::{EmailAddress, Options};

/// Why a text is no e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum EmailFault {
    #[error("is not an e-mail address")]
    Form,
    #[error("is longer than the 254 characters of an e-mail address")]
    Length,
    #[error("has letters that an e-mail address cannot have")]
    Letters,
}

/// Whether the service can be told `text` as an e-mail address.
pub(super) fn check_email(text: &str) -> Result<(), EmailFault> {
    if !text.is_ascii() {
        return Err(EmailFault::Letters);
    }
    if text.len() > 254 {
        return Err(EmailFault::Length);
    }
    let options = Options::default().with_required_tld().without_display_text().without_domain_literal();
    EmailAddress::parse_with_options(text, options).map(|_| ()).map_err(|_| EmailFault::Form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_name_and_a_domain_with_a_dot() {
        for text in ["jo@example.com", "jo.doe+calls@mail.example.co", "o'neil@example.com"] {
            assert_eq!(check_email(text), Ok(()), "{text}");
        }
        for text in [
            "",
            "jo",
            "jo@",
            "@example.com",
            "jo@localhost",
            "jo@@example.com",
            "jo@exa mple.com",
            "Jo <jo@example.com>",
        ] {
            assert_eq!(check_email(text), Err(EmailFault::Form), "{text}");
        }
        assert_eq!(check_email("jö@example.com"), Err(EmailFault::Letters));
        assert_eq!(check_email(&format!("{}@example.com", "x".repeat(250))), Err(EmailFault::Length));
    }
}
