//! One run at a time.
//!
//! The lock is a file of its own beside the checkpoint, because the database's own locks must stay free for `status`, and
//! on some systems a lock of another kind on the same file would be in their way. The operating system lets go of it when
//! the process ends, however it ends. The file is removed while it is still held; whoever opened it in between sees that
//! the path no longer leads to it and opens anew.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
};

use super::CheckpointError;

/// Held for as long as it lives.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    /// Dropped after the path is removed; that is what lets go.
    _file: File,
}

impl Lock {
    /// Takes the lock of `checkpoint`, or says that somebody else has it.
    pub(super) fn take(checkpoint: &Path) -> Result<Self, CheckpointError> {
        let mut name = checkpoint.as_os_str().to_owned();
        name.push(".lock");
        let path = PathBuf::from(name);
        let unusable = |error: std::io::Error| CheckpointError::Unusable {
            path: checkpoint.to_owned(),
            why: format!("its lock `{}`: {error}", path.display()),
        };
        loop {
            let file = open_private(&path).map_err(unusable)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(CheckpointError::InUse(checkpoint.to_owned())),
                Err(TryLockError::Error(error)) => return Err(unusable(error)),
            }
            if leads_to(&path, &file) {
                return Ok(Self { path, _file: file });
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // A file that stays is in nobody's way: it is the lock on it that counts.
        drop(std::fs::remove_file(&self.path));
    }
}

fn open_private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
fn leads_to(path: &Path, file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (path.metadata(), file.metadata()) {
        (Ok(there), Ok(held)) => there.ino() == held.ino() && there.dev() == held.dev(),
        _ => false,
    }
}

/// Elsewhere an open file cannot be removed, so that the path leads to what is held.
#[cfg(not(unix))]
fn leads_to(_path: &Path, _file: &File) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_refused_until_the_first_lets_go() {
        let folder = tempfile::tempdir().unwrap();
        let checkpoint = folder.path().join("a.checkpoint");
        let first = Lock::take(&checkpoint).unwrap();
        assert!(matches!(Lock::take(&checkpoint), Err(CheckpointError::InUse(path)) if path == checkpoint));
        drop(first);
        assert!(!folder.path().join("a.checkpoint.lock").exists());
        Lock::take(&checkpoint).unwrap();
    }
}
