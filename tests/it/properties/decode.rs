//! Decoding: bytes of any kind are a table or refused in a sentence, and packing them changes nothing.
//!
//! A file that is compressed, in one member or in several, reads as it does plain; one that is cut off gives a part of the
//! same records and then says so.

use std::io::Write as _;

use callport::source::SourceSettings;
use flate2::{Compression, write::GzEncoder};

use super::records::{Reading, plain, read, read_alike};

pub(super) const WORDS: &[&str] = &[
    "\u{feff}",
    "id,from\n",
    "1,2\n",
    "{\"id\":1}\n",
    "[",
    "{",
    "\n",
    "\r\n",
    " ",
    "\0",
    "PK\u{3}\u{4}",
    "%PDF",
    "BZh",
    "<!DOCTYPE html>",
    "<HTML",
    "SQLite format 3\0",
    "a;b;c\n",
    "a\tb\n",
    "a|b\n",
    "\"",
    "é",
];

pub(super) fn holds(data: &[u8]) {
    let settings = SourceSettings::default();
    let reading = read_alike(data, &settings);
    if plain(data).is_none() {
        return;
    }
    let packed = pack(data);
    assert_eq!(read(&packed, 1 + data.len() % 7, &settings), reading);
    let cut = &packed[..packed.len() - 1 - data.len() % 8];
    breaks_off(&read(cut, usize::MAX, &settings), &reading);
}

/// Compresses `data` in as many members as its length says.
fn pack(data: &[u8]) -> Vec<u8> {
    let part = data.len() / (1 + data.len() % 3) + 1;
    let mut packed = Vec::new();
    // An empty file has one member too.
    let parts = data.chunks(part).chain(data.is_empty().then_some(data));
    for part in parts {
        let mut encoder = GzEncoder::new(packed, Compression::fast());
        encoder.write_all(part).expect("memory takes it");
        packed = encoder.finish().expect("memory takes it");
    }
    packed
}

fn breaks_off(cut: &Reading, whole: &Reading) {
    assert!(cut.trouble.is_some(), "a file that is cut off reads as whole");
    assert!(cut.records.len() <= whole.records.len());
    assert_eq!(cut.records[..], whole.records[..cut.records.len()]);
}
