//! Where calls go that may be added to a conversation or go on in a new one: `conversation.when_appending`.

use std::time::Duration;

use callport::{
    checkpoint::CommitMoment,
    import::{ConversationSettings, ImportError, WhenFull},
    plan::WhenAppending,
    sandbox::RequestKind,
};
use tokio_util::sync::CancellationToken;

use super::{
    in_process::Ending,
    invariants,
    trial::{Setup, Trial},
    workload::{Who, Workload},
};

fn trial(conversation: ConversationSettings, add: impl FnOnce(&mut Workload)) -> Trial {
    let mut workload = Workload::default();
    add(&mut workload);
    Trial::new(Setup { conversation, ..Setup::default() }, workload)
}

fn cheap() -> ConversationSettings {
    ConversationSettings { when_appending: WhenAppending::Cheap, ..ConversationSettings::default() }
}

/// Appends, creates and thread lists so far.
fn counts(trial: &Trial) -> (u64, u64, u64) {
    let count = |kind| trial.count(kind);
    (count(RequestKind::Append), count(RequestKind::Create), count(RequestKind::Threads))
}

/// The subjects and threads of what we made for a customer, in order.
fn made_for(trial: &Trial, customer: u64) -> Vec<(String, usize)> {
    let sandbox = trial.sandbox();
    let all = sandbox.world().conversations().filter(|one| one.imported && one.customer == customer);
    all.map(|one| (one.subject.to_string(), one.threads.len())).collect()
}

#[test]
fn a_delta_of_forty_onto_sixty_is_one_create_where_cheap_and_forty_requests_where_filled() {
    let after = |conversation: ConversationSettings| {
        let mut trial = trial(conversation, |work| {
            work.add(60, &Who::Id(1001), None);
        });
        trial.run().done();
        let (appends, creates, lists) = counts(&trial);
        trial.workload.add(40, &Who::Id(1001), None);
        trial.run().done();
        let (more_appends, more_creates, more_lists) = counts(&trial);
        let more = (more_appends - appends, more_creates - creates, more_lists - lists);
        (more, made_for(&trial, 1001))
    };
    let calls = |parts: &[usize]| -> Vec<(String, usize)> {
        let subject = |part| if part == 0 { "Calls".to_owned() } else { format!("Calls ({})", part + 1) };
        parts.iter().enumerate().map(|(part, threads)| (subject(part), *threads)).collect()
    };
    // One look at what it holds, and three pages to read the first append back.
    assert_eq!(after(ConversationSettings::default()), ((39, 1, 1 + 3), calls(&[99, 1])));
    assert_eq!(after(cheap()), ((0, 1, 0), calls(&[60, 40])));
}

#[test]
fn a_single_call_keeps_the_history_together_and_a_later_run_goes_on_in_the_newest() {
    let mut trial = trial(cheap(), |work| {
        work.add(60, &Who::Id(1001), None);
    });
    for (more, parts) in
        [(0, vec![60]), (1, vec![61]), (3, vec![61, 3]), (1, vec![61, 4]), (98, vec![61, 4, 98])]
    {
        trial.workload.add(more, &Who::Id(1001), None);
        trial.run().done();
        let threads: Vec<usize> = made_for(&trial, 1001).into_iter().map(|(_, threads)| threads).collect();
        assert_eq!(threads, parts, "{more} more");
    }
}

#[test]
fn a_conversation_that_rows_name_lends_inbox_and_subject_to_the_new_one() {
    for (into, count) in [(204, 40), (207, 2), (206, 250)] {
        let mut trial = trial(cheap(), |work| {
            work.add(count, &Who::Id(1001), Some(into));
        });
        trial.run().done();
        assert_eq!(trial.count(RequestKind::Append), 0, "{into}");
        let parts = made_for(&trial, 1001);
        assert_eq!(parts.len(), count.div_ceil(100), "{into}: {parts:?}");
        assert_eq!(parts[0].0, "Old calls (2)");
        // Who and where one is; once what it is called; and what was made, to prove it.
        assert_eq!(trial.count(RequestKind::Read), 2 + 1 + 1);
    }
}

#[test]
fn where_a_full_conversation_rejects_nothing_goes_on_elsewhere() {
    let mut trial = trial(ConversationSettings { when_full: WhenFull::Reject, ..cheap() }, |work| {
        work.add(10, &Who::Id(1001), Some(204)).add(5, &Who::Id(1001), Some(201));
    });
    let sheet = trial.run().done().sheet.clone();
    assert_eq!((sheet.imported, sheet.rejected), (10 + 2, 3));
    assert_eq!(counts(&trial).1, 0);
}

/// Texts so long that sixty or so calls fill a create.
fn long(workload: &mut Workload) {
    workload.padding = 2_700;
}

#[test]
fn what_the_bytes_of_a_create_leave_goes_into_another_create() {
    let parts = |conversation: ConversationSettings| {
        let mut trial = trial(conversation, |work| {
            long(work.add(100, &Who::Id(1001), None));
        });
        let (predicted, sheet) = (trial.predicted(), trial.run().done().sheet.clone());
        assert_eq!(
            (predicted.cost.requests, predicted.conversations),
            (sheet.requests, sheet.conversations_created)
        );
        let threads: Vec<usize> = made_for(&trial, 1001).into_iter().map(|(_, threads)| threads).collect();
        (threads, trial.tally().writes)
    };
    let (apart, writes) = parts(cheap());
    let first = apart[0];
    assert!((40..90).contains(&first), "{apart:?}");
    assert_eq!((apart, writes), (vec![first, 100 - first], 2));
    assert_eq!(parts(ConversationSettings::default()), (vec![99, 1], 1 + (99 - first as u64) + 1));
}

#[test]
fn a_call_that_a_lost_checkpoint_added_is_noticed_before_its_row_goes_into_a_new_conversation() {
    let mut trial = trial(cheap(), |work| {
        work.add(1, &Who::Id(1001), Some(204));
    });
    trial.run().done();
    assert_eq!(counts(&trial).0, 1, "a single call is added");
    trial.lose_checkpoint();
    trial.workload.add(5, &Who::Id(1001), Some(204));
    let life = trial.live(Ending::Own, CancellationToken::new());
    assert!(matches!(life.halted(), ImportError::Contradicted(_)), "{:?}", life.halted());
    assert_eq!(trial.live_threads(), 1, "nothing is there twice");
}

#[test]
fn lost_answers_and_kills_lose_and_double_nothing() {
    for seed in 0..60 {
        let mut chance = fastrand::Rng::with_seed(seed);
        let mut trial = trial(cheap(), |work| {
            for customer in 1001..1005 {
                work.add(chance.usize(1..70), &Who::Id(customer), None);
            }
            work.add(chance.usize(1..12), &Who::Id(1001), Some(204)).add(3, &Who::Id(1001), Some(201));
        });
        (trial.setup.seed, trial.setup.way.seed) = (seed, seed);
        let lag = chance.u64(..40);
        trial = Trial::new(
            Setup {
                faults: format!(
                    "[service]\nindex_lag = \"{lag}s\"\n[[fault]]\non = \"write\"\nrate = 0.08\ndo = \"drop_after\"\n\
                     [[fault]]\non = \"write\"\nrate = 0.05\ndo = \"drop_before\"\n\
                     [[fault]]\non = \"append\"\nat = [{}]\ndo = \"fill\"\nnotes = {}",
                    chance.u64(1..6),
                    chance.u8(1..40),
                ),
                workers: *chance.choice(&[None, Some(1), Some(4)]).unwrap(),
                ..trial.setup.clone()
            },
            trial.workload.clone(),
        );
        for _ in 0..3 {
            let ending = match chance.u8(..3) {
                0 => Ending::AtEvent(chance.u64(4..90)),
                1 => Ending::AtCommit(chance.u64(2..80), CommitMoment::After),
                _ => Ending::After(Duration::from_millis(chance.u64(1..20_000))),
            };
            trial.run_with(ending);
            trial.workload.add(chance.usize(1..5), &Who::Id(chance.u64(1001..1005)), None);
        }
        trial.sandbox().end_misfortunes();
        let last = trial.run();
        invariants::check_last(&trial, &last);
        assert_eq!(last.done().sheet.undecided, 0, "seed {seed}");
    }
}
