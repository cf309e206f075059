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

/// How a file is packed.
enum Packing {
    Gzip,
    Zstd,
}

impl Packing {
    /// How many bytes tell it.
    const TOLD_BY: usize = 4;

    fn of(first: &[u8]) -> Option<Self> {
        match first {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            // A frame of data, or one that is to be skipped, with which several writers begin.
            [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// Its content: decompressed where it begins as gzip or zstd does, whatever its name. Every member or frame of a
/// concatenated file is read.
pub(super) fn content(raw: Bytes) -> io::Result<(Bytes, Taken)> {
    const BUFFER: usize = 1 << 16;
    let taken = Taken::default();
    let mut raw = Counted { inner: raw, taken: taken.clone() };
    let first = head(&mut raw, Packing::TOLD_BY)?;
    let packing = Packing::of(&first);
    let whole = Cursor::new(first).chain(raw);
    let bytes: Bytes = match packing {
        None => Box::new(whole),
        Some(Packing::Gzip) => Box::new(MultiGzDecoder::new(BufReader::with_capacity(BUFFER, whole))),
        Some(Packing::Zstd) => Box::new(zstd::Decoder::with_buffer(BufReader::with_capacity(BUFFER, whole))?),
    };
    Ok((bytes, taken))
}

/// The first `count` bytes, or all where there are fewer.
pub(super) fn head(bytes: &mut impl Read, count: usize) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(count);
    bytes.by_ref().take(count as u64).read_to_end(&mut head)?;
    Ok(head)
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

    fn zstd(text: &str) -> Vec<u8> {
        zstd::encode_all(text.as_bytes(), 3).unwrap()
    }

    #[test]
    fn every_frame_of_a_zstd_file_is_read_and_one_to_skip_is_skipped() {
        let skipped = b"\x50\x2a\x4d\x18\x03\0\0\0abc".to_vec();
        let raw = [skipped, zstd("one\n"), zstd("two\n")].concat();
        let size = raw.len() as u64;
        assert_eq!(read(raw).unwrap(), ("one\ntwo\n".to_owned(), size));
    }

    #[test]
    fn a_packed_file_that_is_cut_off_is_an_error() {
        for pack in [gzip, zstd] {
            let mut raw = pack(&"some calls\n".repeat(100));
            raw.truncate(raw.len() - 12);
            assert!(read(raw).is_err());
        }
    }

    #[test]
    fn plain_bytes_pass_even_if_there_is_only_one() {
        assert_eq!(read(b"x".to_vec()).unwrap(), ("x".to_owned(), 1));
        assert_eq!(read(Vec::new()).unwrap(), (String::new(), 0));
    }
}
