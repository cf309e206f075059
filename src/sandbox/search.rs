//! The language of the parameter `query`: `(body:"Ref: aircall 12" AND status:closed)`.
//!
//! Fields with a word or a quoted phrase, ranges of times, `AND`, `OR`, `NOT` and parentheses; terms that only stand side
//! by side must all hold. Phrases are found at the bounds of words, as an index of words finds them: `aircall 12` is not
//! found in `aircall 123`.

use super::conversation::{Conversation, Status, Thread};
use super::customer::Customer;
use super::rules::parse_time;
use super::world::World;

/// A condition on a conversation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Body(String),
    Subject(String),
    Email(String),
    Tag(String),
    Status(Option<Status>),
    Customer(u64),
    Mailbox(u64),
    Number(u64),
    Id(u64),
    /// `createdAt` or `modifiedAt` within a span of seconds.
    Created(i64, i64),
    Modified(i64, i64),
    Name(String),
    Attachment,
    /// A word without a field: in the subject or a body.
    Text(String),
}

/// How deep parentheses and `NOT` may stand within each other: reading goes down with them.
const DEEPEST: u32 = 64;

/// Reads a query.
pub(crate) fn parse_search(text: &str) -> Option<Condition> {
    let tokens = tokenize(text)?;
    let mut parser = Parser { tokens: &tokens, depth: 0 };
    let condition = parser.any()?;
    parser.tokens.is_empty().then_some(condition)
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Open,
    Close,
    And,
    Or,
    Not,
    /// A field's name, empty for none, and its value.
    Term(String, String),
}

fn tokenize(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(&c) = chars.peek() {
        match c {
            c if c.is_whitespace() => drop(chars.next()),
            '(' | ')' => {
                tokens.push(if c == '(' { Token::Open } else { Token::Close });
                chars.next();
            }
            _ => {
                let mut word = String::new();
                while let Some(c) = chars.next_if(|c| !c.is_whitespace() && !"():\"".contains(*c)) {
                    word.push(c);
                }
                if chars.next_if_eq(&':').is_some() {
                    let end = match chars.peek()? {
                        '"' => Some('"'),
                        '[' => Some(']'),
                        _ => None,
                    };
                    let value = take_value(&mut chars, end)?;
                    tokens.push(Token::Term(word, value));
                } else if word.is_empty() {
                    tokens.push(Token::Term(String::new(), take_value(&mut chars, Some('"'))?));
                } else {
                    tokens.push(match word.as_str() {
                        "AND" => Token::And,
                        "OR" => Token::Or,
                        "NOT" => Token::Not,
                        _ => Token::Term(String::new(), word),
                    });
                }
            }
        }
    }
    Some(tokens)
}

/// A value up to its closing mark, or up to space or a parenthesis.
fn take_value(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, end: Option<char>) -> Option<String> {
    let mut value = String::new();
    let Some(end) = end else {
        while let Some(c) = chars.next_if(|c| !c.is_whitespace() && !"()".contains(*c)) {
            value.push(c);
        }
        return (!value.is_empty()).then_some(value);
    };
    chars.next();
    loop {
        match chars.next()? {
            '\\' if end == '"' => value.push(chars.next()?),
            c if c == end => return Some(value),
            c => value.push(c),
        }
    }
}

struct Parser<'t> {
    tokens: &'t [Token],
    depth: u32,
}

impl Parser<'_> {
    fn skip(&mut self, token: &Token) -> bool {
        let found = self.tokens.first() == Some(token);
        if found {
            self.tokens = self.tokens.split_first().map_or(&[], |(_, rest)| rest);
        }
        found
    }

    fn any(&mut self) -> Option<Condition> {
        let mut parts = vec![self.all()?];
        while self.skip(&Token::Or) {
            parts.push(self.all()?);
        }
        Some(if parts.len() == 1 { parts.remove(0) } else { Condition::Any(parts) })
    }

    fn all(&mut self) -> Option<Condition> {
        let mut parts = vec![self.one()?];
        while !matches!(self.tokens.first(), None | Some(Token::Or | Token::Close)) {
            self.skip(&Token::And);
            parts.push(self.one()?);
        }
        Some(if parts.len() == 1 { parts.remove(0) } else { Condition::All(parts) })
    }

    fn one(&mut self) -> Option<Condition> {
        let (token, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        match token {
            Token::Open => {
                let inner = self.deeper(Self::any)?;
                self.skip(&Token::Close).then_some(inner)
            }
            Token::Not => Some(Condition::Not(Box::new(self.deeper(Self::one)?))),
            Token::Term(field, value) => term(field, value),
            Token::Close | Token::And | Token::Or => None,
        }
    }

    fn deeper(&mut self, read: impl Fn(&mut Self) -> Option<Condition>) -> Option<Condition> {
        self.depth += 1;
        let read = if self.depth > DEEPEST { None } else { read(self) };
        self.depth -= 1;
        read
    }
}

fn term(field: &str, value: &str) -> Option<Condition> {
    let phrase = || value.to_lowercase();
    Some(match field.to_ascii_lowercase().as_str() {
        "" => Condition::Text(phrase()),
        "body" => Condition::Body(phrase()),
        "subject" => Condition::Subject(phrase()),
        "email" => Condition::Email(phrase()),
        "tag" => Condition::Tag(phrase()),
        "status" if value == "all" => Condition::Status(None),
        "status" => Condition::Status(Some(Status::parse(value)?)),
        "customerids" => Condition::Customer(value.parse().ok()?),
        "mailboxid" => Condition::Mailbox(value.parse().ok()?),
        "number" => Condition::Number(value.parse().ok()?),
        "id" => Condition::Id(value.parse().ok()?),
        "attachment" => Condition::Attachment,
        "firstname" | "lastname" | "name" => Condition::Name(phrase()),
        "createdat" => span(value).map(|(from, to)| Condition::Created(from, to))?,
        "modifiedat" => span(value).map(|(from, to)| Condition::Modified(from, to))?,
        _ => return None,
    })
}

fn span(value: &str) -> Option<(i64, i64)> {
    let (from, to) = value.split_once(" TO ")?;
    let bound = |text: &str, open: i64| if text.trim() == "*" { Some(open) } else { parse_time(text.trim()) };
    Some((bound(from, i64::MIN)?, bound(to, i64::MAX)?))
}

impl Condition {
    /// Whether it holds for a conversation, of which the index knows the threads inserted up to `known_ms`.
    pub(crate) fn holds(&self, world: &World, one: &Conversation, known_ms: i64) -> bool {
        let indexed = |thread: &&Thread| thread.inserted_ms <= known_ms;
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(world, one, known_ms)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(world, one, known_ms)),
            Self::Not(part) => !part.holds(world, one, known_ms),
            Self::Body(phrase) => {
                one.threads.iter().filter(indexed).any(|thread| has_phrase(&thread.text, phrase))
            }
            Self::Subject(phrase) => has_phrase(&one.subject, phrase),
            Self::Text(phrase) => {
                has_phrase(&one.subject, phrase)
                    || one.threads.iter().filter(indexed).any(|thread| has_phrase(&thread.text, phrase))
            }
            Self::Tag(tag) => one.tags.iter().any(|given| **given == **tag),
            Self::Status(status) => status.is_none_or(|status| one.status == status),
            Self::Customer(id) => one.customer == *id,
            Self::Mailbox(id) => one.inbox == *id,
            Self::Number(number) => one.number == *number,
            Self::Id(id) => one.id == *id,
            Self::Created(from, to) => (*from..=*to).contains(&one.created),
            Self::Modified(from, to) => (*from..=*to).contains(&one.modified_ms.div_euclid(1000)),
            Self::Attachment => one.threads.iter().any(|thread| !thread.attachments.is_empty()),
            Self::Email(_) | Self::Name(_) => {
                world.customer(one.customer).is_some_and(|customer| self.fits(customer))
            }
        }
    }

    /// Whether it holds for a customer; an e-mail holds if it is contained.
    pub(crate) fn fits(&self, customer: &Customer) -> bool {
        let seconds = customer.inserted_ms.div_euclid(1000);
        match self {
            Self::All(parts) => parts.iter().all(|part| part.fits(customer)),
            Self::Any(parts) => parts.iter().any(|part| part.fits(customer)),
            Self::Not(part) => !part.fits(customer),
            Self::Email(part) => customer.emails.iter().any(|email| email.to_lowercase().contains(&**part)),
            Self::Name(part) | Self::Text(part) => {
                has_phrase(&customer.first_name, part) || has_phrase(&customer.last_name, part)
            }
            Self::Id(id) | Self::Customer(id) => customer.id == *id,
            Self::Created(from, to) | Self::Modified(from, to) => (*from..=*to).contains(&seconds),
            _ => false,
        }
    }
}

/// Whether a phrase (in lower case) stands in a text, in any case, between the bounds of words.
fn has_phrase(text: &str, phrase: &str) -> bool {
    if phrase.is_empty() {
        return false;
    }
    if !phrase.is_ascii() {
        return text.to_lowercase().contains(phrase);
    }
    let (text, phrase) = (text.as_bytes(), phrase.as_bytes());
    let is_word = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80);
    text.windows(phrase.len()).enumerate().any(|(at, window)| {
        window[0].eq_ignore_ascii_case(&phrase[0])
            && window.eq_ignore_ascii_case(phrase)
            && !(is_word(phrase.first()) && at > 0 && is_word(text.get(at - 1)))
            && !(is_word(phrase.last()) && is_word(text.get(at + phrase.len())))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn terms_join_by_and_or_not_and_parentheses() {
        let parsed =
            parse_search("(subject:\"old calls\" AND (status:closed OR tag:callport) NOT id:5)").unwrap();
        assert_eq!(
            parsed,
            Condition::All(vec![
                Condition::Subject("old calls".into()),
                Condition::Any(vec![
                    Condition::Status(Some(Status::Closed)),
                    Condition::Tag("callport".into())
                ]),
                Condition::Not(Box::new(Condition::Id(5))),
            ])
        );
    }

    #[test]
    fn a_query_that_is_nested_without_end_is_none() {
        for step in ["(", "NOT "] {
            assert_eq!(parse_search(&(step.repeat(1_000_000) + "id:1")), None);
        }
        assert!(parse_search(&("(".repeat(64) + "id:1" + &")".repeat(64))).is_some());
    }

    #[test]
    fn and_binds_closer_than_or() {
        let parsed = parse_search("id:1 OR id:2 AND id:3").unwrap();
        assert_eq!(
            parsed,
            Condition::Any(vec![Condition::Id(1), Condition::All(vec![Condition::Id(2), Condition::Id(3)])])
        );
    }

    #[test]
    fn times_are_spans_with_open_ends_and_without_milliseconds() {
        let parsed = parse_search("(createdAt:[1970-01-01T00:00:05Z TO *])").unwrap();
        assert_eq!(parsed, Condition::Created(5, i64::MAX));
        assert_eq!(parse_search("(createdAt:[1970-01-01T00:00:05.000Z TO *])"), None);
    }

    #[test]
    fn a_quoted_value_may_hold_anything() {
        assert_eq!(
            parse_search(r#"(body:"a: (b) \"c\" AND")"#),
            Some(Condition::Body("a: (b) \"c\" and".into()))
        );
        assert_eq!(parse_search("(\"two words\")"), Some(Condition::Text("two words".into())));
    }

    #[test]
    fn what_is_not_a_query_is_refused() {
        for wrong in [
            "",
            "(",
            "()",
            "(id:1",
            "id:1)",
            "id:x",
            "colour:red",
            "AND",
            "id:1 AND",
            "body:\"open",
            "status:shut",
        ] {
            assert_eq!(parse_search(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn phrases_are_found_between_the_bounds_of_words() {
        let text = "Call from Jo\nRef: aircall 123456";
        for found in ["ref: aircall 123456", "aircall 123456", "call from", "jo"] {
            assert!(has_phrase(text, found), "{found}");
        }
        for not_found in ["aircall 12345", "ircall 123456", "al", "ref: aircall 1234567", ""] {
            assert!(!has_phrase(text, not_found), "{not_found}");
        }
        assert!(has_phrase("Grüße aus Köln", "köln"));
    }

    proptest! {
        #[test]
        fn any_text_is_a_query_or_none(text in "[()\"\\[\\]:\\\\ a-zA-ZORNTé*]{0,40}") {
            drop(parse_search(&text));
        }

        #[test]
        fn a_phrase_is_found_among_other_words(before in "[a-z é\n.]{0,20}", after in "[a-z é\n.]{0,20}") {
            let text = format!("{before} Ref: x 12\n{after}");
            prop_assert!(has_phrase(&text, "ref: x 12"));
            prop_assert!(!has_phrase(&text, "ref: x 1"));
        }
    }
}
