//! How the process ends: by a signal, twice asked, amid settling; and a checkpoint that moves house in between.

use super::{GO_ON, SETTLE, Work, served};
use crate::{
    call_log::{CallLog, seed},
    desk::{Desk, Ended, Running},
    served::Served,
};

#[cfg(unix)]
#[test]
fn a_service_managers_wish_to_end_is_met_in_good_order() {
    let served = Served::with_seed(&seed(3, 2), &["--latency", "40"]);
    let work = Work::of(&CallLog::into_existing(60, 3));
    let before = served.changes();
    let mut running = Running::of(&mut work.command(served.address()));
    assert!(served.wait_for_changes(before + 6, &mut running));
    running.signal("-TERM");
    let sheet = running.end().with(4).saying(GO_ON).json();
    assert_eq!(sheet["undecided"], 0, "what was in flight is finished");
    assert_eq!(served.references().len() as u64, sheet["imported"].as_u64().unwrap());
    work.finishes(&served);
}

#[cfg(unix)]
#[test]
fn ctrl_c_twice_leaves_at_once_and_the_next_run_finds_out_what_was_in_flight() {
    use super::peer::{Deed, Peer};

    let served = Served::with_seed(&seed(3, 2), &[]);
    let work = Work::of(&CallLog::into_existing(12, 3));
    // Whoever waits for an answer that never comes would wait for a minute.
    let peer = Peer::before(&served, "append", 1, Deed::Silence);
    let running = Running::of(&mut work.command(peer.address()));
    let mut running = running;
    while peer.struck() == 0 {
        assert!(running.is_running());
        std::thread::yield_now();
    }
    running.interrupt();
    running.waits_to_say("again: leave at once");
    running.interrupt();
    let ended = running.end().with(4);
    assert_eq!(ended.out, "", "it told nothing more");
    work.finishes_at(peer.address(), &served);
}

/// Kills a run while it looks for a request that suffered `deed`.
fn killed_while_settling(step: &str, deed: &str) {
    let script = format!("[[fault]]\non = \"{step}\"\nat = [2]\ndo = \"{deed}\"");
    let (served, work) = (served(&script), Work::new());
    let mut command = work.command(served.address());
    let mut running = Running::of(command.args(["--set", "limits.settle=1h"]));
    running.waits_to_say("was lost");
    assert!(running.is_running(), "{step} {deed}");
    running.kill();
    work.finishes(&served);
}

#[test]
fn a_kill_while_a_lost_append_is_looked_for_loses_nothing_and_doubles_nothing() {
    killed_while_settling("append", "drop_after");
    killed_while_settling("append", "drop_before");
}

#[test]
fn a_kill_while_a_lost_create_is_looked_for_loses_nothing_and_doubles_nothing() {
    killed_while_settling("create", "drop_after");
    killed_while_settling("create", "drop_before");
}

#[test]
fn a_kill_while_a_lost_customer_is_looked_for_loses_nothing_and_doubles_nothing() {
    killed_while_settling("customer", "drop_after");
    killed_while_settling("customer", "drop_before");
}

#[test]
fn a_stopped_checkpoint_goes_on_in_another_folder() {
    let served = Served::with_seed(&seed(3, 2), &["--latency", "20"]);
    let log = CallLog::into_existing(90, 3);
    let work = Work::of(&log);
    let before = served.changes();
    let mut running = Running::of(&mut work.command(served.address()));
    assert!(served.wait_for_changes(before + 9, &mut running));
    running.kill();

    // Another machine: another folder, and its own copy of the input.
    let elsewhere = Desk::new();
    elsewhere.write("calls.csv", log.csv());
    for name in work.desk.files().iter().filter(|name| name.starts_with("callport.checkpoint")) {
        std::fs::rename(work.desk.path(name), elsewhere.path(name)).unwrap();
    }
    let sheet = elsewhere.import(&served, &["calls.csv", "--json", SETTLE[0], SETTLE[1]]).with(0).json();
    assert!(sheet["already_imported"].as_u64().unwrap() > 0, "{sheet}");
    assert_eq!(served.references(), work.references);
}

#[test]
fn a_service_that_falls_and_rises_between_two_runs_is_gone_on_with() {
    let mut served = Served::with_seed(&seed(3, 2), &["--latency", "20"]);
    let door = crate::door::Door::to(served.address());
    let work = Work::of(&CallLog::into_existing(60, 3));
    let begin = served.changes();
    let mut running = Running::of(work.command(door.address()).args(["--set", "limits.give_up=1s"]));
    assert!(served.wait_for_changes(begin + 6, &mut running));
    served.fall();
    running.end().with(4).saying("no success for");
    Ended::of(work.command(door.address()).args(["--set", "limits.give_up=1s"]))
        .with(4)
        .saying("no success for");
    let served = served.rise();
    door.lead_to(served.address());
    work.finishes_at(door.address(), &served);
}
