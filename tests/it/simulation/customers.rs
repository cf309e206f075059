//! New customers: each gets one profile, whoever names it and whatever is lost.

use callport::sandbox::RequestKind;

use super::{
    trial::{Setup, Trial},
    workload::{Who, Workload},
};

fn named(who: &Who, count: usize) -> Workload {
    let mut workload = Workload::default();
    workload.add(count, who, None);
    workload
}

#[test]
fn a_lost_answer_while_a_customer_is_made_by_number_leaves_one_profile() {
    for (deed, lag) in
        [("drop_after", "0s"), ("drop_after", "50s"), ("drop_before", "20s"), ("bad_gateway_after", "0s")]
    {
        let faults = format!(
            "[service]\nindex_lag = \"{lag}\"\n[[fault]]\non = \"customer\"\nat = [1]\ndo = \"{deed}\""
        );
        let mut workload = named(&Who::Phone("+15550101".into()), 3);
        workload.add(3, &Who::Phone("+15550102".into()), None).add(3, &Who::Phone("+15550103".into()), None);
        let mut trial = Trial::new(Setup { faults, ..Setup::default() }, workload);
        let sheet = trial.run().done().sheet.clone();
        assert_eq!((sheet.imported, sheet.customers_created), (9, 3), "{deed}, lag {lag}");
        assert_eq!(trial.count(RequestKind::Create), 3);
    }
}

#[test]
fn two_workers_that_name_one_new_e_mail_make_one_profile() {
    for seed in 0..8 {
        let setup = Setup { seed, by_call: true, workers: Some(8), ..Setup::default() };
        let mut workload = named(&Who::Email("new@example.com".into()), 12);
        workload.add(4, &Who::Email("New@Example.com".into()), Some(204));
        workload.add(4, &Who::Email("other@example.com".into()), None);
        for call in &mut workload.calls {
            if call.who == Who::Email("New@Example.com".into()) {
                call.who = Who::Email("new@example.com".into());
            }
        }
        let mut trial = Trial::new(setup, workload);
        assert_eq!(trial.run().done().sheet.imported, 20);
    }
}

#[test]
fn many_conversations_of_one_unknown_number_make_one_profile() {
    let setup = Setup { by_call: true, workers: Some(8), ..Setup::default() };
    let mut trial = Trial::new(setup, named(&Who::Phone("+15550101".into()), 20));
    assert_eq!(trial.run().done().sheet.customers_created, 1);
    assert_eq!(trial.count(RequestKind::Customer), 1);
}

#[test]
fn a_lost_create_that_made_its_customer_leaves_one_profile() {
    let faults = "[[fault]]\non = \"create\"\nat = [1, 2]\ndo = \"drop_after\"".to_owned();
    let setup = Setup { faults, by_call: true, workers: Some(8), ..Setup::default() };
    let mut trial = Trial::new(setup, named(&Who::Email("new@example.com".into()), 10));
    assert_eq!(trial.run().done().sheet.imported, 10);
}

#[test]
fn a_customer_that_does_not_exist_costs_its_own_calls_only() {
    let mut workload = named(&Who::Id(4444), 2);
    workload.add(10, &Who::Id(1002), None).add(1, &Who::Id(4444), Some(204)).add(
        5,
        &Who::Id(1003),
        Some(204),
    );
    let mut trial = Trial::new(Setup::default(), workload);
    let life = trial.run();
    let sheet = &life.done().sheet;
    assert_eq!((sheet.imported, sheet.rejected), (15, 3), "{:?}", life.told.rejected());
}

#[test]
fn calls_that_wait_for_a_customer_nowhere_to_be_found_leave_the_run_open() {
    let faults = "[service]\nindex_lag = \"9h\"\n[[fault]]\non = \"customer\"\ndo = \"omit_resource_id\"";
    let workload = named(&Who::Phone("+15550101".into()), 3);
    let mut trial = Trial::new(Setup { faults: faults.to_owned(), ..Setup::default() }, workload);
    let life = trial.run();
    assert_eq!((life.done().sheet.pending, life.done().undecided), (3, 3), "they are not done");
    assert_eq!(trial.count(RequestKind::Customer), 1);
}

#[test]
fn a_number_that_comes_with_one_e_mail_gets_no_second_profile_whatever_is_lost() {
    for (on, at, deed) in [
        ("create", "[1]", "drop_after"),
        ("create", "[1, 2]", "drop_before"),
        ("customer", "[1]", "drop_after"),
        ("create", "[1]", "bad_gateway_after"),
    ] {
        for by_call in [false, true] {
            let faults = format!("[[fault]]\non = \"{on}\"\nat = {at}\ndo = \"{deed}\"");
            let (number, office) = ("+15550101".to_owned(), "+15550102".to_owned());
            let mut workload = named(&Who::Phone(number.clone()), 3);
            workload
                .add(3, &Who::Both("jo@example.com".into(), number), None)
                .add(2, &Who::Both("ann@example.com".into(), "+15550103".into()), None)
                .add(2, &Who::Phone(office), None);
            workload.shuffle(u64::from(by_call));
            let mut trial = Trial::new(Setup { faults, by_call, ..Setup::default() }, workload);
            let sheet = trial.run().done().sheet.clone();
            assert_eq!((sheet.imported, sheet.customers_created), (10, 1), "{on} {at} {deed}");
            assert_eq!(trial.run().done().sheet.requests, 0);
        }
    }
}
