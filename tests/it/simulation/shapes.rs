//! Groups and conversations of every size, on a service without misfortunes.

use std::collections::BTreeMap;

use callport::{import::ConversationSettings, sandbox::RequestKind};

use super::{
    trial::{EXISTING, Setup, Trial},
    workload::{Who, Workload},
};

fn work(add: impl FnOnce(&mut Workload)) -> Workload {
    let mut workload = Workload::default();
    add(&mut workload);
    workload
}

/// How many threads requests stored in each conversation, in order of ids.
fn stored(trial: &Trial) -> Vec<usize> {
    let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
    for thread in trial.sandbox().accepted_threads() {
        *counts.entry(thread.conversation).or_default() += 1;
    }
    counts.into_values().collect()
}

#[test]
fn a_new_group_takes_one_request_for_every_hundred_calls() {
    for count in [1, 98, 99, 100, 101, 250, 1000] {
        let workload = work(|work| {
            work.add(count, &Who::Id(1001), None).shuffle(7);
        });
        let mut trial = Trial::new(Setup::default(), workload);
        let life = trial.run();
        assert_eq!(life.done().sheet.imported, count as u64);
        assert_eq!(trial.tally().writes, count.div_ceil(100) as u64, "{count} calls");
        assert_eq!(life.told.landed(), count as u64);
        let parts = stored(&trial);
        assert!(parts[..parts.len() - 1].iter().all(|part| *part == 100), "{parts:?}");
    }
}

#[test]
fn an_existing_conversation_is_filled_to_99_and_goes_on_in_new_ones() {
    // Conversation, its threads, calls: appends, creates.
    for (into, count, appends, creates) in [
        (201, 1, 1, 0),
        (201, 2, 2, 0),
        (201, 3, 2, 1),
        (201, 150, 2, 2),
        (202, 1, 1, 0),
        (202, 101, 1, 1),
        (203, 1, 0, 1),
        (203, 100, 0, 1),
        (203, 101, 0, 2),
        (206, 200, 99, 2),
    ] {
        let workload = work(|work| {
            work.add(count, &Who::Id(1002), Some(into)).shuffle(7);
        });
        let mut trial = Trial::new(Setup::default(), workload);
        trial.run().done();
        let (appended, created) = (trial.count(RequestKind::Append), trial.count(RequestKind::Create));
        assert_eq!((appended, created), (appends, creates), "{count} calls into {into}");
        assert_eq!(trial.tally().writes, appends + creates);
        // One look at the conversation's threads; the first append and the first create are read back, 25 a page.
        let there = u64::from(EXISTING.iter().find(|(id, _)| *id == into).unwrap().1);
        let first_create = (count as u64 - appends).min(100);
        let read_back = if appends > 0 { (there + 1).div_ceil(25) } else { 0 } + first_create.div_ceil(25);
        assert_eq!(trial.count(RequestKind::Threads), 1 + read_back, "{count} calls into {into}");
    }
}

#[test]
fn many_groups_of_all_sizes_take_the_optimal_number_of_requests() {
    let workload = work(|work| {
        let groups = [1_usize, 2, 98, 99, 100, 101, 199, 200, 201, 250];
        for (customer, count) in (1001..).zip(groups) {
            work.add(count, &Who::Id(customer), None);
        }
        work.add(5, &Who::Id(1015), Some(201)).add(5, &Who::Id(1015), Some(202)).add(
            5,
            &Who::Id(1015),
            Some(203),
        );
        work.shuffle(11);
    });
    let mut trial = Trial::new(Setup { workers: Some(16), ..Setup::default() }, workload);
    trial.run().done();
    assert_eq!(trial.count(RequestKind::Create), 1 + 1 + 1 + 1 + 1 + 2 + 2 + 2 + 3 + 3 + 3);
    assert_eq!(trial.count(RequestKind::Append), 2 + 1);
    assert_eq!(trial.tally().writes, 20 + 3);
}

#[test]
fn the_same_file_again_takes_no_write_request() {
    let workload = work(|work| {
        work.add(130, &Who::Id(1001), None)
            .add(20, &Who::Id(1002), Some(204))
            .add(10, &Who::Email("new@example.com".into()), None)
            .add(10, &Who::Phone("+15550101".into()), None);
        for call in work.calls.iter_mut().step_by(3) {
            call.has_id = false;
        }
    });
    let mut trial = Trial::new(Setup::default(), workload);
    trial.run().done();
    let writes = trial.tally().writes;
    for seed in 0..3 {
        trial.workload.shuffle(seed);
        let sheet = trial.run().done().sheet.clone();
        assert_eq!((sheet.already_imported, sheet.imported, sheet.changed), (170, 0, 0));
        assert_eq!(trial.tally().writes, writes);
    }
}

#[test]
fn fifty_new_rows_in_a_shuffled_file_make_fifty_threads() {
    let workload = work(|work| {
        work.add(130, &Who::Id(1001), None).add(20, &Who::Id(1002), Some(204)).add(60, &Who::Id(1003), None);
    });
    let mut trial = Trial::new(Setup::default(), workload);
    trial.run().done();
    trial.workload.add(20, &Who::Id(1001), None).add(10, &Who::Id(1002), Some(204));
    trial.workload.add(10, &Who::Id(1003), None).add(10, &Who::Id(1004), None).shuffle(3);
    let sheet = trial.run().done().sheet.clone();
    assert_eq!((sheet.imported, sheet.already_imported), (50, 210));
    assert_eq!(sheet.threads_created, 50);
    assert_eq!(trial.sandbox().accepted_threads().len(), 260);
    // The last part of each group goes on: 20 + 10 + 10 appends, and the one new group.
    assert_eq!(trial.count(RequestKind::Append), 20 + 20 + 10 + 10);
}

#[test]
fn forty_calls_into_closed_conversations_reopen_none() {
    let workload = work(|work| {
        for into in [201, 202, 203, 204, 205, 206, 207, 204] {
            work.add(5, &Who::Id(1001), Some(into));
        }
    });
    let mut trial = Trial::new(Setup::default(), workload);
    assert_eq!(trial.run().done().sheet.imported, 40);
    assert!(trial.sandbox().world().conversations().all(|conversation| conversation.reopened == 0));
}

#[test]
fn without_packing_a_group_is_made_by_one_request_and_filled_by_appends() {
    let conversation = ConversationSettings { pack: false, ..ConversationSettings::default() };
    let workload = work(|work| {
        work.add(120, &Who::Id(1001), None);
    });
    let mut trial = Trial::new(Setup { conversation, ..Setup::default() }, workload);
    trial.run().done();
    assert_eq!((trial.count(RequestKind::Create), trial.count(RequestKind::Append)), (2, 118));
}

#[test]
fn calls_without_an_id_that_are_alike_are_told_apart_by_their_number() {
    let mut workload = work(|work| {
        work.add(6, &Who::Id(1001), None);
    });
    for call in &mut workload.calls {
        call.has_id = false;
        // Twins that come later go last: among calls of one second that is in order of time.
        call.started = 1_600_000_000;
    }
    let twins: Vec<_> = workload.calls.iter().take(3).cloned().collect();
    let mut trial = Trial::new(Setup::default(), workload);
    trial.run().done();
    // The same row a second time is a second call: another text, so that the invariants can tell.
    for (number, mut twin) in twins.into_iter().enumerate() {
        twin.token += 3600 * (number + 1);
        trial.workload.calls.push(twin);
    }
    let sheet = trial.run().done().sheet.clone();
    assert_eq!((sheet.imported, sheet.already_imported), (3, 6));
}

#[test]
fn a_limit_is_kept_to_its_share_minute_by_minute() {
    for (rate, share) in [(120, 0.5), (400, 0.8), (1000, 1.0)] {
        let workload = work(|work| {
            for into in [201, 204, 205, 206, 207] {
                work.add(60, &Who::Id(1001), Some(into));
            }
        });
        let setup = Setup { rate, share, workers: None, ..Setup::default() };
        let mut trial = Trial::new(setup, workload);
        let sheet = trial.run().done().sheet.clone();
        assert_eq!((sheet.imported, sheet.throttled), (300, 0));
    }
}
