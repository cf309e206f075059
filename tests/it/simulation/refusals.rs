//! Requests that the service refuses: the call at fault alone is rejected, or the run stops and rejects nothing.

use callport::{
    import::{ConversationSettings, ImportError, WhenFull, WhenLocked},
    sandbox::RequestKind,
};

use super::{
    trial::{Setup, Trial},
    workload::{Who, Workload},
};

fn trial(faults: &str, count: usize) -> Trial {
    let mut workload = Workload::default();
    workload.add(count, &Who::Id(1001), None);
    Trial::new(Setup { faults: faults.to_owned(), ..Setup::default() }, workload)
}

fn rejected_marks(trial: &Trial, rejected: &[(u64, String)]) -> Vec<String> {
    rejected.iter().map(|(line, _)| trial.workload.at_line(*line).mark()).collect()
}

#[test]
fn a_thread_that_is_named_is_rejected_and_the_rest_goes_in_by_one_more_request() {
    let mut trial =
        trial("[[fault]]\non = \"create\"\ndo = \"refuse_thread\"\ncontaining = \"#000042#\"", 100);
    let life = trial.run();
    assert_eq!((life.done().sheet.imported, life.done().sheet.rejected), (99, 1));
    assert_eq!(rejected_marks(&trial, &life.told.rejected()), ["#000042#"]);
    assert!(life.told.rejected()[0].1.contains("invalid text"));
    assert_eq!(trial.count(RequestKind::Create), 2);
}

#[test]
fn a_thread_that_nobody_names_is_found_and_the_history_stays_in_one_conversation() {
    for bad in [0, 1, 42, 98, 99] {
        let faults = format!(
            "[[fault]]\non = \"create\"\ndo = \"refuse_thread\"\ncontaining = \"#{bad:06}#\"\nnamed = false\n\
             [[fault]]\non = \"append\"\ndo = \"refuse_thread\"\ncontaining = \"#{bad:06}#\""
        );
        let mut trial = trial(&faults, 100);
        let life = trial.run();
        assert_eq!((life.done().sheet.imported, life.done().sheet.rejected), (99, 1), "bad {bad}");
        assert_eq!(rejected_marks(&trial, &life.told.rejected()), [format!("#{bad:06}#")]);
        let made = trial.sandbox().world().conversations().filter(|one| one.imported).count();
        assert!(made <= 2, "{made} conversations for bad {bad}");
    }
}

#[test]
fn a_refused_append_costs_its_own_call_only() {
    let mut trial = trial("[[fault]]\non = \"append\"\ndo = \"refuse_thread\"\ncontaining = \"#000003#\"", 0);
    trial.workload.add(10, &Who::Id(1001), Some(204));
    let life = trial.run();
    assert_eq!((life.done().sheet.imported, life.done().sheet.rejected), (9, 1));
    // The next run tries it again, and it alone.
    let appends = trial.count(RequestKind::Append);
    let sheet = trial.run().done().sheet.clone();
    assert_eq!((sheet.already_imported, sheet.rejected, sheet.rejected_before), (9, 1, 1));
    assert_eq!(trial.count(RequestKind::Append), appends + 1);
}

#[test]
fn a_fault_that_is_not_the_calls_stops_the_run_and_rejects_nothing() {
    let body = r#"body = '{"message":"Bad request","_embedded":{"errors":[{"path":"subject","message":"may not be empty"}]}}'"#;
    let faults = format!("[[fault]]\non = \"create\"\ntimes = 1\ndo = \"refuse\"\nstatus = 400\n{body}");
    let mut trial = trial(&faults, 250);
    let life = trial.run();
    assert!(
        matches!(life.halted(), ImportError::Refused(words) if words.contains("subject")),
        "{:?}",
        life.halted()
    );
    assert_eq!((life.ended().sheet.rejected, life.ended().sheet.pending), (0, 250));
    assert_eq!(trial.run().done().sheet.imported, 250);
}

#[test]
fn three_conversations_refused_alike_stop_the_run_and_reject_nothing() {
    let body = r#"body = '{"message":"Bad request"}'"#;
    let faults =
        format!("[[fault]]\non = \"create\"\nuntil = \"10m\"\ndo = \"refuse\"\nstatus = 400\n{body}");
    let mut trial = trial(&faults, 0);
    for customer in 1001..1010 {
        trial.workload.add(1, &Who::Id(customer), None);
    }
    let life = trial.run();
    assert!(matches!(life.halted(), ImportError::Refused(_)), "{:?}", life.halted());
    assert_eq!((life.ended().sheet.rejected, life.ended().sheet.pending), (0, 9), "{:?}", life.ended().sheet);
}

#[test]
fn a_request_that_is_too_large_is_made_smaller() {
    let mut trial = trial("[service]\nrequest_size = 9000", 200);
    let sheet = trial.run().done().sheet.clone();
    assert_eq!((sheet.imported, sheet.rejected), (200, 0));
}

#[test]
fn a_call_that_is_too_large_alone_is_rejected() {
    let mut trial = trial("[service]\nrequest_size = 200", 3);
    let life = trial.run();
    assert_eq!((life.done().sheet.imported, life.done().sheet.rejected), (0, 3));
    assert!(life.told.rejected()[0].1.contains("too large"));
}

#[test]
fn a_denial_stops_the_run_and_rejects_nothing() {
    let body = r#"body = '{"message":"Not allowed"}'"#;
    for status in [401, 403] {
        let faults = format!("[[fault]]\non = \"create\"\ndo = \"refuse\"\nstatus = {status}\n{body}");
        let mut trial = trial(&faults, 150);
        let life = trial.run();
        assert!(matches!(life.halted(), ImportError::Refused(_)), "{status}: {:?}", life.halted());
        assert_eq!((life.ended().sheet.rejected, life.ended().sheet.pending), (0, 150), "{status}");
    }
}

#[test]
fn what_a_full_or_locked_conversation_refuses_is_refused_by_every_run() {
    let faults = "[[fault]]\non = \"append\"\nat = [1]\ndo = \"lock\"";
    for (existing, faults) in [(203, ""), (204, faults)] {
        let conversation = ConversationSettings {
            when_full: WhenFull::Reject,
            when_locked: WhenLocked::Reject,
            ..ConversationSettings::default()
        };
        let mut workload = Workload::default();
        workload.add(3, &Who::Id(1001), Some(existing));
        let setup = Setup { faults: faults.to_owned(), conversation, ..Setup::default() };
        let mut trial = Trial::new(setup, workload);
        for before in [0, 3] {
            let sheet = trial.run().done().sheet.clone();
            assert_eq!((sheet.rejected, sheet.rejected_before), (3, before), "{existing}");
            assert_eq!((sheet.imported, trial.count(RequestKind::Create)), (0, 0), "{existing}");
        }
    }
}
