//! What people do to conversations in mid-run: merge, delete, lock.

use std::time::Duration;

use callport::{
    import::{ConversationSettings, WhenFull, WhenLocked, WhenMissing},
    sandbox::{PersonAct, RequestKind},
};

use super::{
    fate::{Fate, What},
    in_process::Ending,
    trial::{Setup, Trial},
    workload::{Who, Workload},
};

fn into(conversations: &[(u64, usize)]) -> Workload {
    let mut workload = Workload::default();
    for (into, count) in conversations {
        workload.add(*count, &Who::Id(1001), Some(*into));
    }
    workload
}

fn trial(faults: &str, conversation: ConversationSettings, workload: Workload) -> Trial {
    Trial::new(Setup { faults: faults.to_owned(), conversation, ..Setup::default() }, workload)
}

fn threads_of(trial: &Trial, conversation: u64) -> usize {
    trial.sandbox().world().conversation(conversation).unwrap().threads.len()
}

#[test]
fn a_merge_joins_the_queues_of_both_conversations_under_the_survivor() {
    let faults = "[[fault]]\non = \"append\"\nat = [4]\ndo = \"merge\"\ninto = 205";
    let mut trial = trial(faults, ConversationSettings::default(), into(&[(204, 20), (205, 20)]));
    trial.setup.workers = Some(1);
    assert_eq!(trial.run().done().sheet.imported, 40);
    assert_eq!(threads_of(&trial, 205), 40);
}

#[test]
fn a_merge_is_followed_by_two_workers_without_losing_or_doubling_a_call() {
    for seed in 0..10 {
        for at in [1, 3, 8, 25] {
            let faults = format!("[[fault]]\non = \"append\"\nat = [{at}]\ndo = \"merge\"\ninto = 205");
            let mut trial =
                trial(&faults, ConversationSettings::default(), into(&[(204, 15), (205, 15), (206, 5)]));
            trial.setup.seed = seed;
            assert_eq!(trial.run().done().sheet.imported, 35, "seed {seed}, at {at}");
        }
    }
}

#[test]
fn a_chain_of_merges_is_followed_to_its_end() {
    let faults = "[[fault]]\non = \"append\"\nat = [3]\ndo = \"merge\"\ninto = 205\n\
                  [[fault]]\non = \"append\"\nat = [8]\ndo = \"merge\"\ninto = 206\n\
                  [[fault]]\non = \"append\"\nat = [12]\ndo = \"merge\"\ninto = \"new\"";
    for seed in 0..6 {
        let mut trial = trial(faults, ConversationSettings::default(), into(&[(204, 20)]));
        trial.setup.seed = seed;
        assert_eq!(trial.run().done().sheet.imported, 20);
    }
}

#[test]
fn a_merge_into_a_new_conversation_goes_on_there_in_the_next_run_too() {
    let faults = "[[fault]]\non = \"append\"\nat = [3]\ndo = \"merge\"\ninto = \"new\"";
    let mut trial = trial(faults, ConversationSettings::default(), into(&[(204, 10)]));
    trial.run().done();
    trial.workload.add(10, &Who::Id(1001), Some(204));
    assert_eq!(trial.run().done().sheet.imported, 10);
    let survivor = trial.sandbox().world().conversation(204).unwrap().merged.unwrap().into;
    assert_eq!(threads_of(&trial, survivor), 20);
}

#[test]
fn one_of_our_own_parts_may_be_merged_too() {
    for (seed, target) in [(1, "204"), (2, "\"new\""), (3, "205")] {
        let mut workload = Workload::default();
        workload.add(130, &Who::Id(1002), None).add(5, &Who::Id(1001), Some(205));
        let faults = format!("[[fault]]\non = \"append\"\nat = [12]\ndo = \"merge\"\ninto = {target}");
        let mut trial = trial(&faults, ConversationSettings::default(), workload);
        trial.setup.seed = seed;
        trial.run().done();
        trial.workload.add(20, &Who::Id(1002), None);
        assert_eq!(trial.run().done().sheet.imported, 20);
    }
}

#[test]
fn a_lost_append_is_found_in_the_conversation_that_it_was_merged_into() {
    let faults = "[[fault]]\non = \"append\"\nat = [5]\ndo = \"drop_after\"\n\
                  [[fault]]\non = \"threads\"\nat = [3]\ndo = \"merge\"\ninto = 205";
    let mut trial = trial(faults, ConversationSettings::default(), into(&[(204, 12)]));
    trial.setup.workers = Some(1);
    assert_eq!(trial.run().done().sheet.imported, 12);
}

#[test]
fn calls_of_a_deleted_conversation_are_rejected_or_go_into_a_new_one() {
    let faults = "[[fault]]\non = \"append\"\nat = [6]\ndo = \"delete\"";
    let mut rejecting = trial(faults, ConversationSettings::default(), into(&[(204, 20)]));
    let life = rejecting.run();
    assert_eq!((life.done().sheet.imported, life.done().sheet.rejected), (5, 15));
    assert!(life.told.rejected()[0].1.contains("conversation 204 was deleted"));
    let settings = ConversationSettings { when_missing: WhenMissing::New, ..ConversationSettings::default() };
    let mut renewing = trial(faults, settings, into(&[(204, 20)]));
    assert_eq!(renewing.run().done().sheet.imported, 20);
    assert_eq!(renewing.count(RequestKind::Create), 1);
}

#[test]
fn calls_of_a_locked_conversation_go_on_in_a_new_one_or_are_rejected() {
    let faults = "[[fault]]\non = \"append\"\nat = [6]\ndo = \"lock\"";
    let mut going_on = trial(faults, ConversationSettings::default(), into(&[(204, 20)]));
    assert_eq!(going_on.run().done().sheet.imported, 20);
    assert_eq!(going_on.count(RequestKind::Create), 1);
    let settings =
        ConversationSettings { when_locked: WhenLocked::Reject, ..ConversationSettings::default() };
    let mut rejecting = trial(faults, settings, into(&[(204, 20)]));
    let life = rejecting.run();
    assert_eq!((life.done().sheet.imported, life.done().sheet.rejected), (5, 15));
}

#[test]
fn calls_of_a_full_conversation_are_rejected_where_that_is_asked_for() {
    let settings = ConversationSettings { when_full: WhenFull::Reject, ..ConversationSettings::default() };
    let mut trial = trial("", settings, into(&[(201, 10), (203, 5), (204, 5)]));
    let life = trial.run();
    assert_eq!((life.done().sheet.imported, life.done().sheet.rejected), (7, 13));
    assert_eq!(trial.count(RequestKind::Create), 0);
}

#[test]
fn a_conversation_that_others_fill_meanwhile_is_taken_as_full() {
    let mut trial = trial("[service]\nappend_cap = 20", ConversationSettings::default(), into(&[(204, 30)]));
    let life = trial.run();
    assert_eq!(life.done().sheet.imported, 30, "{:?}", life.told.rejected());
}

#[test]
fn an_answer_lost_before_its_conversation_was_deleted_stays_undecided() {
    let faults = "[[fault]]\non = \"append\"\nat = [5]\ndo = \"drop_after\"\n\
                  [[fault]]\non = \"threads\"\nat = [3]\ndo = \"delete\"";
    let mut trial = trial(faults, ConversationSettings::default(), into(&[(204, 12)]));
    trial.setup.workers = Some(1);
    let life = trial.live(super::in_process::Ending::Own, tokio_util::sync::CancellationToken::new());
    let sheet = &life.ended().sheet;
    assert_eq!((sheet.imported, sheet.undecided), (4, 1), "{sheet:?}");
    assert_eq!((sheet.rejected, sheet.pending), (7, 0), "the calls behind it do not wait for ever");
}

#[test]
fn three_groups_merged_into_each_other_in_a_ring_come_to_an_end() {
    let customers = [1001, 1002, 1003];
    let mut workload = Workload::default();
    for customer in customers {
        workload.add(130, &Who::Id(customer), None);
    }
    for seed in 0..4 {
        let mut trial = trial("", ConversationSettings::default(), workload.clone());
        trial.setup.seed = seed;
        trial.run().done();
        let parts: Vec<Vec<u64>> = customers.iter().map(|customer| parts_of(&trial, *customer)).collect();
        for (index, own) in parts.iter().enumerate() {
            let next = &parts[(index + 1) % parts.len()];
            let merge = PersonAct::Merge { from: own[1], into: Some(next[0]) };
            let now_ms = trial.now_ms();
            trial.sandbox().by_person(now_ms, merge);
        }
        trial.people.push(What::Merge);
        for customer in customers {
            trial.workload.add(20, &Who::Id(customer), None);
        }
        assert_eq!(trial.run().done().sheet.imported, 60, "seed {seed}");
    }
}

/// Our conversations of a customer, the first part first.
fn parts_of(trial: &Trial, customer: u64) -> Vec<u64> {
    let sandbox = trial.sandbox();
    let all = sandbox.world().conversations();
    all.filter(|one| one.imported && one.customer == customer).map(|one| one.id).collect()
}

#[test]
fn a_merge_of_more_than_60_days_ago_reads_as_a_deletion() {
    let mut trial = trial("", ConversationSettings::default(), into(&[(204, 9)]));
    trial.run().done();
    let now_ms = trial.now_ms();
    trial.sandbox().by_person(now_ms, PersonAct::Merge { from: 204, into: Some(205) });
    trial.people.push(What::Merge);
    // A run with nothing to send, and then a long holiday.
    trial.run_with(Fate { rest: Duration::from_secs(61 * 86_400), ..Fate::default() }).done();
    trial.workload.add(5, &Who::Id(1001), Some(204));
    let life = trial.run();
    assert_eq!((life.done().sheet.already_imported, life.done().sheet.rejected), (9, 5));
    assert!(life.told.rejected()[0].1.contains("merged more than 60 days ago"), "{:?}", life.told.rejected());
}

#[test]
fn a_conversation_merged_while_it_is_read_is_followed() {
    // The lost append's conversation has three pages; it is merged between the first and the second.
    for at in [2, 3, 4] {
        let faults = format!(
            "[[fault]]\non = \"append\"\nat = [1]\ndo = \"drop_after\"\n\
             [[fault]]\non = \"threads\"\nat = [{at}]\ndo = \"merge\"\ninto = \"new\""
        );
        let mut trial = trial(&faults, ConversationSettings::default(), into(&[(207, 3)]));
        assert_eq!(trial.run().done().sheet.imported, 3, "at {at}");
    }
}

#[test]
fn a_conversation_that_people_fill_while_it_is_read_is_read_again() {
    let faults = "[[fault]]\non = \"append\"\nat = [1]\ndo = \"drop_before\"\n\
                  [[fault]]\non = \"threads\"\ndo = \"fill\"";
    let mut trial = trial(faults, ConversationSettings::default(), into(&[(207, 3)]));
    let life = trial.run();
    assert_eq!((life.done().sheet.imported, life.told.lost()), (3, 1));
}

#[test]
fn a_lost_append_is_found_by_its_reference_where_its_conversation_was_merged_long_ago() {
    let faults = "[[fault]]\non = \"append\"\nat = [5]\ndo = \"commit_late\"\nafter = \"25s\"";
    let mut trial = trial(faults, ConversationSettings::default(), into(&[(204, 12)]));
    trial.setup.workers = Some(1);
    trial.run_with(Ending::After(Duration::from_secs(12)));
    assert_eq!(trial.status().calls["undecided"], 1);
    // It is stored at last; then a person merges, and nobody starts the program for two months.
    let later = trial.now_ms() + 60_000;
    trial.sandbox().by_person(later, PersonAct::Merge { from: 204, into: Some(205) });
    trial.people.push(What::Merge);
    let rest = Duration::from_secs(61 * 86_400);
    trial.run_with(Fate { ending: Ending::AtEvent(1), rest, ..Fate::default() });
    let sheet = trial.run().done().sheet.clone();
    assert_eq!((sheet.imported + sheet.already_imported, sheet.undecided, sheet.rejected), (5, 0, 7));
}
