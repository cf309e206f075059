//! The program ends in mid-run: asked to, or without a word. The next life goes on and nothing is lost or doubled.

use std::time::Duration;

use callport::{
    checkpoint::{CheckpointError, CommitMoment},
    import::ImportError,
    sandbox::RequestKind,
};
use tokio_util::sync::CancellationToken;

use super::{
    fate::{Disk, Failure, Fate},
    in_process::Ending,
    invariants,
    trial::{Setup, Trial},
    workload::{Who, Workload},
};

fn workload() -> Workload {
    let mut workload = Workload::default();
    workload.add(30, &Who::Id(1001), Some(204)).add(130, &Who::Id(1002), None);
    workload.add(10, &Who::Email("new@example.com".into()), None).add(
        5,
        &Who::Phone("+15550101".into()),
        None,
    );
    workload
}

#[test]
fn asked_to_stop_it_finishes_what_is_in_flight_and_the_next_run_the_rest() {
    for millis in [100, 300, 1_000, 2_500, 4_000] {
        let mut trial = Trial::new(Setup::default(), workload());
        let life = trial.run_until_asked(Duration::from_millis(millis));
        invariants::check(&trial, &life);
        let sheet = &life.ended().sheet;
        if life.ended().halted.is_some() {
            assert!(matches!(life.halted(), ImportError::Stopped), "{:?}", life.halted());
            assert!(sheet.pending > 0, "{sheet:?}");
        }
        // Nothing is left in doubt: no answer was lost.
        assert_eq!(sheet.undecided, 0);
        let before = trial.sandbox().accepted_threads().len() as u64;
        assert_eq!(sheet.imported, before, "after {millis} ms");
        let sheet = trial.run().done().sheet.clone();
        assert_eq!((sheet.imported, sheet.already_imported), (175 - before, before));
    }
}

#[test]
fn asked_to_stop_while_rows_are_read_it_stages_and_sends_nothing() {
    let mut trial = Trial::new(Setup::default(), workload());
    let life = trial.run_until_asked(Duration::ZERO);
    assert!(matches!(life.outcome, Some(Err(ImportError::Stopped))), "{:?}", life.outcome);
    assert_eq!(trial.tally().requests, 0);
    assert_eq!(trial.run().done().sheet.imported, 175);
}

#[test]
fn a_crash_at_every_event_loses_nothing_and_doubles_nothing() {
    let mut workload = Workload::default();
    workload.add(4, &Who::Id(1001), Some(204)).add(3, &Who::Id(1002), None);
    workload.add(2, &Who::Phone("+15550101".into()), None).add(
        2,
        &Who::Email("new@example.com".into()),
        None,
    );
    // Two events a request; a few more than there are.
    for event in 1..=50 {
        let setup = Setup { seed: event, workers: Some(2), ..Setup::default() };
        let mut trial = Trial::new(setup, workload.clone());
        trial.run_through(&[Ending::AtEvent(event)]);
        assert_eq!(trial.sandbox().accepted_threads().len(), 11, "event {event}");
    }
}

#[test]
fn crash_after_crash_comes_to_an_end() {
    for seed in 0..4 {
        let mut trial = Trial::new(Setup { seed, ..Setup::default() }, workload());
        let endings: Vec<Ending> = (0..8).map(|life| Ending::AtEvent(5 + 7 * life)).collect();
        trial.run_through(&endings);
        assert_eq!(trial.sandbox().accepted_threads().len(), 175);
    }
}

#[test]
fn what_crashed_before_it_left_is_proved_absent_and_sent() {
    let mut workload = Workload::default();
    workload.add(1, &Who::Id(1001), Some(204));
    // The token, the owner, the inboxes, earlier imports, the thread count, the status before the first append: twelve
    // events. The next is the append, its intent on disk.
    let mut trial = Trial::new(Setup::default(), workload);
    let life = trial.live(Ending::AtEvent(13), CancellationToken::new());
    assert!(life.outcome.is_none());
    assert_eq!(trial.status().calls["sending"], 1);
    let life = trial.run();
    assert_eq!(life.done().sheet.imported, 1);
    assert_eq!(trial.sandbox().accepted_threads().len(), 1);
    assert!(trial.count(RequestKind::Append) <= 2);
}

#[test]
fn a_second_run_after_the_end_asks_nothing() {
    let mut trial = Trial::new(Setup::default(), workload());
    trial.run().done();
    let requests = trial.tally().requests;
    trial.run().done();
    assert_eq!(trial.tally().requests, requests);
}

#[test]
fn a_crash_at_every_commit_loses_nothing_and_doubles_nothing() {
    let mut workload = Workload::default();
    workload.add(4, &Who::Id(1001), Some(204)).add(3, &Who::Id(1002), None);
    workload.add(2, &Who::Phone("+15550101".into()), None);
    for at in 1..=40 {
        for moment in [CommitMoment::Before, CommitMoment::After] {
            let setup = Setup { seed: at, workers: Some(2), ..Setup::default() };
            let mut trial = Trial::new(setup, workload.clone());
            trial.run_through(&[Ending::AtCommit(at, moment)]);
            assert_eq!(trial.sandbox().accepted_threads().len(), 9, "commit {at}, {moment:?}");
        }
    }
}

#[test]
fn a_disk_that_fails_in_mid_run_ends_it_and_the_next_run_goes_on() {
    for how in [Failure::Full, Failure::ReadOnly, Failure::Broken] {
        for (from, at) in [(1, CommitMoment::Before), (9, CommitMoment::Before), (14, CommitMoment::After)] {
            let mut trial = Trial::new(Setup::default(), workload());
            let disk = Disk::Fails { from, commits: u64::MAX, at, how };
            let life = trial.run_with(Fate { disk, ..Fate::default() });
            let error = match &life.outcome {
                Some(Ok(imported)) => imported.halted.as_ref().expect("it ended early"),
                Some(Err(error)) => error,
                None => panic!("it came to its end"),
            };
            assert!(matches!(error, ImportError::Checkpoint(error) if error.is_passing()), "{error:?}");
            trial.run().done();
            assert_eq!(trial.sandbox().accepted_threads().len(), 175);
        }
    }
}

#[test]
fn a_disk_that_is_full_for_any_file_size_costs_nothing_but_a_run() {
    let mut before_all_landed = 0;
    for pages in 0..60 {
        let mut trial = Trial::new(Setup { seed: pages.into(), ..Setup::default() }, workload());
        let life = trial.run_with(Fate { disk: Disk::Bounded(pages), ..Fate::default() });
        let error = match &life.outcome {
            Some(Ok(imported)) => imported.halted.clone(),
            Some(Err(error)) => Some(error.clone()),
            None => panic!("it came to its end"),
        };
        if let Some(error) = error {
            before_all_landed += 1;
            assert!(matches!(error, ImportError::Checkpoint(CheckpointError::DiskFull)), "{error:?}");
        }
        trial.run().done();
        assert_eq!(trial.sandbox().accepted_threads().len(), 175, "{pages} pages");
    }
    assert!((5..60).contains(&before_all_landed), "{before_all_landed} of 60 sizes were too small");
}

#[test]
fn a_clock_that_jumps_between_two_lives_doubles_nothing() {
    let faults = "[service]\nindex_lag = \"40s\"".to_owned();
    for ahead in [-3 * 86_400, -3_600, -40, 40, 3_600, 3 * 86_400] {
        for event in [3, 11, 17, 23] {
            let mut trial = Trial::new(Setup { faults: faults.clone(), ..Setup::default() }, workload());
            trial.run_with(Ending::AtEvent(event));
            let life = trial.run_with(Fate { clock_ahead: ahead, ..Fate::default() });
            assert_eq!(life.done().sheet.undecided, 0);
            assert_eq!(trial.sandbox().accepted_threads().len(), 175, "{ahead} s, event {event}");
        }
    }
}
