//! A sandbox in a process of its own, and what it holds, read by its own API.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::desk::{Desk, Running};

/// A sandbox that serves until it is dropped.
pub(crate) struct Served {
    child: Child,
    address: String,
    desk: Desk,
}

/// The conversations of a world, by their ids.
pub(crate) type World = BTreeMap<u64, Conversation>;

/// A conversation as the API shows it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Conversation {
    /// Everything that the API tells of it.
    pub(crate) shown: Value,
    /// Its threads as the API shows them, oldest first.
    pub(crate) threads: Vec<Value>,
}

impl Served {
    /// `callport sandbox --port 0 OPTIONS`, with a limit that nobody reaches.
    pub(crate) fn start(options: &[&str]) -> Self {
        Self::on(Desk::new(), options)
    }

    /// The same with misfortunes.
    pub(crate) fn with_faults(script: &str, options: &[&str]) -> Self {
        let desk = Desk::new();
        desk.write("faults.toml", script);
        Self::on(desk, &[&["--faults", "faults.toml"], options].concat())
    }

    /// The same with a world to start with.
    pub(crate) fn with_seed(seed: &Value, options: &[&str]) -> Self {
        let desk = Desk::new();
        desk.write("seed.json", seed.to_string());
        Self::on(desk, &[&["--seed", "seed.json"], options].concat())
    }

    /// The same with both.
    pub(crate) fn with_seed_and_faults(seed: &Value, script: &str) -> Self {
        Self::with_all(seed, script, &[])
    }

    /// The same with everything.
    pub(crate) fn with_all(seed: &Value, script: &str, options: &[&str]) -> Self {
        let desk = Desk::new();
        desk.write("seed.json", seed.to_string());
        desk.write("faults.toml", script);
        Self::on(desk, &[&["--seed", "seed.json", "--faults", "faults.toml"], options].concat())
    }

    fn on(desk: Desk, options: &[&str]) -> Self {
        let mut command = desk.command(&["sandbox", "--port", "0", "--data", "world"]);
        if !options.contains(&"--rate") {
            command.args(["--rate", "1000000"]);
        }
        Self::of(command.args(options), desk)
    }

    fn of(command: &mut Command, desk: Desk) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim_end().to_owned();
        let served = Self { child, address, desk };
        assert!(served.address.starts_with("http://127.0.0.1:"), "the first line is `{line}`");
        served
    }

    /// Ends the sandbox as a crash does.
    pub(crate) fn fall(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts a fallen sandbox anew with the world that it kept, at another address.
    pub(crate) fn rise(self) -> Self {
        let mut fallen = self;
        let desk = std::mem::replace(&mut fallen.desk, Desk::new());
        Self::on(desk, &[])
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// How many requests have changed its world.
    pub(crate) fn changes(&self) -> usize {
        // One line a request in its data file, behind the world that it began with.
        fs::read(self.desk.path("world")).unwrap().split(|byte| *byte == b'\n').count()
    }

    /// Waits until so many requests have changed the world; `false` where `running` ended before.
    pub(crate) fn wait_for_changes(&self, changes: usize, running: &mut Running) -> bool {
        while self.changes() < changes {
            if !running.is_running() {
                return false;
            }
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        true
    }

    /// The answer to `GET target`.
    pub(crate) fn get(&self, target: &str) -> Value {
        let host = self.address.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).unwrap();
        let request = format!(
            "GET {target} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer looker\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
        assert!(head.starts_with("HTTP/1.1 200 "), "GET {target}: {answer}");
        serde_json::from_str(body).unwrap()
    }

    /// A person deletes a conversation.
    pub(crate) fn delete_conversation(&self, id: u64) {
        let host = self.address.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).unwrap();
        let request = format!(
            "DELETE /v2/conversations/{id} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer looker\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");
    }

    /// Every entry called `name` of all pages of `target`.
    pub(crate) fn pages(&self, target: &str, name: &str) -> Vec<Value> {
        let joint = if target.contains('?') { '&' } else { '?' };
        let mut entries = Vec::new();
        for page in 1.. {
            let mut shown = self.get(&format!("{target}{joint}page={page}"));
            if let Some(Value::Array(found)) =
                shown.pointer_mut(&format!("/_embedded/{name}")).map(Value::take)
            {
                entries.extend(found);
            }
            if page >= shown["page"]["totalPages"].as_u64().unwrap() {
                break;
            }
        }
        entries
    }

    /// Every conversation with all of its threads.
    pub(crate) fn world(&self) -> World {
        let mut world = World::new();
        for shown in self.pages("/v2/conversations?status=all", "conversations") {
            let id = shown["id"].as_u64().unwrap();
            let mut threads = self.pages(&format!("/v2/conversations/{id}/threads"), "threads");
            threads.reverse();
            world.insert(id, Conversation { shown, threads });
        }
        world
    }

    /// The references of all calls that it holds, each as often as it is there, in order.
    pub(crate) fn references(&self) -> Vec<String> {
        let world = self.world();
        let mut all: Vec<String> =
            world.values().flat_map(|one| one.threads.iter()).filter_map(reference).collect();
        all.sort();
        all
    }
}

impl Conversation {
    /// The references of its calls, oldest thread first.
    pub(crate) fn references(&self) -> Vec<String> {
        self.threads.iter().filter_map(reference).collect()
    }
}

/// What stands behind `Ref: ` at the end of a thread's text.
pub(crate) fn reference(thread: &Value) -> Option<String> {
    let (_, reference) = thread["body"].as_str()?.rsplit_once("Ref: ")?;
    reference.split('<').next().map(|reference| reference.trim().to_owned())
}

impl Drop for Served {
    fn drop(&mut self) {
        // It is this test's own child, and may have ended by itself.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
