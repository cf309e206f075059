//! Decoding: bytes of any kind are a table or refused in a sentence, and packing them changes nothing.
//!
//! A file that is compressed, in one member or in several, reads as it does plain; one that is cut off gives a part of the
//! same records and then says so. A text is the same in UTF-8 and UTF-16, and any bytes are borne in any encoding.

use std::io::Write as _;

use callport::source::{Encoding, SourceSettings};
use flate2::{Compression, write::GzEncoder};

use super::records::{Reading, is_packed, plain, read, read_alike};

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
    for label in ["utf-16le", "windows-1252", "shift_jis"] {
        let encoding = Some(Encoding::named(label).expect("a label"));
        read_alike(
            data,
            &SourceSettings { encoding, skip_last: 1, header: false, ..SourceSettings::default() },
        );
    }
    if is_packed(data) {
        return;
    }
    if let Some(Ok(text)) = plain(data).map(str::from_utf8)
        && !data.starts_with(b"\xef\xbb\xbf")
    {
        reads_alike_as_utf16(text);
    }
    let packed = pack(data);
    assert_eq!(read(&packed, 1 + data.len() % 7, &settings), reading);
    let frames = [zstd(&data[..data.len() / 2]), zstd(&data[data.len() / 2..])].concat();
    assert_eq!(read(&frames, 1 + data.len() % 7, &settings), reading);
    let cut = &packed[..packed.len() - 1 - data.len() % 8];
    breaks_off(&read(cut, usize::MAX, &settings), &reading);
}

/// Asserts that a text with a byte-order mark is the same in UTF-8 and UTF-16.
fn reads_alike_as_utf16(text: &str) {
    let marked = format!("\u{feff}{text}");
    let units = || marked.encode_utf16();
    let settings = SourceSettings::default();
    let expected = read(marked.as_bytes(), usize::MAX, &settings);
    let little: Vec<u8> = units().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = units().flat_map(u16::to_be_bytes).collect();
    for bytes in [little, big] {
        // Two NUL bytes behind the mark are the mark of UTF-32.
        if !bytes.starts_with(b"\xff\xfe\0\0") {
            assert_eq!(read(&bytes, 1 + bytes.len() % 5, &settings), expected);
        }
    }
}

fn zstd(data: &[u8]) -> Vec<u8> {
    zstd::encode_all(data, 1).expect("memory takes it")
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
