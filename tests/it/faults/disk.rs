//! Where the checkpoint lies: files that may not grow, disks that are full.
//!
//! A small disk is a file system in memory that is mounted in a namespace of the test's own; where the machine does not
//! let that be done, the test says so and ends.

use std::process::Command;

use super::{GO_ON, Work, served};
use crate::{
    call_log::{CallLog, seed},
    desk::Ended,
    served::Served,
};

/// A script run by a shell before `command`'s own words, as `"$@"`.
fn in_shell(work: &Work, script: &str, command: &Command) -> Command {
    wrapped(work, &["/bin/sh", "-c", script, "sh"], command)
}

/// `command` behind `words`, with its environment.
pub(super) fn wrapped(work: &Work, words: &[&str], command: &Command) -> Command {
    let mut outer = Command::new(words[0]);
    outer.args(&words[1..]).arg(command.get_program()).args(command.get_args());
    outer.current_dir(work.desk.path("")).env_clear();
    outer.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    outer
}

#[test]
fn a_limit_on_the_size_of_files_reached_while_staging_sends_nothing_and_can_go_on() {
    let (served, work) = (served(""), Work::of(&CallLog::of(3_000, 30)));
    // In blocks of 512 bytes: 200 KiB, where the calls take more.
    let mut limited = in_shell(&work, "ulimit -f 400; exec \"$@\"", &work.command(served.address()));
    Ended::of(&mut limited).with(4).saying("`ulimit -f`").saying(GO_ON);
    assert_eq!(served.references().len(), 0);
    work.finishes(&served);
}

#[test]
fn a_limit_on_the_size_of_files_reached_in_mid_run_ends_with_four_and_can_go_on() {
    let served = Served::with_seed(&seed(3, 2), &[]);
    let work = Work::of(&CallLog::into_existing(290, 3));
    let mut limited = in_shell(&work, "ulimit -f 800; exec \"$@\"", &work.command(served.address()));
    Ended::of(&mut limited).with(4).saying("`ulimit -f`").saying(GO_ON);
    let landed = served.references().len();
    assert!((1..290).contains(&landed), "{landed} landed: the limit was not reached in mid-run");
    work.finishes(&served);
}

#[test]
fn a_check_that_finds_no_space_ends_with_four_and_says_why() {
    let work = Work::of(&CallLog::of(3_000, 30));
    let check = work.desk.command(&["check", "calls.csv"]);
    let limited = Ended::of(&mut in_shell(&work, "ulimit -f 400; exec \"$@\"", &check));
    limited.with(4).saying("`ulimit -f`").saying(GO_ON);
    assert_eq!(work.desk.files(), ["calls.csv"], "nothing is left behind");
    work.desk.run(&["check", "calls.csv"]).with(0);
}

/// Mounts an empty disk of `$SIZE` at `small`, runs a first time, makes space, runs a second time.
const SMALL_DISK: &str = r#"
    mount -t tmpfs -o "size=$SIZE" tmpfs small || exit 99
    "$@" >first.json 2>first.err; echo $? >first.code
    mount -o remount,size=64m small || exit 99
    "$@" >second.json 2>second.err; echo $? >second.code
    mv small/* .
"#;

/// Imports with a checkpoint on a disk of `size`; `false` where no disk can be made.
fn fills(work: &Work, served: &Served, size: &str) -> bool {
    std::fs::create_dir(work.desk.path("small")).unwrap();
    let mut command = work.command(served.address());
    command.args(["--checkpoint", "small/callport.checkpoint"]);
    let namespace = ["unshare", "--mount", "--map-root-user", "/bin/sh", "-c", SMALL_DISK, "sh"];
    let mut outer = wrapped(work, &namespace, &command);
    outer.env("SIZE", size).env("PATH", std::env::var_os("PATH").unwrap_or_default());
    let is_made = outer.output().is_ok_and(|output| output.status.success());
    if !is_made {
        println!(
            "skipped: this machine lets no test mount a disk of its own (`unshare --mount --map-root-user`)"
        );
    }
    is_made
}

fn code(work: &Work, run: &str) -> String {
    let told = format!("{}{}", work.desk.read(&format!("{run}.json")), work.desk.read(&format!("{run}.err")));
    work.desk.read(&format!("{run}.code")).trim().to_owned() + " " + &told
}

/// The first run ended with 4 for want of space, the second with 0.
fn went_on(work: &Work) {
    let (first, second) = (code(work, "first"), code(work, "second"));
    assert!(first.starts_with("4 ") && first.contains("is full") && first.contains("make space"), "{first}");
    assert!(second.starts_with("0 "), "{second}");
}

#[test]
fn a_disk_that_fills_while_staging_sends_nothing_and_can_go_on() {
    let (served, work) = (served(""), Work::of(&CallLog::of(3_000, 30)));
    if fills(&work, &served, "300k") {
        went_on(&work);
        assert_eq!(work.desk.read("first.json"), "", "nothing was begun");
        assert_eq!(served.references(), work.references);
    }
}

#[test]
fn a_disk_that_fills_in_mid_run_ends_with_four_and_can_go_on() {
    let served = Served::with_seed(&seed(3, 2), &[]);
    let work = Work::of(&CallLog::into_existing(290, 3));
    if fills(&work, &served, "600k") {
        went_on(&work);
        let sheet: serde_json::Value = serde_json::from_str(&work.desk.read("second.json")).unwrap();
        let before = sheet["already_imported"].as_u64().unwrap();
        assert!((1..290).contains(&before), "{before} had landed: the disk was not full in mid-run");
        assert_eq!(served.references(), work.references);
    }
}

#[test]
fn rejected_rows_that_find_no_space_end_with_four_and_are_written_by_the_next_run() {
    let (served, work) = (served(""), Work::of(&CallLog::of(3, 1)));
    let bad = "x,never,1,inbound,,,jo@example.com,,\"".to_owned() + &"long ".repeat(60_000) + "\"\n";
    work.desk.write("calls.csv", CallLog::of(3, 1).csv() + &bad);
    let mut limited = in_shell(&work, "ulimit -f 400; exec \"$@\"", &work.command(served.address()));
    let ended = Ended::of(&mut limited).with(4).saying("rejects.csv").saying(GO_ON);
    assert_eq!(ended.json()["imported"], 3, "what landed is told");
    work.import(served.address()).with(0);
    assert!(work.desk.read("rejects.csv").contains("never"));
    assert_eq!(served.references(), work.references);
}
