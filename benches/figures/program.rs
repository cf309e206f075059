//! The built program as a child process: watched until it ends, served by a sandbox, or killed.

use std::{
    fs,
    io::{self, BufRead, BufReader, Read},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::Outcome;

/// How often a process is looked at.
const LOOK: Duration = Duration::from_millis(10);
/// How often a listener is.
const SHORT_LOOK: Duration = Duration::from_millis(1);
/// What the kernel counts a process's time in, a second.
const TICKS: f64 = 100.0;

/// The folder of all files. It goes when the bench ends.
#[derive(Debug)]
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { folder: tempfile::Builder::new().prefix("callport-bench-").tempdir()? })
    }

    /// A file in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program with `arguments`, in the folder, with a token and nothing else of the environment that it reads.
    pub(crate) fn program<S: AsRef<std::ffi::OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_callport"));
        command.args(arguments);
        for name in ["APP_ID", "APP_SECRET", "APP_SECRET_FILE", "API_URL"] {
            command.env_remove(format!("HELPSCOUT_{name}"));
        }
        command.env("HELPSCOUT_ACCESS_TOKEN", "bench").env("NO_PROXY", "127.0.0.1");
        self.settle(&mut command);
        command
    }

    /// Lets `command` work in the folder, with its temporary files too.
    pub(crate) fn settle(&self, command: &mut Command) {
        command.current_dir(self.folder.path()).env("TMPDIR", self.folder.path());
    }

    /// Removes a file and what SQLite and the program put beside it.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        for (path, _) in self.beside(name)? {
            fs::remove_file(path)?;
        }
        Ok(())
    }

    /// The bytes of a checkpoint with its write-ahead log.
    pub(crate) fn bytes(&self, name: &str) -> io::Result<u64> {
        Ok(self.beside(name)?.iter().map(|(_, bytes)| bytes).sum())
    }

    fn beside(&self, name: &str) -> io::Result<Vec<(PathBuf, u64)>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(self.folder.path())? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(name) {
                // A file may go between the two looks.
                found.push((entry.path(), entry.metadata().map_or(0, |data| data.len())));
            }
        }
        Ok(found)
    }
}

/// A child that does not outlive the bench.
#[derive(Debug)]
pub(crate) struct Running(Child);

impl Running {
    pub(crate) fn start(command: &mut Command) -> io::Result<Self> {
        command.stdin(Stdio::null()).spawn().map(Self)
    }

    pub(crate) fn has_ended(&mut self) -> io::Result<bool> {
        Ok(self.0.try_wait()?.is_some())
    }
}

impl Drop for Running {
    /// As a power cut does.
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// How a process ended.
#[derive(Debug)]
pub(crate) struct Finished {
    /// From its start to its end.
    pub(crate) wall: Duration,
    /// From its start to its word that it is connected.
    pub(crate) connected: Option<Duration>,
    /// Its greatest resident memory in bytes.
    pub(crate) memory: Option<u64>,
    /// What it used of processors, in seconds.
    pub(crate) processor: Option<f64>,
    /// What it printed.
    pub(crate) output: String,
}

impl Finished {
    /// What it printed, as JSON.
    pub(crate) fn json(&self) -> Outcome<Value> {
        Ok(serde_json::from_str(&self.output)?)
    }
}

/// Runs `command` to its end, which must be a good one.
pub(crate) fn finish(command: &mut Command) -> Outcome<Finished> {
    let began = Instant::now();
    let mut running = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
    let (Some(mut stdout), Some(stderr)) = (running.0.stdout.take(), running.0.stderr.take()) else {
        return Err("a pipe is missing".into());
    };
    let watch = watch(running.0.id());
    let listener = thread::spawn(move || listen(stderr, began));
    let mut output = String::new();
    stdout.read_to_string(&mut output)?;
    let status = running.0.wait()?;
    let wall = began.elapsed();
    let usage = watch.join().map_err(|_| "the watch failed")?;
    let (connected, errors) = listener.join().map_err(|_| "the listener failed")?;
    if !status.success() {
        return Err(format!("{command:?} ended with {status}: {errors}").into());
    }
    Ok(Finished { wall, connected, memory: usage.memory, processor: usage.processor, output })
}

/// When the word of the connection came, and all that was said.
fn listen(stderr: impl Read, began: Instant) -> (Option<Duration>, String) {
    let (mut connected, mut all) = (None, String::new());
    for line in BufReader::new(stderr).lines().map_while(Result::ok) {
        if connected.is_none() && line.starts_with("connected to ") {
            connected = Some(began.elapsed());
        }
        all.push_str(&line);
        all.push('\n');
    }
    (connected, all)
}

#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Usage {
    pub(crate) memory: Option<u64>,
    pub(crate) processor: Option<f64>,
}

/// Looks at a process until it ends.
fn watch(id: u32) -> JoinHandle<Usage> {
    thread::spawn(move || {
        let mut last = Usage::default();
        loop {
            let now = usage(id);
            // A process that has ended has no memory any more.
            if now.memory.is_none() {
                return last;
            }
            last = now;
            thread::sleep(LOOK);
        }
    })
}

/// What Linux tells of a process; elsewhere nothing.
pub(crate) fn usage(id: u32) -> Usage {
    let read = |name: &str| fs::read_to_string(format!("/proc/{id}/{name}")).ok();
    let memory = read("status").and_then(|status| kilobytes(&status, "VmHWM:"));
    let processor = read("stat").and_then(|stat| {
        // Behind the name, which may hold anything, come the state and then numbers.
        let (_, numbers) = stat.rsplit_once(") ")?;
        let ticks: Vec<f64> =
            numbers.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse().ok()).collect();
        Some(ticks.iter().sum::<f64>() / TICKS)
    });
    Usage { memory, processor }
}

/// The value of a line such as `VmHWM:   1234 kB`, in bytes.
pub(crate) fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// A sandbox in a process of its own.
#[derive(Debug)]
pub(crate) struct Sandbox {
    running: Running,
    /// Where it is.
    pub(crate) url: String,
}

impl Sandbox {
    /// Starts one that allows `rate` units a minute (0: all).
    pub(crate) fn start(place: &Place, rate: u32, seed: Option<&Path>) -> Outcome<Self> {
        let mut command = place.program(["sandbox", "--port", "0", "--rate", &rate.to_string()]);
        if let Some(seed) = seed {
            command.arg("--seed").arg(seed);
        }
        let mut running = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::null()))?;
        let stdout = running.0.stdout.take().ok_or("a pipe is missing")?;
        let mut url = String::new();
        BufReader::new(stdout).read_line(&mut url)?;
        let url = url.trim().to_owned();
        if url.is_empty() { Err("the sandbox did not start".into()) } else { Ok(Self { running, url }) }
    }

    /// What it used of processors so far, in seconds.
    pub(crate) fn processor(&self) -> Option<f64> {
        usage(self.running.0.id()).processor
    }
}

/// A service that takes a request and never answers.
#[derive(Debug)]
pub(crate) struct Silent {
    listener: TcpListener,
    /// Where it is.
    pub(crate) url: String,
}

impl Silent {
    pub(crate) fn start() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let url = format!("http://127.0.0.1:{}", listener.local_addr()?.port());
        Ok(Self { listener, url })
    }

    /// Waits for the first bytes of a request of `client`, looking about with `meanwhile`. The connection stays open as
    /// long as what is returned.
    pub(crate) fn first_request(
        &self,
        client: &mut Running,
        mut meanwhile: impl FnMut() -> io::Result<()>,
    ) -> Outcome<TcpStream> {
        loop {
            match self.listener.accept() {
                Ok((mut stream, _)) => {
                    stream.set_nonblocking(false)?;
                    stream.read_exact(&mut [0; 1])?;
                    return Ok(stream);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
            if client.has_ended()? {
                return Err("the import ended without a request".into());
            }
            meanwhile()?;
            thread::sleep(SHORT_LOOK);
        }
    }
}
