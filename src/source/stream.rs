//! The bytes of a file, decompressed, and how many of them were taken from the disk.

use std::{
    fs::File,
    io::{self, BufReader, Cursor, Read},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use flate2::bufread::MultiGzDecoder;

use super::{Input, SourceError};

/// Bytes from wherever.
pub(super) type Bytes = Box<dyn Read + Send>;

/// Bytes taken so far from the file as it lies on disk, for a progress bar.
#[derive(Debug, Clone, Default)]
pub(super) struct Taken(Arc<AtomicU64>);

impl Taken {
    pub(super) fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

struct Counted {
    inner: Bytes,
    taken: Taken,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.taken.0.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// Opens the file itself.
pub(super) fn open(input: &Input) -> Result<Bytes, SourceError> {
    let Some(path) = input.path() else { return Ok(Box::new(io::stdin())) };
    let file =
        File::open(path).map_err(|cause| SourceError::Unopened { name: input.name().to_string(), cause })?;
    Ok(Box::new(file))
}

/// Its content: decompressed where it begins as gzip does, whatever its name. Every member of a concatenated gzip file is
/// read.
pub(super) fn content(raw: Bytes) -> io::Result<(Bytes, Taken)> {
    const GZIP: [u8; 2] = [0x1f, 0x8b];
    let taken = Taken::default();
    let mut raw = Counted { inner: raw, taken: taken.clone() };
    let mut first = Vec::with_capacity(GZIP.len());
    raw.by_ref().take(GZIP.len() as u64).read_to_end(&mut first)?;
    let gzip = first == GZIP;
    let whole = Cursor::new(first).chain(raw);
    let bytes: Bytes = if gzip {
        Box::new(MultiGzDecoder::new(BufReader::with_capacity(1 << 16, whole)))
    } else {
        Box::new(whole)
    };
    Ok((bytes, taken))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    fn read(raw: Vec<u8>) -> io::Result<(String, u64)> {
        let (mut bytes, taken) = content(Box::new(Cursor::new(raw)))?;
        let mut text = String::new();
        bytes.read_to_string(&mut text)?;
        Ok((text, taken.bytes()))
    }

    #[test]
    fn every_member_of_a_gzip_file_is_read_and_the_bytes_on_disk_are_counted() {
        let raw = [gzip("one\n"), gzip("two\n")].concat();
        let size = raw.len() as u64;
        assert_eq!(read(raw).unwrap(), ("one\ntwo\n".to_owned(), size));
    }

    #[test]
    fn a_gzip_file_that_is_cut_off_is_an_error() {
        let mut raw = gzip(&"some calls\n".repeat(100));
        raw.truncate(raw.len() - 12);
        assert!(read(raw).is_err());
    }

    #[test]
    fn plain_bytes_pass_even_if_there_is_only_one() {
        assert_eq!(read(b"x".to_vec()).unwrap(), ("x".to_owned(), 1));
        assert_eq!(read(Vec::new()).unwrap(), (String::new(), 0));
    }
}
