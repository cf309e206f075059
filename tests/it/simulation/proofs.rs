//! The first create and the first append are read back, and the run stops where they are not as they were sent.

use callport::{
    import::{ConversationSettings, Field, ImportError},
    sandbox::RequestKind,
};
use tokio_util::sync::CancellationToken;

use super::{
    in_process::Ending,
    trial::{Life, Setup, Trial},
    workload::{Who, Workload},
};

/// The service puts its own time on every thread.
const OWN_TIME: &str = "[service]\nignore_thread_created_at = true";

fn trial(faults: &str, workload: Workload) -> Trial {
    Trial::new(Setup { faults: faults.to_owned(), ..Setup::default() }, workload)
}

fn of_customers(count: u64, each: usize) -> Workload {
    let mut workload = Workload::default();
    for customer in 0..count {
        workload.add(each, &Who::Id(1001 + customer), None);
    }
    workload
}

/// A life whose threads are not what the rows say, so that the invariants do not hold.
fn live(trial: &mut Trial) -> Life {
    trial.live(Ending::Own, CancellationToken::new())
}

fn refusal(life: &Life) -> String {
    match life.halted() {
        ImportError::Refused(words) => words.clone(),
        other => panic!("{other:?}"),
    }
}

/// The one conversation that was made.
fn the_conversation(trial: &Trial) -> u64 {
    let made: Vec<u64> =
        trial.sandbox().world().conversations().filter(|one| one.imported).map(|one| one.id).collect();
    assert_eq!(made.len(), 1, "{made:?}");
    made[0]
}

#[test]
fn a_service_that_does_otherwise_is_met_with_one_conversation_and_not_with_thousands() {
    let mut trial = trial(OWN_TIME, of_customers(9, 5));
    trial.setup.workers = Some(8);
    let life = live(&mut trial);
    let made = the_conversation(&trial);
    let words = refusal(&life);
    assert!(words.contains(&format!("the first conversation that it made, {made},")), "{words}");
    assert!(words.contains("`Ref: sim c0`: created_at is 2026-09-21T"), "{words}");
    assert!(words.contains("sent was 2020-09-13T12:26:40Z") && words.contains("and 1 more"), "{words}");
    assert!(words.contains(&format!("delete conversation {made} in Help Scout")), "{words}");
    assert!(words.contains(r#"--set "account.accept=['created_at']""#), "{words}");
    assert!(!words.contains("conversation.pack"), "its first call is not right either: {words}");
    let sheet = &life.ended().sheet;
    assert_eq!((sheet.imported, sheet.undecided, sheet.pending), (0, 5, 40), "{sheet:?}");
    let why = trial.status().undecided[0].why.clone().unwrap();
    assert_eq!(why, "read back otherwise than sent: created_at");
}

#[test]
fn it_stops_every_later_run_until_the_conversation_is_deleted_and_then_its_calls_are_sent_anew() {
    let mut trial = trial(OWN_TIME, of_customers(3, 4));
    live(&mut trial);
    let made = the_conversation(&trial);
    let life = live(&mut trial);
    assert!(refusal(&life).contains("nothing else is sent while it is there"), "{}", refusal(&life));
    assert_eq!(the_conversation(&trial), made);
    trial.delete_conversation(made);
    trial.setup.accept = vec![Field::CreatedAt];
    let life = live(&mut trial);
    assert_eq!(life.done().sheet.imported, 12);
    let live_threads = trial.live_threads();
    assert_eq!(live_threads, 12, "each call is there once");
}

#[test]
fn what_is_accepted_goes_on_and_keeps_what_is_there() {
    let mut trial = trial(OWN_TIME, of_customers(3, 4));
    live(&mut trial);
    trial.setup.accept = vec![Field::CreatedAt];
    let life = live(&mut trial);
    assert_eq!((life.done().sheet.imported, trial.live_threads()), (12, 12));
}

#[test]
fn a_first_append_is_read_back_before_the_second_is_sent() {
    let mut workload = Workload::default();
    for into in [204, 205, 206, 207] {
        workload.add(10, &Who::Id(1001), Some(into));
    }
    let mut trial = trial(OWN_TIME, workload);
    trial.setup.workers = Some(4);
    let life = live(&mut trial);
    let words = refusal(&life);
    assert_eq!(trial.count(RequestKind::Append), 1);
    assert!(words.contains("the first call that was added to a conversation (20"), "{words}");
    assert!(words.contains("delete thread 79"), "{words}");
    assert_eq!((life.ended().sheet.undecided, life.ended().sheet.pending), (1, 39));
    trial.setup.accept = vec![Field::CreatedAt];
    assert_eq!(live(&mut trial).done().sheet.imported, 40);
    assert_eq!(trial.live_threads(), 40);
}

#[test]
fn the_proof_is_remembered() {
    let mut workload = of_customers(3, 30);
    workload.add(5, &Who::Id(1001), Some(204));
    let mut trial = trial("", workload);
    trial.run().done();
    let reads = trial.tally().requests - trial.tally().writes;
    trial.workload.add(5, &Who::Id(1009), None).add(1, &Who::Id(1001), Some(204));
    trial.run().done();
    let more = trial.tally().requests - trial.tally().writes - reads;
    // A token, who and where one is, whether the account is as the checkpoint knows it, one thread count.
    assert_eq!(more, 3 + 1);
}

#[test]
fn a_program_that_ends_between_a_first_request_and_its_proof_proves_it_in_the_next_life() {
    for event in 1..40 {
        for packed in [true, false] {
            let mut workload = of_customers(2, 3);
            workload.add(2, &Who::Id(1001), Some(204));
            let mut trial = trial(OWN_TIME, workload);
            trial.setup.seed = event;
            trial.setup.conversation =
                ConversationSettings { pack: packed, ..ConversationSettings::default() };
            trial.live(Ending::AtEvent(event), CancellationToken::new());
            let life = live(&mut trial);
            assert!(refusal(&life).contains("created_at"), "event {event}: {}", refusal(&life));
            let threads = trial.sandbox().accepted_threads();
            let conversations: std::collections::BTreeSet<u64> =
                threads.iter().map(|thread| thread.conversation).collect();
            assert!(conversations.len() <= 2, "event {event}: one of each kind at most, {conversations:?}");
        }
    }
}
