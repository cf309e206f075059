//! The stretch of a file that is being read, and the line on which it begins.
//!
//! What is not yet understood stays here and can be read again, which is how a record whose quote is never closed costs
//! one line and not the rest of the file. A line ends with LF, CRLF or a CR alone.

use std::io::{self, Read as _};

use super::{record::RECORD_LIMIT, stream::Bytes};

/// How many bytes are asked for at a time.
const CHUNK: usize = 128 * 1024;

/// What is held at most: a record, the byte that shows it to be too long, and what is read beyond it.
const MOST_HELD: usize = RECORD_LIMIT + 1 + CHUNK;

/// A movable window on the bytes of a file.
pub(super) struct Window {
    bytes: Bytes,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
    line: u64,
    after_cr: bool,
    offset: u64,
}

impl Window {
    pub(super) fn new(bytes: Bytes) -> Self {
        Self {
            bytes,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            ended: false,
            line: 1,
            after_cr: false,
            offset: 0,
        }
    }

    /// What was read of the file and not yet passed.
    pub(super) fn data(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// The line, from 1, on which [`Self::data`] begins.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// How many bytes were passed.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Reads more behind the data; `false` at the end of the file.
    pub(super) fn fill(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        if self.start > 0 && self.buffer.len() - self.end < CHUNK {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.buffer.len() - self.end < CHUNK {
            self.buffer.resize(self.end + CHUNK, 0);
        }
        debug_assert!(
            self.buffer.len() <= MOST_HELD,
            "a record, and what is read beyond it, is all that is held"
        );
        let count = loop {
            match self.bytes.read(&mut self.buffer[self.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.end += count;
        self.ended = count == 0;
        Ok(count > 0)
    }

    /// Reads until at least `count` bytes lie in the window or the file ends.
    pub(super) fn fill_to(&mut self, count: usize) -> io::Result<()> {
        while self.data().len() < count && self.fill()? {}
        Ok(())
    }

    /// Passes the first `count` bytes.
    pub(super) fn pass(&mut self, count: usize) {
        let passed = &self.buffer[self.start..self.start + count];
        self.line += count_lines(passed, &mut self.after_cr);
        self.start += count;
        self.offset += count as u64;
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
    }

    /// Passes line ends; `false` if the file ends with them.
    pub(super) fn pass_blank_lines(&mut self) -> io::Result<bool> {
        loop {
            let count = self.data().iter().take_while(|byte| is_line_end(**byte)).count();
            let all = count == self.data().len();
            self.pass(count);
            if !all {
                return Ok(true);
            }
            if !self.fill()? {
                return Ok(false);
            }
        }
    }

    /// How many bytes the first line has without its end; `None` if they are more than `most`.
    pub(super) fn line_length(&mut self, most: usize) -> io::Result<Option<usize>> {
        let mut searched = 0;
        loop {
            let data = self.data();
            let reach = data.len().min(most + 1);
            if let Some(found) = data[searched..reach].iter().position(|byte| is_line_end(*byte)) {
                return Ok(Some(searched + found));
            }
            if reach > most {
                return Ok(None);
            }
            searched = reach;
            if !self.fill()? {
                return Ok(Some(searched));
            }
        }
    }

    /// Passes the first line with its end, however long it is, without holding it.
    pub(super) fn pass_line(&mut self) -> io::Result<()> {
        loop {
            if let Some(found) = self.data().iter().position(|byte| is_line_end(*byte)) {
                self.pass(found + 1);
                return self.pass_lf_of_crlf();
            }
            self.pass(self.data().len());
            if !self.fill()? {
                return Ok(());
            }
        }
    }

    fn pass_lf_of_crlf(&mut self) -> io::Result<()> {
        if self.after_cr {
            self.fill_to(1)?;
            if self.data().first() == Some(&b'\n') {
                self.pass(1);
            }
        }
        Ok(())
    }
}

/// Whether a line ends with this byte.
pub(super) fn is_line_end(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}

/// How many lines end within `bytes`; a CRLF that was cut apart between two calls ends one.
fn count_lines(bytes: &[u8], after_cr: &mut bool) -> u64 {
    let Some((first, last)) = bytes.first().zip(bytes.last()) else { return 0 };
    let cut = u64::from(*after_cr && *first == b'\n');
    *after_cr = *last == b'\r';
    // Two plain counts are much faster than one walk that looks at pairs, which few records need.
    let feeds = count(bytes, b'\n');
    let returns = count(bytes, b'\r');
    let pairs = match returns {
        0 => 0,
        1 if *after_cr => 0,
        _ => bytes.windows(2).filter(|pair| pair == b"\r\n").count() as u64,
    };
    feeds + returns - pairs - cut
}

#[expect(clippy::naive_bytecount, reason = "the compiler makes vector code of it, which is fast enough here")]
fn count(bytes: &[u8], wanted: u8) -> u64 {
    bytes.iter().filter(|byte| **byte == wanted).count() as u64
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Read;

    use proptest::prelude::*;

    use super::*;

    /// Gives at most so many bytes at a time.
    pub(in crate::source) struct Trickle(pub Vec<u8>, pub usize);

    impl Read for Trickle {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0.drain(..count);
            Ok(count)
        }
    }

    fn window(text: &str, chunk: usize) -> Window {
        Window::new(Box::new(Trickle(text.as_bytes().to_vec(), chunk)))
    }

    #[test]
    fn a_line_ends_with_lf_crlf_or_cr() {
        for chunk in [1, 2, 100] {
            let mut window = window("a\r\nb\rc\n\nd", chunk);
            let mut seen = Vec::new();
            while window.pass_blank_lines().unwrap() {
                let length = window.line_length(10).unwrap().unwrap();
                seen.push((window.line(), window.data()[..length].to_vec()));
                window.pass_line().unwrap();
            }
            let expected = [(1, "a"), (2, "b"), (3, "c"), (5, "d")];
            assert_eq!(seen, expected.map(|(line, text)| (line, text.as_bytes().to_vec())));
        }
    }

    #[test]
    fn a_line_over_the_limit_is_told_and_can_be_passed() {
        let mut window = window("abcdef\nx", 2);
        assert_eq!(window.line_length(5).unwrap(), None);
        assert_eq!(window.line_length(6).unwrap(), Some(6));
        window.pass_line().unwrap();
        assert_eq!((window.line(), window.offset()), (2, 7));
    }

    proptest! {
        #[test]
        fn lines_are_counted_alike_however_the_bytes_are_cut(text in "[a\r\n]{0,30}", step in 1..5_usize) {
            let mut whole = false;
            let lines = count_lines(text.as_bytes(), &mut whole);
            let mut cut = false;
            let sum: u64 = text.as_bytes().chunks(step).map(|chunk| count_lines(chunk, &mut cut)).sum();
            prop_assert_eq!(lines, sum);
            let normal = text.replace("\r\n", "\n").replace('\r', "\n");
            prop_assert_eq!(lines, normal.matches('\n').count() as u64);
        }
    }
}
