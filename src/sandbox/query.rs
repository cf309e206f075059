//! The query of a request: its parameters, decoded, and the links that keep them.

use super::rules::{Place, Problem, Problems, Refusal, parse_time};

/// Decodes `a=1&b=x%20y`. What is not UTF-8 afterwards is replaced.
pub(crate) fn decode_pairs(text: &str) -> Vec<(String, String)> {
    let pair = |part: &str| {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        (decode(key), decode(value))
    };
    text.split('&').filter(|part| !part.is_empty()).map(pair).collect()
}

fn decode(text: &str) -> String {
    let hex = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(text.len());
    while let [byte, rest @ ..] = bytes {
        bytes = rest;
        match (byte, rest) {
            (b'+', _) => plain.push(b' '),
            (b'%', [high, low, after @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    plain.push(high << 4 | low);
                    bytes = after;
                }
                _ => plain.push(b'%'),
            },
            _ => plain.push(*byte),
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// The parameters of one request, and the faults found in them.
#[derive(Debug)]
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
    problems: Problems,
}

impl Query {
    /// Decodes a query.
    pub(crate) fn parse(text: &str) -> Self {
        Self { pairs: decode_pairs(text), problems: Problems::default() }
    }

    /// A parameter that is given and not empty.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.as_str())
            .filter(|v| !v.is_empty())
    }

    /// Notes a fault.
    pub(crate) fn fault(&mut self, key: &'static str, message: &str) {
        let path = Place::TOP.member(key).to_string();
        let rejected = self.get(key).map(str::to_owned);
        self.problems.0.push(Problem { path, message: message.to_owned(), rejected });
    }

    /// A number.
    pub(crate) fn number(&mut self, key: &'static str) -> Option<u64> {
        let number = self.get(key)?.parse().ok();
        if number.is_none() {
            self.fault(key, "invalid number");
        }
        number
    }

    /// A comma-separated list of numbers.
    pub(crate) fn numbers(&mut self, key: &'static str) -> Option<Vec<u64>> {
        let numbers: Option<Vec<u64>> =
            self.get(key)?.split(',').map(|part| part.trim().parse().ok()).collect();
        if numbers.is_none() {
            self.fault(key, "invalid number");
        }
        numbers
    }

    /// One of some words; the first is the default.
    pub(crate) fn word<'w>(&mut self, key: &'static str, words: &[&'w str]) -> &'w str {
        let found = self.get(key).map(|given| words.iter().find(|word| word.eq_ignore_ascii_case(given)));
        match found {
            Some(Some(word)) => word,
            Some(None) => {
                self.fault(key, &format!("Expected one of these: {}", words.join(", ")));
                words[0]
            }
            None => words[0],
        }
    }

    /// A time, in seconds since 1970.
    pub(crate) fn time(&mut self, key: &'static str) -> Option<i64> {
        let time = parse_time(self.get(key)?);
        if time.is_none() {
            self.fault(key, "malformed date");
        }
        time
    }

    /// The page, from 1.
    pub(crate) fn page(&mut self) -> usize {
        match self.number("page") {
            Some(0) => {
                self.fault("page", "must be greater than or equal to 1");
                1
            }
            number => number.and_then(|page| usize::try_from(page).ok()).unwrap_or(1),
        }
    }

    /// Ends the reading: `Err` if there is any fault.
    pub(crate) fn settle(&mut self) -> Result<(), Refusal> {
        std::mem::take(&mut self.problems).settle()
    }

    /// The query again, with another value for one parameter.
    pub(crate) fn link(&self, key: &str, value: &str) -> String {
        let others = self.pairs.iter().filter(|(name, _)| name != key);
        let pairs = others.map(|(name, value)| (name.as_str(), value.as_str())).chain([(key, value)]);
        let parts: Vec<_> =
            pairs.map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        format!("?{}", parts.join("&"))
    }
}

fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.extend(
                [byte >> 4, byte & 15].map(|half| char::from(b"0123456789ABCDEF"[usize::from(half)])),
            );
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parameters_are_decoded() {
        let query = Query::parse("query=(email:%22jo%40example.com%22)&tag=a+b&empty=&flag&odd=100%&x=%zz");
        assert_eq!(query.get("query"), Some("(email:\"jo@example.com\")"));
        assert_eq!((query.get("tag"), query.get("empty"), query.get("flag")), (Some("a b"), None, None));
        assert_eq!((query.get("odd"), query.get("x")), (Some("100%"), Some("%zz")));
    }

    #[test]
    fn faults_name_the_parameter() {
        let mut query = Query::parse("page=0&mailbox=1,x&modifiedSince=2020-01-01&status=shut&number=-1");
        query.page();
        query.numbers("mailbox");
        query.time("modifiedSince");
        query.word("status", &["active", "all"]);
        query.number("number");
        let Err(Refusal::Invalid(problems)) = query.settle() else { panic!("all are wrong") };
        let paths: Vec<_> = problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(paths, ["page", "mailbox", "modifiedSince", "status", "number"]);
        assert_eq!(problems[3].rejected.as_deref(), Some("shut"));
    }

    #[test]
    fn links_keep_the_other_parameters() {
        let query = Query::parse("status=all&page=2&tag=a%20b");
        assert_eq!(query.link("page", "3"), "?status=all&tag=a%20b&page=3");
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded_again(text in ".*") {
            prop_assert_eq!(decode(&encode(&text)), text);
        }
    }
}
