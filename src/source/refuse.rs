//! Files that are no call log, each told in one sentence.

use super::encoding::utf16_without_mark;

/// How many bytes tell what a file is.
pub(super) const HEAD: usize = 1024;

const EXCEL: &str = "is an Excel workbook, and a CSV file is needed: in Excel choose File > Save As > CSV UTF-8 for its sheet";
const PICTURE: &str = "is a picture, not a call log";
const RECORDING: &str = "is a sound or video recording, not a call log";
const SQL: &str = "holds SQL statements, and a table is needed: export the table itself as CSV";
const HTML: &str = "is an HTML page, not a call log: a sign-in page may have been saved in place of the export, so export it again";

/// What a file cannot be, by what it begins with.
const MAGIC: &[(&[u8], &str)] = &[
    (b"\xff\xfe\0\0", "is encoded as UTF-32: save it as UTF-8"),
    (b"\0\0\xfe\xff", "is encoded as UTF-32: save it as UTF-8"),
    (b"\xd0\xcf\x11\xe0", EXCEL),
    (b"\x89PNG", PICTURE),
    (b"\xff\xd8\xff", PICTURE),
    (b"GIF87a", PICTURE),
    (b"GIF89a", PICTURE),
    (b"%PDF", "is a PDF, not a call log: export the calls as CSV or JSON"),
    (b"ID3\x02", RECORDING),
    (b"ID3\x03", RECORDING),
    (b"ID3\x04", RECORDING),
    (b"\xff\xfb", RECORDING),
    (b"\xff\xf3", RECORDING),
    (b"\xff\xf2", RECORDING),
    (b"OggS", RECORDING),
    (b"fLaC", RECORDING),
    (b"7z\xbc\xaf\x27\x1c", "is a 7z archive: unpack it, and name the files in it"),
    (b"Rar!\x1a", "is a RAR archive: unpack it, and name the files in it"),
    (b"BZh", "is compressed with bzip2: unpack it, or compress it with gzip or zstd"),
    (b"\xfd7zXZ\x00", "is compressed with xz: unpack it, or compress it with gzip or zstd"),
    (b"\x1f\x8b", TWICE),
    (b"\x28\xb5\x2f\xfd", TWICE),
    (b"SQLite format 3\x00", "is a SQLite database, and a table is needed: export the calls as CSV"),
];

const TWICE: &str = "is compressed twice: unpack it once";

/// Why a file that begins with the bytes `head` cannot be read at all.
pub(super) fn by_bytes(head: &[u8]) -> Option<&'static str> {
    if let Some((_, fault)) = MAGIC.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Some(fault);
    }
    match (head.get(..4), head.get(4..8), head.get(8..12)) {
        (Some(b"RIFF"), _, Some(b"WEBP")) => Some(PICTURE),
        (Some(b"RIFF"), _, Some(b"WAVE")) | (Some([0, ..]), Some(b"ftyp"), _) => Some(RECORDING),
        (Some(b"PK\x03\x04"), ..) => Some(archive(head)),
        _ => None,
    }
}

fn archive(head: &[u8]) -> &'static str {
    let holds = |name: &[u8]| head.windows(name.len()).any(|part| part == name);
    if holds(b"[Content_Types].xml") || holds(b"xl/") || holds(b"_rels/") {
        return EXCEL;
    }
    "is a ZIP archive: unpack it, and name the files in it (an Excel workbook: save its sheet as CSV UTF-8)"
}

/// Why a file that begins with the bytes `head`, has no byte-order mark and no encoding set cannot be read.
pub(super) fn without_encoding(head: &[u8]) -> Option<String> {
    let label = utf16_without_mark(head)?.name().to_lowercase();
    Some(format!(
        "seems to be encoded as UTF-16 without a byte-order mark: set `source.encoding` to `{label}`"
    ))
}

/// Why a file whose text begins with `sample` cannot be read at all.
pub(super) fn by_text(sample: &[u8]) -> Option<&'static str> {
    let content = sample.trim_ascii_start();
    // A NUL within a note is a row's affair; among the headings it means that the file is not text at all.
    let first_line = content.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if first_line.contains(&0) && !content.starts_with(b"{") {
        return Some("is not text: its first line holds NUL bytes");
    }
    let start = content[..content.len().min(HEAD)].to_ascii_lowercase();
    let starts = |with: &[&str]| with.iter().any(|word| start.starts_with(word.as_bytes()));
    let holds = |word: &[u8]| start.windows(word.len()).any(|part| part == word);
    if starts(&["<!doctype html", "<html"]) || (starts(&["<?xml"]) && holds(b"<html")) {
        return Some(HTML);
    }
    if starts(&["<?xml"]) && holds(b"urn:schemas-microsoft-com:office:spreadsheet") {
        return Some(EXCEL);
    }
    if starts(&["<?xml", "<!--"]) {
        return Some("is an XML document, and CSV or JSON is needed: export the calls in one of these");
    }
    let commented = starts(&["--", "/*"]) && (holds(b"insert into ") || holds(b"create table "));
    if commented || starts(&["insert into ", "create table ", "begin transaction;", "pragma foreign_keys"]) {
        return Some(SQL);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_call_log_is_told_by_its_first_bytes() {
        let cases: [(&[u8], &str); 17] = [
            (b"PK\x03\x04\x14\0\x06\0\x08\0[Content_Types].xml", "File > Save As > CSV UTF-8"),
            (b"PK\x03\x04\x14\0calls.csv", "ZIP archive: unpack it"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1", "Excel workbook"),
            (b"\x89PNG\r\n", "picture"),
            (b"\xff\xd8\xff\xe0", "picture"),
            (b"GIF89a", "picture"),
            (b"RIFF\0\0\0\0WEBPVP8 ", "picture"),
            (b"RIFF\0\0\0\0WAVEfmt ", "recording"),
            (b"ID3\x04", "recording"),
            (b"\xff\xfb\x90", "recording"),
            (b"\0\0\0\x20ftypM4A ", "recording"),
            (b"%PDF-1.7", "PDF"),
            (b"SQLite format 3\0", "SQLite"),
            (b"\x28\xb5\x2f\xfd", "compressed twice"),
            (b"BZh9", "bzip2"),
            (b"7z\xbc\xaf\x27\x1c", "7z"),
            (b"\xff\xfe\0\0i\0\0\0", "UTF-32"),
        ];
        for (head, part) in cases {
            let told = by_bytes(head).unwrap();
            assert!(told.contains(part), "{told}");
        }
        for head in
            [b"id,from\n".as_slice(), b"\xff\xfei\0", b"{", b"", b"RIFF", b"\xef\xbb\xbfid", b"ID3,ID4\n"]
        {
            assert_eq!(by_bytes(head), None);
        }
    }

    #[test]
    fn what_is_no_call_log_is_told_by_its_first_words() {
        let cases: [(&[u8], &str); 10] = [
            (b"\n <!DOCTYPE html><html>", "sign-in page"),
            (b"<HTML lang=en>", "HTML"),
            (b"<?xml version=\"1.0\"?>\n<!DOCTYPE html>\n<html>", "HTML"),
            (b"<?xml version=\"1.0\"?><calls/>", "XML"),
            (
                b"<?xml version=\"1.0\"?><Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\">",
                "Excel",
            ),
            (b"INSERT INTO cdr VALUES (1);", "SQL"),
            (b"-- MySQL dump 10\n/*!40101 SET */;\nCREATE TABLE `cdr` (", "SQL"),
            (b"PRAGMA foreign_keys=OFF;", "SQL"),
            (b"i\0d\0", "NUL"),
            (b"\x7fELF\x02\x01\0\0", "NUL"),
        ];
        for (sample, part) in cases {
            let told = by_text(sample).unwrap();
            assert!(told.contains(part), "{told}");
        }
        for sample in
            ["id,notes\n1,a\0b\n", "{\"id\":\"\0\"}\n", "--,from\n", "insert,into\n", "<a@example.com>,x\n"]
        {
            assert_eq!(by_text(sample.as_bytes()), None, "{sample}");
        }
    }

    #[test]
    fn utf16_without_a_mark_needs_the_setting() {
        let told = without_encoding(b"i\0d\0,\0").unwrap();
        assert!(told.ends_with("set `source.encoding` to `utf-16le`"), "{told}");
        assert_eq!(without_encoding(b"id,from"), None);
    }
}
