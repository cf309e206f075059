//! What the program may not do, and what others do to its files meanwhile.
//!
//! The rights of files bind nobody who is root: there the program runs as `nobody`, by `setpriv`; where that cannot be
//! done, the test says so and ends.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    process::{Command, Stdio},
};

use super::{Work, disk::wrapped, served};
use crate::{
    call_log::{CallLog, seed},
    desk::{Ended, Running},
    served::Served,
};

const NOBODY: [&str; 6] =
    ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--"];

/// The command for somebody whom rights bind, and to whom the desk belongs; `None` where nobody can be found.
fn bound(work: &Work, command: Command) -> Option<Command> {
    let is_bound = !Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    if is_bound {
        return Some(command);
    }
    let own = Command::new("chown").args(["-R", "65534:65534"]).arg(work.desk.path("")).status();
    let mut probe = wrapped(work, &NOBODY, &work.desk.command(&["--version"]));
    let path = std::env::var_os("PATH").unwrap_or_default();
    if !own.is_ok_and(|status| status.success())
        || !probe.env("PATH", &path).output().is_ok_and(|output| output.status.success())
    {
        println!(
            "skipped: rights do not bind root, and `setpriv` to somebody else does not work on this machine"
        );
        return None;
    }
    let mut outer = wrapped(work, &NOBODY, &command);
    outer.env("PATH", path);
    Some(outer)
}

fn set_mode(work: &Work, name: &str, mode: u32) {
    fs::set_permissions(work.desk.path(name), Permissions::from_mode(mode)).unwrap();
}

/// A run that was killed with most of its calls still to send.
fn begun() -> (Served, Work) {
    let served = Served::with_seed(&seed(3, 2), &["--latency", "20"]);
    let work = Work::of(&CallLog::into_existing(60, 3));
    let before = served.changes();
    let mut running = Running::of(&mut work.command(served.address()));
    assert!(served.wait_for_changes(before + 6, &mut running));
    running.kill();
    (served, work)
}

#[test]
fn a_checkpoint_that_may_not_be_written_is_refused_and_nothing_is_sent() {
    let (served, work) = begun();
    let Some(mut command) = bound(&work, work.command(served.address())) else { return };
    set_mode(&work, "callport.checkpoint", 0o400);
    let before = served.changes();
    Ended::of(&mut command).with(2).saying("callport.checkpoint").saying("may be written");
    assert_eq!(served.changes(), before);
    set_mode(&work, "callport.checkpoint", 0o600);
    Ended::of(&mut command).with(0);
    assert_eq!(served.references(), work.references);
}

#[test]
fn a_folder_that_may_not_be_written_is_refused_and_nothing_is_sent() {
    let (served, work) = (served(""), Work::new());
    let Some(mut command) = bound(&work, work.command(served.address())) else { return };
    set_mode(&work, "", 0o500);
    Ended::of(&mut command).with(2).saying("callport.checkpoint").saying("may be written");
    assert_eq!(served.references().len(), 0);
    set_mode(&work, "", 0o700);
    Ended::of(&mut command).with(0);
    assert_eq!(served.references(), work.references);
}

#[test]
fn rejected_rows_that_may_not_be_written_end_with_four_and_are_written_by_the_next_run() {
    let (served, work) = (served(""), Work::of(&CallLog::of(3, 1)));
    work.desk.write("calls.csv", CallLog::of(3, 1).csv() + "x,never,1,inbound,,,jo@example.com,,\n");
    work.desk.write("closed/keep", "");
    let mut command = work.command(served.address());
    command.args(["--rejects", "closed/rejects.csv"]);
    let Some(mut command) = bound(&work, command) else { return };
    set_mode(&work, "closed", 0o500);
    let ended = Ended::of(&mut command).with(4).saying("`closed/rejects.csv`").saying("may be written");
    assert_eq!(ended.json()["imported"], 3, "what landed is told");
    set_mode(&work, "closed", 0o700);
    Ended::of(&mut command).with(0);
    assert!(work.desk.read("closed/rejects.csv").contains("never"));
    assert_eq!(served.references(), work.references);
}

#[test]
fn a_checkpoint_removed_in_mid_run_is_written_back_and_nothing_is_doubled() {
    let served = Served::with_seed(&seed(3, 2), &["--latency", "20"]);
    let work = Work::of(&CallLog::into_existing(60, 3));
    let before = served.changes();
    let mut running = Running::of(&mut work.command(served.address()));
    assert!(served.wait_for_changes(before + 6, &mut running));
    fs::remove_file(work.desk.path("callport.checkpoint")).unwrap();
    let sheet = running.end().with(0).json();
    assert!(
        sheet["warnings"].to_string().contains("was removed during the run and is written back"),
        "{sheet}"
    );
    let changes = served.changes();
    work.finishes(&served);
    assert_eq!(served.changes(), changes, "nothing is sent again");
}

#[test]
fn a_folder_in_the_place_of_the_checkpoint_is_refused_by_name() {
    let (served, work) = begun();
    fs::rename(work.desk.path("callport.checkpoint"), work.desk.path("kept")).unwrap();
    fs::create_dir(work.desk.path("callport.checkpoint")).unwrap();
    let before = served.changes();
    work.import(served.address()).with(2).saying("`callport.checkpoint`").saying("directory");
    assert_eq!(served.changes(), before);
    fs::remove_dir(work.desk.path("callport.checkpoint")).unwrap();
    fs::rename(work.desk.path("kept"), work.desk.path("callport.checkpoint")).unwrap();
    work.finishes(&served);
}

#[test]
fn closed_and_full_outputs_change_nothing_of_what_is_imported() {
    for (redirection, code) in [(">&- 2>&-", 0), (">&-", 0), (">/dev/full", 1), ("2>/dev/full", 0)] {
        let (served, work) = (served(""), Work::new());
        let script = format!("exec \"$@\" {redirection}");
        let mut command = wrapped(&work, &["/bin/sh", "-c", &script, "sh"], &work.command(served.address()));
        Ended::of(&mut command).with(code);
        assert_eq!(served.references(), work.references, "{redirection}");
        let changes = served.changes();
        work.finishes(&served);
        assert_eq!(served.changes(), changes, "{redirection}: nothing is sent again");
    }
}

#[test]
fn a_reader_that_goes_away_stops_no_import() {
    let (served, work) = (served(""), Work::new());
    let mut child =
        work.command(served.address()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(served.references(), work.references);
}
