//! The sandbox's data on disk: the changes of its world, a line a request, written before the request is answered.
//!
//! A process that is killed loses nothing that it told of, since what was written is the system's to keep; a power cut
//! may lose the end, which is good enough for a rehearsal. At the start the lines are replayed and written aside anew,
//! one entity a line, and the old file is replaced. A last line without its end was being written when the process
//! died, and was never told of: it is left out. Any other damage is an error, as a world with a hole would let a
//! rehearsal pass that should not.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::SandboxError;
use super::world::{Event, World};

const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    callport_sandbox: u32,
}

/// An open data file.
#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
    length: u64,
    line: Vec<u8>,
}

impl Journal {
    /// Opens the file, or makes it with the world that `start` gives; returns the world that it holds.
    pub(crate) fn open(path: &Path, start: impl FnOnce() -> World) -> Result<(Self, World), SandboxError> {
        let fail = |verb| move |source| SandboxError::File { path: path.to_owned(), verb, source };
        let old = match OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(fail("open")(error)),
        };
        // Held until the end, so that no second sandbox compacts the same file meanwhile.
        let held = old.as_ref().map(File::try_lock);
        if let Some(Err(error)) = held {
            return Err(fail("lock (another sandbox may use it)")(error.into()));
        }
        let world = match &old {
            Some(file) => replay(path, file)?,
            None => start(),
        };
        let (file, length) = compact(path, &world).map_err(fail("write"))?;
        Ok((Self { file, length, line: Vec::new() }, world))
    }

    /// Writes the changes of one request as one line.
    pub(crate) fn append(&mut self, events: &[Event]) -> io::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, events)?;
        self.line.push(b'\n');
        let written = self.file.write_all(&self.line);
        if written.is_ok() {
            self.length += self.line.len() as u64;
        } else {
            // A part of a line must not be followed by another.
            self.file.set_len(self.length)?;
        }
        written
    }
}

fn replay(path: &Path, file: &File) -> Result<World, SandboxError> {
    let damaged = |line, reason: String| SandboxError::Data { path: path.to_owned(), line, reason };
    let read = |source| SandboxError::File { path: path.to_owned(), verb: "read", source };
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let mut text = Vec::new();
    reader.read_until(b'\n', &mut text).map_err(read)?;
    let header: Header = serde_json::from_slice(&text)
        .map_err(|_| damaged(1, "this is not a file of the sandbox's data".to_owned()))?;
    if header.callport_sandbox != VERSION {
        let reason = format!("version `{}` is not known, only {VERSION}", header.callport_sandbox);
        return Err(damaged(1, reason));
    }
    let mut world = World::empty();
    for line in 2.. {
        text.clear();
        reader.read_until(b'\n', &mut text).map_err(read)?;
        if text.last() != Some(&b'\n') {
            break;
        }
        let events: Vec<Event> =
            serde_json::from_slice(&text).map_err(|error| damaged(line, format!("damaged: {error}")))?;
        for event in events {
            let may_miss = matches!(event, Event::Merged { .. });
            if !world.apply(event) && !may_miss {
                return Err(damaged(line, "damaged: it changes something that is not there".to_owned()));
            }
        }
    }
    Ok(world)
}

/// Writes the world aside and puts it in the file's place; the new file is held locked and open at its end.
fn compact(path: &Path, world: &World) -> io::Result<(File, u64)> {
    let aside = aside(path);
    match std::fs::remove_file(&aside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.append(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&aside)?;
    file.try_lock()?;
    let mut writer = BufWriter::with_capacity(1 << 16, &file);
    serde_json::to_writer(&mut writer, &Header { callport_sandbox: VERSION })?;
    writer.write_all(b"\n")?;
    for event in world.events() {
        serde_json::to_writer(&mut writer, &[event])?;
        writer.write_all(b"\n")?;
    }
    writer.flush()?;
    drop(writer);
    std::fs::rename(&aside, path)?;
    let length = file.metadata()?.len();
    Ok((file, length))
}

fn aside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::super::scenes::{Desk, NOW, options};
    use super::super::service::Sandbox;
    use super::*;

    fn desk(path: &Path) -> Desk {
        Desk { sandbox: Sandbox::open(options(0, ""), path).unwrap(), now_ms: NOW }
    }

    fn append_to(path: &Path, bytes: &[u8]) {
        OpenOptions::new().append(true).open(path).unwrap().write_all(bytes).unwrap();
    }

    const CALLS: &str = "/v2/conversations/124/phones";

    fn call(text: &str) -> Value {
        json!({"text": text, "customer": {"email": format!("{text}@example.com")}})
    }

    #[test]
    fn the_world_is_kept_and_the_seed_counts_only_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("world");
        let mut first = desk(&path);
        assert_eq!(first.send("POST", CALLS, &call("one")).status, 201);
        let world = first.sandbox.world().clone();
        drop(first);
        assert_eq!(*desk(&path).sandbox.world(), world);
        assert_eq!(*desk(&path).sandbox.world(), world, "compacted, it is the same");
    }

    #[test]
    fn a_request_is_on_disk_before_it_is_answered() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("world");
        let mut desk = desk(&path);
        let lines = || std::fs::read_to_string(&path).unwrap().lines().count();
        let before = lines();
        desk.send("POST", CALLS, &call("one"));
        assert_eq!(lines(), before + 1, "one line a request, though it made a customer too");
        desk.send("POST", CALLS, &json!({}));
        desk.get("/v2/users/me");
        assert_eq!(lines(), before + 1, "what changes nothing writes nothing");
    }

    #[test]
    fn a_torn_last_line_is_left_out_and_other_damage_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("world");
        let world = desk(&path).sandbox.world().clone();
        append_to(&path, b"[{\"locked\":{\"id\":12");
        assert_eq!(*desk(&path).sandbox.world(), world);
        append_to(&path, b"[{\"locked\":{\"id\":999}}]\n");
        let error = Sandbox::open(options(0, ""), &path).unwrap_err().to_string();
        let line = std::fs::read_to_string(&path).unwrap().lines().count();
        assert!(error.contains(&format!("world, line {line}: damaged")), "{error}");
        append_to(&path, b"x\n");
        assert!(Sandbox::open(options(0, ""), &path).is_err());
    }

    #[test]
    fn another_file_or_version_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("world");
        for (text, words) in [
            ("hello\n", "not a file of"),
            ("{\"callport_sandbox\":2}\n", "version `2`"),
            ("", "not a file of"),
        ] {
            File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
            let error = Sandbox::open(options(0, ""), &path).unwrap_err().to_string();
            assert!(error.contains("line 1") && error.contains(words), "{error}");
        }
    }

    #[test]
    fn two_sandboxes_do_not_share_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("world");
        let _first = desk(&path);
        let error = Sandbox::open(options(0, ""), &path).unwrap_err().to_string();
        assert!(error.contains("another sandbox"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_may_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("world");
        drop(desk(&path));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    /// Some request of each kind that changes something.
    fn act(desk: &mut Desk, (kind, id): (u8, u64)) {
        let id = 122 + id;
        let own = format!("/v2/conversations/{id}");
        let none = Value::Null;
        match kind {
            0 => drop(desk.send("POST", &format!("{own}/phones"), &call(&format!("c{id}")))),
            1 => drop(desk.send("POST", &format!("{own}/notes"), &json!({"text": "a\n\"b\" \u{1f4de}"}))),
            2 => drop(desk.send("DELETE", &own, &none)),
            3 => drop(desk.send("PUT", &format!("{own}/tags"), &json!({"tags": ["x", "y"]}))),
            4 => drop(desk.send(
                "PATCH",
                &own,
                &json!({"op": "replace", "path": "/status", "value": "closed"}),
            )),
            5 => {
                let thread = json!({"type": "phone", "text": "t", "customer": {"id": 456}});
                let body = json!({"subject": "s", "type": "phone", "status": "active", "mailboxId": "85",
                    "customer": {"email": format!("n{id}@example.com")}, "threads": [thread, thread]});
                drop(desk.send("POST", "/v2/conversations", &body));
            }
            6 => drop(desk.send("POST", "/v2/customers", &json!({"phone": "+15550103", "age": 5}))),
            _ => {
                let newest = desk.sandbox.world().customers().next_back().map_or(0, |one| one.id);
                drop(desk.send("DELETE", &format!("/v2/customers/{newest}"), &none));
            }
        }
        desk.now_ms += 7;
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn replayed_the_world_is_the_same(acts in prop::collection::vec((0u8..8, 0u64..6), 0..40)) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("world");
            let mut first = desk(&path);
            for step in acts {
                act(&mut first, step);
            }
            let world = first.sandbox.world().clone();
            drop(first);
            let mut second = desk(&path);
            prop_assert_eq!(second.sandbox.world(), &world);
            act(&mut second, (5, 1));
            let world = second.sandbox.world().clone();
            drop(second);
            let third = desk(&path);
            prop_assert_eq!(third.sandbox.world(), &world);
        }
    }
}
