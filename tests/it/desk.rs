//! A desk: a folder of its own in which the built program runs, with an environment of its own.
//!
//! Nothing of the machine's environment reaches the program but what a test hands over, and whatever the program leaves
//! behind lies on the desk.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Condvar, Mutex},
    thread::JoinHandle,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::served::Served;

/// The token that imports use; any is good for the sandbox.
const TOKEN: (&str, &str) = ("HELPSCOUT_ACCESS_TOKEN", "a-token");

/// A folder to work in.
pub(crate) struct Desk {
    folder: TempDir,
}

/// How a run of the program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code; -1 where a signal ended it.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

/// A run that goes on; it is killed when it is dropped.
pub(crate) struct Running {
    child: Child,
    out: Option<JoinHandle<String>>,
    err: Option<JoinHandle<String>>,
    said: Arc<(Mutex<String>, Condvar)>,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::Builder::new().prefix("callport-it-").tempdir().unwrap() }
    }

    /// A desk with a copy of the repository's fixtures on it.
    pub(crate) fn with_fixtures() -> Self {
        let desk = Self::new();
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures"), &desk.path("fixtures"));
        desk
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The program with a clean environment, in this folder.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_callport"));
        command.args(arguments).current_dir(self.folder.path()).env_clear();
        command.env("HOME", self.folder.path()).env("TMPDIR", self.folder.path());
        command.stdin(Stdio::null());
        command
    }

    /// Runs the program to its end, without credentials.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(&mut self.command(arguments))
    }

    /// `callport import ARGUMENTS` into `served`.
    pub(crate) fn import_command(&self, served: &Served, arguments: &[&str]) -> Command {
        let mut command = self.command(&["import"]);
        command.args(arguments).args(["--api-url", served.address()]).env(TOKEN.0, TOKEN.1);
        command
    }

    /// Runs an import into `served` to its end.
    pub(crate) fn import(&self, served: &Served, arguments: &[&str]) -> Ended {
        Ended::of(&mut self.import_command(served, arguments))
    }

    /// Begins an import into `served`.
    pub(crate) fn begin_import(&self, served: &Served, arguments: &[&str]) -> Running {
        Running::of(&mut self.import_command(served, arguments))
    }

    /// The names in this folder, hidden ones too.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

impl Ended {
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Checks the exit code.
    #[track_caller]
    pub(crate) fn with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\nstdout: {}\nstderr: {}", self.out, self.err);
        self
    }

    /// Checks that standard error says `words`.
    #[track_caller]
    pub(crate) fn saying(self, words: &str) -> Self {
        assert!(self.err.contains(words), "`{words}` is not in: {}", self.err);
        self
    }

    /// The one JSON document on standard output.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("{error}\nstdout: {}\nstderr: {}", self.out, self.err))
    }
}

impl Running {
    pub(crate) fn of(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let said = Arc::default();
        let out = collect(child.stdout.take().unwrap(), Arc::default());
        let err = collect(child.stderr.take().unwrap(), Arc::clone(&said));
        Self { child, out: Some(out), err: Some(err), said }
    }

    /// Waits until standard error says `words`.
    #[track_caller]
    pub(crate) fn waits_to_say(&self, words: &str) {
        let (said, more) = &*self.said;
        let mut said = said.lock().unwrap();
        while !said.contains(words) {
            assert!(!said.ends_with(END), "`{words}` is not in: {said}");
            said = more.wait(said).unwrap();
        }
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Presses Ctrl-C.
    #[cfg(unix)]
    pub(crate) fn interrupt(&self) {
        self.signal("-INT");
    }

    /// Sends it a signal; `kill` and the process's own end may cross.
    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for the end.
    pub(crate) fn end(mut self) -> Ended {
        let text =
            |told: Option<JoinHandle<String>>| told.map(|told| told.join().unwrap()).unwrap_or_default();
        let (out, err) = (text(self.out.take()), text(self.err.take()));
        Ended { code: self.child.wait().unwrap().code().unwrap_or(-1), out, err }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Stands behind what was said when nothing more will be.
const END: &str = "(the end)\n";

/// Reads to the end, so that the program never waits for a reader; `said` hears every line as it comes.
fn collect(stream: impl Read + Send + 'static, said: Arc<(Mutex<String>, Condvar)>) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = String::new();
        let mut stream = BufReader::new(stream);
        loop {
            let mut line = String::new();
            let is_end = stream.read_line(&mut line).unwrap() == 0;
            said.0.lock().unwrap().push_str(if is_end { END } else { &line });
            said.1.notify_all();
            if is_end {
                return text;
            }
            text.push_str(&line);
        }
    })
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
