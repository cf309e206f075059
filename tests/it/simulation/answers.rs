//! Lost and strange answers: what was sent is looked for and lands once.

use std::time::Duration;

use callport::{import::ImportError, sandbox::RequestKind};

use super::{
    trial::{Setup, Trial},
    workload::{Who, Workload},
};

fn setup(seed: u64, faults: &str) -> Setup {
    Setup { seed, faults: faults.to_owned(), ..Setup::default() }
}

/// Calls by appends and by creates of every size.
fn mixed(count: usize) -> Workload {
    let mut workload = Workload::default();
    let (appended, created) = (count / 5, count - count / 5);
    for into in [204, 205, 206, 207] {
        workload.add(appended / 4, &Who::Id(1001), Some(into));
    }
    for number in 0..created {
        workload.add(1, &Who::Id(1001 + (number % 20) as u64), None);
    }
    workload
}

#[test]
fn dropped_and_refused_answers_lose_nothing_and_double_nothing() {
    let faults = r#"
        [[fault]]
        on = "write"
        rate = 0.03
        do = "drop_after"
        [[fault]]
        on = "write"
        rate = 0.02
        do = "bad_gateway_after"
        [[fault]]
        on = "write"
        rate = 0.02
        do = "refuse"
        status = 503"#;
    let mut lost = 0;
    for seed in 0..4 {
        let mut trial = Trial::new(
            Setup { by_call: seed % 2 == 1, workers: Some(8), ..setup(seed, faults) },
            mixed(1000),
        );
        let life = trial.run();
        assert_eq!(life.done().sheet.imported, 1000, "seed {seed}");
        lost += life.told.lost();
    }
    assert!(lost > 60, "{lost} answers were lost");
}

#[test]
fn an_index_that_lags_delays_the_finding_of_a_lost_create_and_doubles_nothing() {
    for lag in ["5s", "40s", "90s"] {
        let faults = format!(
            "[service]\nindex_lag = \"{lag}\"\n[[fault]]\non = \"create\"\nat = [2, 7, 11, 15]\ndo = \"drop_after\"\n\
             [[fault]]\non = \"create\"\nat = [3, 12]\ndo = \"drop_before\""
        );
        let mut trial = Trial::new(setup(5, &faults), mixed(600));
        trial.run().done();
        assert_eq!(trial.sandbox().accepted_threads().len(), 600, "lag {lag}");
    }
}

#[test]
fn a_request_that_commits_late_but_within_settle_is_not_sent_again() {
    for on in ["append", "create"] {
        for seed in 0..4 {
            let faults = format!(
                "[service]\nindex_lag = \"20s\"\n[[fault]]\non = \"{on}\"\nrate = 0.1\ndo = \"commit_late\"\nafter = \"25s\""
            );
            let mut trial = Trial::new(setup(seed, &faults), mixed(300));
            trial.run().done();
        }
    }
}

#[test]
fn an_answer_after_the_clients_patience_is_a_lost_one() {
    let faults = "[[fault]]\non = \"write\"\nevery = 7\ndo = \"delay\"\nfor = \"75s\"";
    let mut trial = Trial::new(setup(2, faults), mixed(150));
    let life = trial.run();
    life.done();
    assert!(life.told.lost() > 0);
}

#[test]
fn half_an_answer_is_a_lost_one() {
    let faults = "[[fault]]\non = \"write\"\nevery = 5\ndo = \"half_answer\"";
    let mut trial = Trial::new(setup(2, faults), mixed(150));
    trial.run().done();
}

#[test]
fn a_201_that_names_no_id_is_a_success_once_found() {
    let faults =
        "[service]\nresource_id = false\n[[fault]]\non = \"create\"\nevery = 2\ndo = \"omit_resource_id\"";
    let mut trial = Trial::new(setup(3, faults), mixed(200));
    let sheet = trial.run().done().sheet.clone();
    assert_eq!((sheet.imported, sheet.undecided), (200, 0));
    assert_eq!(trial.sandbox().accepted_threads().len(), 200);
}

#[test]
fn a_token_that_expires_in_mid_run_is_renewed_once_by_one_for_all() {
    let faults = "[[fault]]\non = \"append\"\nat = [20]\ndo = \"expire_tokens\"";
    let setup = Setup { workers: Some(16), ..setup(3, faults) };
    let mut trial = Trial::new(setup, mixed(200));
    assert_eq!(trial.run().done().sheet.imported, 200);
    assert_eq!(trial.count(RequestKind::Token), 2);
}

#[test]
fn a_429_closes_the_gate_and_costs_nothing_else() {
    let faults = "[[fault]]\non = \"write\"\nevery = 9\ndo = \"refuse\"\nstatus = 429\nretry_after = 20";
    let mut trial = Trial::new(setup(3, faults), mixed(200));
    let sheet = trial.run().done().sheet.clone();
    assert_eq!(sheet.imported, 200);
    assert!(sheet.throttled > 0);
}

#[test]
fn reads_that_fail_are_repeated_until_they_pass() {
    let faults = "[[fault]]\non = \"read\"\nrate = 0.2\ndo = \"refuse\"\nstatus = 502\n\
                  [[fault]]\non = \"read\"\nrate = 0.1\ndo = \"drop_before\"\n\
                  [[fault]]\non = \"token\"\nat = [1]\ndo = \"refuse\"\nstatus = 503\n\
                  [[fault]]\non = \"write\"\nrate = 0.1\ndo = \"drop_after\"";
    let mut trial = Trial::new(setup(3, faults), mixed(200));
    assert_eq!(trial.run().done().sheet.imported, 200);
}

#[test]
fn a_network_that_refuses_connections_is_waited_for_and_nothing_is_doubted() {
    let mut setup = setup(4, "");
    setup.way.unreachable = 0.2;
    let mut trial = Trial::new(setup, mixed(200));
    let life = trial.run();
    assert_eq!(life.done().sheet.imported, 200);
    assert_eq!(life.told.lost(), 0);
}

#[test]
fn a_network_that_is_gone_ends_the_run_and_the_next_one_goes_on() {
    let mut trial = Trial::new(setup(4, ""), mixed(100));
    trial.setup.way.unreachable = 1.0;
    let life = trial.run();
    assert!(matches!(life.halted(), ImportError::GaveUp { .. }), "{:?}", life.halted());
    assert_eq!(life.ended().sheet.pending, 100);
    trial.setup.way.unreachable = 0.0;
    assert_eq!(trial.run().done().sheet.imported, 100);
}

#[test]
fn a_portals_web_page_stops_the_run_and_is_looked_into_by_the_next() {
    let faults = "[[fault]]\non = \"append\"\nat = [10]\ndo = \"html\"";
    let setup = Setup { settle: Duration::from_secs(5), ..setup(4, faults) };
    let mut trial = Trial::new(setup, mixed(100));
    let life = trial.run();
    assert!(matches!(life.halted(), ImportError::Refused(_)), "{:?}", life.halted());
    assert_eq!(life.ended().sheet.undecided, 1);
    let life = trial.run();
    assert_eq!((life.done().sheet.undecided, life.done().sheet.pending), (0, 0));
    assert_eq!(trial.sandbox().accepted_threads().len(), 100);
}

#[test]
fn a_limit_that_never_lets_a_write_through_ends_the_run_and_the_next_one_goes_on() {
    let faults =
        "[[fault]]\non = \"write\"\nuntil = \"30m\"\ndo = \"refuse\"\nstatus = 429\nretry_after = 20";
    let mut trial = Trial::new(setup(4, faults), mixed(100));
    loop {
        let life = trial.run();
        if life.ended().halted.is_none() {
            assert_eq!(life.done().sheet.imported, 100);
            break;
        }
        assert!(matches!(life.halted(), ImportError::GaveUp { .. }), "{:?}", life.halted());
        assert_eq!(life.ended().sheet.pending, 100);
    }
}
