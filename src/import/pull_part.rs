//! What a pull that is not at its end has seen: a line a page, each on disk before the next page is asked for.
//!
//! The first line says whose account it is and since when it is read. A crash may tear the last line: it is cut off, and
//! its page read again. The file is locked for as long as somebody writes it, and removed at the end.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    account_file::{KnownCustomer, Whose},
    pull::PullError,
};

/// The file in the making.
#[derive(Debug)]
pub(super) struct Part {
    path: PathBuf,
    file: File,
}

/// What it begins with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Head {
    pub(super) account: Whose,
    /// When the first customer was asked for, by the service's clock.
    pub(super) begun: String,
}

/// One reading of a list from its first page to its last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Walk {
    /// All customers.
    First,
    /// All of them again, because not as many were seen as there are.
    Second,
    /// The last attempt.
    Third,
    /// Those that changed since the first page was read.
    Changed,
}

/// A page as it was read.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PageLine {
    pub(super) walk: Walk,
    pub(super) page: u32,
    pub(super) total: Option<u64>,
    pub(super) customers: Vec<KnownCustomer>,
}

impl Part {
    /// `OUTPUT.part`.
    pub(super) fn path_beside(output: &Path) -> PathBuf {
        let mut name = output.as_os_str().to_owned();
        name.push(".part");
        PathBuf::from(name)
    }

    /// Opens the file, new or as an earlier pull left it, and tells what it holds. What is no part of a pull is refused.
    pub(super) fn open(path: &Path) -> Result<(Self, Option<Head>, Vec<PageLine>), PullError> {
        let unusable = |cause| PullError::Unwritable { path: path.to_owned(), cause };
        let file = open_private(path).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(PullError::Part(format!("`{}` is written by another pull", path.display())));
            }
            Err(TryLockError::Error(cause)) => return Err(unusable(cause)),
        }
        let mut part = Self { path: path.to_owned(), file };
        let mut text = Vec::new();
        part.file.read_to_end(&mut text).map_err(unusable)?;
        // Behind the last line end stands what a crash has torn.
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        text.truncate(whole);
        let mut lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let damaged = |cause: serde_json::Error| {
            let path = path.display();
            PullError::Part(format!(
                "`{path}` is not what a pull has left ({cause}): delete it to begin anew"
            ))
        };
        let head = lines.next().map(serde_json::from_slice).transpose().map_err(damaged)?;
        let pages = lines.map(serde_json::from_slice).collect::<Result<_, _>>().map_err(damaged)?;
        part.cut(whole as u64).map_err(unusable)?;
        Ok((part, head, pages))
    }

    /// Begins anew.
    pub(super) fn begin(&mut self, head: &Head) -> Result<(), PullError> {
        self.cut(0).map_err(|cause| self.unwritable(cause))?;
        self.add(head)
    }

    /// Adds a page; it is on disk when this returns.
    pub(super) fn add_page(&mut self, line: &PageLine) -> Result<(), PullError> {
        self.add(line)
    }

    /// Takes the file away: what it held stands elsewhere.
    pub(super) fn remove(self) -> Result<(), PullError> {
        std::fs::remove_file(&self.path).map_err(|cause| self.unwritable(cause))
    }

    fn add(&mut self, line: &impl Serialize) -> Result<(), PullError> {
        let write = |file: &mut File| {
            let mut text = serde_json::to_vec(line)?;
            text.push(b'\n');
            file.write_all(&text)?;
            file.sync_data()
        };
        write(&mut self.file).map_err(|cause| self.unwritable(cause))
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)?;
        self.file.seek(SeekFrom::Start(length)).map(drop)
    }

    fn unwritable(&self, cause: io::Error) -> PullError {
        PullError::Unwritable { path: self.path.clone(), cause }
    }
}

fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> Head {
        let account = Whose { id: "company:1".into(), api_url: "http://127.0.0.1:1".into() };
        Head { account, begun: "2026-11-25T07:00:00Z".into() }
    }

    fn page(number: u32) -> PageLine {
        PageLine { walk: Walk::First, page: number, total: Some(51), customers: Vec::new() }
    }

    #[test]
    fn a_torn_line_is_cut_off_and_its_page_added_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = Part::path_beside(&folder.path().join("account.json"));
        let (mut part, none, _) = Part::open(&path).unwrap();
        assert!(none.is_none());
        part.begin(&head()).unwrap();
        part.add_page(&page(1)).unwrap();
        part.add_page(&page(2)).unwrap();
        let length = part.file.metadata().unwrap().len();
        part.file.set_len(length - 3).unwrap();
        drop(part);
        let (mut part, found, pages) = Part::open(&path).unwrap();
        assert_eq!((found, pages.len(), pages[0].page), (Some(head()), 1, 1));
        part.add_page(&page(2)).unwrap();
        drop(part);
        let (part, _, pages) = Part::open(&path).unwrap();
        assert_eq!((pages.len(), pages[1].page, pages[1].total), (2, 2, Some(51)));
        part.remove().unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn another_pull_and_another_file_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.part");
        let (_held, ..) = Part::open(&path).unwrap();
        let refused = Part::open(&path).unwrap_err().to_string();
        assert!(refused.ends_with("a.part` is written by another pull"), "{refused}");
        let path = folder.path().join("b.part");
        std::io::Write::write_all(&mut open_private(&path).unwrap(), b"hello\n").unwrap();
        let refused = Part::open(&path).unwrap_err().to_string();
        assert!(refused.contains("delete it to begin anew"), "{refused}");
        assert_eq!(path.metadata().unwrap().len(), 6, "what is refused is not touched");
    }
}
