//! Text of any encoding becomes UTF-8 while it is read.
//!
//! What cannot be decoded becomes a byte that no UTF-8 text holds, so that the row in which it stands is rejected alone,
//! as in a file of UTF-8.

use std::io::{self, Cursor, Read};

use encoding_rs::{Decoder, DecoderResult, UTF_8, UTF_16BE, UTF_16LE};

use super::stream::Bytes;

/// How bytes stand for text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding(&'static encoding_rs::Encoding);

/// A word that names no encoding.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is `{word}`, which is no known encoding: did you mean `{nearest}`? Usual ones are {USUAL}")]
pub struct UnknownEncoding {
    word: String,
    nearest: &'static str,
}

const USUAL: &str = "`windows-1252`, `iso-8859-1`, `utf-16le` and `utf-8`";

/// The labels that a mistyped one is compared with.
const LABELS: &[&str] = &[
    "utf-8",
    "utf-16le",
    "utf-16be",
    "windows-1252",
    "iso-8859-1",
    "latin1",
    "windows-1250",
    "windows-1251",
    "windows-1253",
    "windows-1254",
    "windows-1255",
    "windows-1256",
    "windows-1257",
    "windows-1258",
    "windows-874",
    "iso-8859-2",
    "iso-8859-7",
    "iso-8859-9",
    "iso-8859-15",
    "macintosh",
    "koi8-r",
    "ibm866",
    "shift_jis",
    "euc-jp",
    "iso-2022-jp",
    "euc-kr",
    "gbk",
    "gb18030",
    "big5",
];

/// No UTF-8 text holds this byte.
const INVALID: u8 = 0xff;

/// How many bytes are decoded at a time.
const CHUNK: usize = 32 * 1024;

impl Encoding {
    /// The encoding that `label` names, such as `windows-1252`; letter case is ignored.
    pub fn named(label: &str) -> Result<Self, UnknownEncoding> {
        let known = encoding_rs::Encoding::for_label_no_replacement(label.as_bytes());
        known.map(Self).ok_or_else(|| {
            let word = label.trim().to_lowercase();
            let nearest = LABELS.iter().min_by_key(|known| strsim::damerau_levenshtein(&word, known));
            UnknownEncoding { word: label.to_owned(), nearest: nearest.copied().unwrap_or_default() }
        })
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// Whether text needs no change.
    pub fn is_utf8(self) -> bool {
        self.0 == UTF_8
    }

    /// The encoding whose byte-order mark stands at the start of `head`, with the length of the mark.
    fn by_mark(head: &[u8]) -> Option<(Self, usize)> {
        encoding_rs::Encoding::for_bom(head).map(|(encoding, length)| (Self(encoding), length))
    }
}

/// The encoding of a text of which every second byte is NUL, as it is where UTF-16 has no byte-order mark.
pub(super) fn utf16_without_mark(head: &[u8]) -> Option<Encoding> {
    let pairs = || head.chunks_exact(2).take(32);
    let all = |nul: usize| pairs().count() > 1 && pairs().all(|pair| pair[nul] == 0 && pair[1 - nul] != 0);
    let encoding = if all(1) { UTF_16LE } else { UTF_16BE };
    (all(1) || all(0)).then_some(Encoding(encoding))
}

/// Text as UTF-8.
pub(super) struct Text {
    /// Its bytes, without a byte-order mark.
    pub(super) bytes: Bytes,
    /// What it was written in.
    pub(super) encoding: Encoding,
}

/// Decodes `bytes`, of which `head` was read already: by the byte-order mark, else by `told`, else as UTF-8.
pub(super) fn decode(mut head: Vec<u8>, bytes: Bytes, told: Option<Encoding>) -> Text {
    let (encoding, mark) = Encoding::by_mark(&head).unwrap_or((told.unwrap_or(Encoding(UTF_8)), 0));
    head.drain(..mark);
    let whole: Bytes = Box::new(Cursor::new(head).chain(bytes));
    let bytes = if encoding.is_utf8() { whole } else { Box::new(Decoded::new(whole, encoding)) };
    Text { bytes, encoding }
}

/// Reads what another reader gives as UTF-8.
struct Decoded {
    inner: Bytes,
    decoder: Decoder,
    raw: Vec<u8>,
    raw_at: usize,
    raw_ended: bool,
    text: Vec<u8>,
    text_at: usize,
    ended: bool,
}

impl Decoded {
    fn new(inner: Bytes, encoding: Encoding) -> Self {
        Self {
            inner,
            decoder: encoding.0.new_decoder_without_bom_handling(),
            raw: Vec::new(),
            raw_at: 0,
            raw_ended: false,
            text: Vec::new(),
            text_at: 0,
            ended: false,
        }
    }

    /// Decodes what was read, and reads more where all of it is decoded.
    fn decode(&mut self) -> io::Result<()> {
        if self.raw_at == self.raw.len() && !self.raw_ended {
            self.raw.resize(CHUNK, 0);
            // Nothing of it counts as read if this fails.
            self.raw_at = CHUNK;
            let count = self.inner.read(&mut self.raw)?;
            self.raw.truncate(count);
            self.raw_at = 0;
            self.raw_ended = count == 0;
        }
        self.text.resize(CHUNK, 0);
        let raw = &self.raw[self.raw_at..];
        let (result, read, written) =
            self.decoder.decode_to_utf8_without_replacement(raw, &mut self.text, self.raw_ended);
        self.raw_at += read;
        self.text.truncate(written);
        self.text_at = 0;
        match result {
            DecoderResult::InputEmpty => self.ended = self.raw_ended,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(..) => self.text.push(INVALID),
        }
        Ok(())
    }
}

impl Read for Decoded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.text_at == self.text.len() && !self.ended {
            self.decode()?;
        }
        let left = &self.text[self.text_at..];
        let count = left.len().min(buffer.len());
        buffer[..count].copy_from_slice(&left[..count]);
        self.text_at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::source::window::tests::Trickle;

    fn named(label: &str) -> Encoding {
        Encoding::named(label).unwrap()
    }

    fn decoded(bytes: &[u8], chunk: usize, told: Option<&str>) -> (Vec<u8>, &'static str) {
        let head = bytes[..bytes.len().min(4)].to_vec();
        let rest = Box::new(Trickle(bytes[head.len()..].to_vec(), chunk));
        let mut text = decode(head, rest, told.map(named));
        let mut read = Vec::new();
        text.bytes.read_to_end(&mut read).unwrap();
        (read, text.encoding.name())
    }

    fn utf16(text: &str, big: bool) -> Vec<u8> {
        text.encode_utf16()
            .flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() })
            .collect()
    }

    #[test]
    fn a_byte_order_mark_outranks_the_setting_and_that_outranks_utf8() {
        let marked = "\u{feff}Jürgen";
        for (bytes, name) in [
            (marked.as_bytes().to_vec(), "UTF-8"),
            (utf16(marked, false), "UTF-16LE"),
            (utf16(marked, true), "UTF-16BE"),
        ] {
            assert_eq!(decoded(&bytes, 3, Some("windows-1252")), ("Jürgen".into(), name));
        }
        assert_eq!(decoded(b"J\xfcrgen", 3, Some("windows-1252")), ("Jürgen".into(), "windows-1252"));
        assert_eq!(decoded(b"J\xfcrgen", 3, Some("Latin1")).0, "Jürgen".as_bytes());
        assert_eq!(decoded(&utf16("J\u{fc}", false), 1, Some("utf-16le")).0, "Jü".as_bytes());
        assert_eq!(decoded(b"J\xfcrgen", 3, None), (b"J\xfcrgen".to_vec(), "UTF-8"));
        assert_eq!(decoded(b"", 3, Some("shift_jis")).0, b"");
    }

    #[test]
    fn what_cannot_be_decoded_is_an_invalid_byte_at_its_place() {
        let lone = [b"a\0".as_slice(), b"\x00\xd8", b"b\0", b"c"].concat();
        assert_eq!(decoded(&lone, 1, Some("utf-16le")).0, b"a\xffb\xff");
        assert_eq!(decoded(b"a\x81\nb", 1, Some("shift_jis")).0, b"a\xff\nb");
    }

    #[test]
    fn utf16_without_a_mark_shows_by_its_nul_bytes() {
        assert_eq!(utf16_without_mark(&utf16("id,from", false)), Some(named("utf-16le")));
        assert_eq!(utf16_without_mark(&utf16("id,from", true)), Some(named("utf-16be")));
        assert_eq!(utf16_without_mark(b"id,from\n"), None);
        assert_eq!(utf16_without_mark(b"\0\0\0\0"), None);
    }

    #[test]
    fn an_unknown_label_is_told_with_its_like() {
        assert_eq!(named(" ISO-8859-1 ").name(), "windows-1252");
        let told = Encoding::named("windws-1251").unwrap_err().to_string();
        assert!(
            told.starts_with("is `windws-1251`, which is no known encoding: did you mean `windows-1251`?")
        );
        assert!(Encoding::named("iso-2022-kr").is_err(), "a label without a decoder");
    }

    proptest! {
        #[test]
        fn any_bytes_decode_alike_however_they_arrive(
            bytes in prop::collection::vec(any::<u8>(), 0..80),
            label in prop::sample::select(vec!["utf-16le", "utf-16be", "windows-1252", "shift_jis", "gb18030"]),
            chunk in 1..20_usize,
        ) {
            prop_assert_eq!(decoded(&bytes, chunk, Some(label)), decoded(&bytes, 1000, Some(label)));
        }

        #[test]
        fn any_text_reads_back_from_utf16(text in "\\PC{0,40}", big: bool, chunk in 1..9_usize) {
            let bytes = utf16(&format!("\u{feff}{text}"), big);
            prop_assert_eq!(decoded(&bytes, chunk, None).0, text.into_bytes());
        }
    }
}
