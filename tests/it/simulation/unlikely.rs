//! What hardly ever happens and would cost a call: merges, deletions and losses that meet each other.

use std::time::Duration;

use callport::{import::ImportError, sandbox::PersonAct};
use tokio_util::sync::CancellationToken;

use super::{
    in_process::Ending,
    trial::{Setup, Trial},
    workload::{Who, Workload},
};

fn trial(faults: &str, workload: Workload) -> Trial {
    let setup = Setup { faults: faults.to_owned(), workers: Some(1), ..Setup::default() };
    Trial::new(setup, workload)
}

fn made(trial: &Trial) -> Vec<u64> {
    trial.sandbox().world().conversations().filter(|one| one.imported).map(|one| one.id).collect()
}

#[test]
fn a_first_conversation_of_one_call_proves_nothing_of_a_hundred() {
    let mut workload = Workload::default();
    workload.add(1, &Who::Id(1001), None).add(100, &Who::Id(1002), None).add(100, &Who::Id(1003), None);
    let mut trial = trial("[service]\nkeep_threads = 50", workload);
    let life = trial.live(Ending::Own, CancellationToken::new());
    let sheet = &life.ended().sheet;
    let there = trial.live_threads() as u64;
    assert!(sheet.imported <= there, "{} count as imported and {there} are there", sheet.imported);
}

#[test]
fn a_conversation_that_was_not_as_sent_is_not_counted_after_a_person_merged_it() {
    let mut workload = Workload::default();
    workload.add(20, &Who::Id(1001), None);
    let mut trial = trial("[service]\nkeep_threads = 10", workload);
    let life = trial.live(Ending::Own, CancellationToken::new());
    assert!(matches!(life.halted(), ImportError::Refused(_)));
    let first = made(&trial)[0];
    let now_ms = trial.now_ms();
    trial.sandbox().by_person(now_ms, PersonAct::Merge { from: first, into: Some(204) });
    let life = trial.live(Ending::Own, CancellationToken::new());
    let sheet = &life.ended().sheet;
    let there = trial.live_threads() as u64;
    assert!(sheet.imported <= there, "{} count as imported and {there} are there", sheet.imported);
}

#[test]
fn a_first_append_whose_conversation_was_deleted_does_not_hold_its_queue_for_ever() {
    let mut workload = Workload::default();
    workload.add(3, &Who::Id(1001), Some(204));
    let mut trial = trial("[service]\nignore_thread_created_at = true", workload);
    let life = trial.live(Ending::Own, CancellationToken::new());
    assert!(matches!(life.halted(), ImportError::Refused(_)));
    trial.delete_conversation(204);
    trial.live(Ending::Own, CancellationToken::new());
    let life = trial.live(Ending::Own, CancellationToken::new());
    let sheet = &life.ended().sheet;
    assert_eq!((sheet.pending, sheet.undecided), (0, 0), "{sheet:?}");
}

#[test]
fn an_open_create_whose_conversation_a_recovery_has_noted_is_not_made_again_where_the_search_lags() {
    let mut workload = Workload::default();
    workload.add(3, &Who::Id(1002), None);
    let faults = "[service]\nindex_lag = \"20s\"\n[[fault]]\non = \"create\"\nat = [1]\ndo = \"drop_after\"\n\
                  [[fault]]\non = \"search\"\ndo = \"stale\"\nfor = \"48h\"";
    let mut trial = trial(faults, workload);
    trial.live(Ending::After(Duration::from_secs(5)), CancellationToken::new());
    assert_eq!(trial.status().undecided.len(), 3, "the create is open");
    trial.copy_checkpoint();
    trial.live(Ending::Own, CancellationToken::new());
    trial.workload.add(2, &Who::Id(1002), None);
    trial.live(Ending::Own, CancellationToken::new());
    assert_eq!(trial.live_threads(), 5);
    trial.put_copy_back();
    trial.rest(Duration::from_secs(600));
    let found = trial.recover().recovery;
    assert_eq!((found.calls, found.open), (5, 0), "what is seen is not looked for any more: {found:?}");
    let life = trial.live(Ending::Own, CancellationToken::new());
    assert_eq!(trial.live_threads(), 5, "{:?}", life.ended());
}

#[test]
fn a_recovery_finds_what_a_person_merged_into_a_conversation_without_the_tag() {
    let mut workload = Workload::default();
    workload.add(5, &Who::Id(1002), None).add(5, &Who::Id(1003), None);
    let mut trial = trial("", workload);
    trial.run().done();
    let first = made(&trial)[0];
    let now_ms = trial.now_ms();
    trial.sandbox().by_person(now_ms, PersonAct::Merge { from: first, into: Some(204) });
    trial.rest(Duration::from_secs(600));
    trial.lose_checkpoint();
    trial.recover();
    trial.live(Ending::Own, CancellationToken::new());
    assert_eq!(trial.live_threads(), 10);
}

#[test]
fn a_held_create_that_was_merged_long_ago_is_not_sent_again() {
    let mut workload = Workload::default();
    workload.add(5, &Who::Id(1001), None);
    let mut trial = trial("[service]\nignore_thread_created_at = true", workload);
    trial.live(Ending::Own, CancellationToken::new());
    let (first, now_ms) = (made(&trial)[0], trial.now_ms());
    trial.sandbox().by_person(now_ms, PersonAct::Merge { from: first, into: Some(204) });
    trial.rest(Duration::from_secs(61 * 24 * 3600));
    trial.setup.accept = vec![callport::import::Field::CreatedAt];
    trial.live(Ending::Own, CancellationToken::new());
    assert_eq!(trial.live_threads(), 5);
}

#[test]
fn who_asks_to_stop_while_a_first_request_is_read_back_need_not_wait_for_the_network() {
    let mut workload = Workload::default();
    workload.add(5, &Who::Id(1001), None);
    let mut trial = trial("[[fault]]\non = \"threads\"\ndo = \"refuse\"\nstatus = 503", workload);
    let began = trial.now_ms();
    trial.run_until_asked(Duration::from_secs(5));
    let seconds = (trial.now_ms() - began) / 1000;
    // A trial lets two minutes pass at the most behind each life.
    assert!(seconds < 60 + 120, "{seconds} s");
}
