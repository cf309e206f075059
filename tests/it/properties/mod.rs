//! What holds of any input, whoever wrote it: nothing panics, nothing runs on without end, nothing is held beyond the
//! stated bounds, and no data goes missing.
//!
//! A property is one function of bytes, and goes through the library's public API alone, as any user of it would. So it can
//! live here, where the library need not know of it, and is run twice: by the tests below on words and on mended and
//! damaged seeds, and by the crate `fuzz` (which takes in this very file) on whatever libFuzzer comes upon. Each property
//! has its name from the target, and its seeds under `fuzz/seeds/NAME`.

mod answers;
mod configuration;
mod csv;
mod decode;
mod json;
mod jsonl;
mod plain_text;
mod records;
mod sandbox;
mod times_and_durations;
#[cfg(test)]
mod tried;

/// A property with what is needed to try it.
pub(crate) struct Property {
    /// The name of its target and of its folder of seeds.
    pub(crate) name: &'static str,
    /// Panics where the property does not hold.
    pub(crate) holds: fn(&[u8]),
    /// Words that inputs are put together from.
    pub(crate) words: &'static [&'static str],
}

/// Every property, by its name.
pub(crate) const PROPERTIES: [Property; 9] = [
    Property { name: "answers", holds: answers::holds, words: answers::WORDS },
    Property { name: "configuration", holds: configuration::holds, words: configuration::WORDS },
    Property { name: "csv", holds: csv::holds, words: csv::WORDS },
    Property { name: "decode", holds: decode::holds, words: decode::WORDS },
    Property { name: "json", holds: json::holds, words: json::WORDS },
    Property { name: "jsonl", holds: jsonl::holds, words: jsonl::WORDS },
    Property { name: "plain_text", holds: plain_text::holds, words: plain_text::WORDS },
    Property { name: "sandbox", holds: sandbox::holds, words: sandbox::WORDS },
    Property {
        name: "times_and_durations",
        holds: times_and_durations::holds,
        words: times_and_durations::WORDS,
    },
];

/// The property called `name`.
pub(crate) fn property(name: &str) -> &'static Property {
    PROPERTIES.iter().find(|property| property.name == name).expect("a target is named after its property")
}
