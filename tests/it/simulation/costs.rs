//! What `check` predicts is what the run takes, request by request, where nothing strikes; and what misfortunes cost.

use callport::{
    import::{AssignTo, ConversationSettings},
    plan::WhenAppending,
    sandbox::RequestKind,
};

use super::{
    in_process::Way,
    trial::{Life, Setup, Trial},
    workload::{Who, Workload},
};

fn work(add: impl FnOnce(&mut Workload)) -> Workload {
    let mut workload = Workload::default();
    add(&mut workload);
    workload
}

/// Groups of all sizes, none like its neighbours.
fn uneven(groups: usize, who: impl Fn(usize) -> Who) -> Workload {
    work(|work| {
        for group in 0..groups {
            work.add(1 + (group * 37) % 131, &who(group), None);
        }
        work.shuffle(5);
    })
}

/// A run, set against what was predicted of it.
#[track_caller]
fn run_as_predicted(trial: &mut Trial) -> Life {
    let (predicted, before) = (trial.predicted(), trial.tally());
    let life = trial.run();
    let sheet = &life.done().sheet;
    let (now, tokens) = (trial.tally(), trial.count(RequestKind::Token));
    assert_eq!(
        (predicted.cost.requests, predicted.cost.units),
        (sheet.requests, sheet.rate_units),
        "predicted and taken"
    );
    // As the service saw it. One token lasts for a run.
    assert_eq!(now.requests - before.requests, sheet.requests + 1, "{tokens} tokens");
    assert_eq!(predicted.calls, sheet.threads_created);
    assert_eq!(predicted.conversations, sheet.conversations_created);
    life
}

/// The same with few and many workers, near and far.
fn in_all_ways(setup: &Setup, story: impl Fn(&mut Trial), workload: &Workload) {
    for (seed, workers, latency) in
        [(1, Some(1), (20, 120)), (2, Some(16), (1, 2_000)), (3, None, (300, 400))]
    {
        let way = Way { seed, latency, ..Way::default() };
        let mut trial = Trial::new(Setup { seed, way, workers, ..setup.clone() }, workload.clone());
        story(&mut trial);
    }
}

fn once(trial: &mut Trial) {
    run_as_predicted(trial);
}

fn number(group: usize) -> Who {
    Who::Phone(format!("+155501{group:02}"))
}

fn appending(when_appending: WhenAppending) -> Setup {
    let conversation = ConversationSettings { when_appending, ..ConversationSettings::default() };
    Setup { conversation, ..Setup::default() }
}

#[test]
fn new_customers_by_number_in_uneven_groups() {
    in_all_ways(&Setup::default(), once, &uneven(40, number));
    // None of a hundred: the largest proves for all.
    let small = work(|work| {
        for group in 0..30 {
            work.add(1 + (group * 7) % 29, &number(group), None);
        }
    });
    in_all_ways(&Setup::default(), once, &small);
}

#[test]
fn customers_by_e_mail() {
    let workload = uneven(25, |group| Who::Email(format!("new{group}@example.com")));
    in_all_ways(&Setup::default(), once, &workload);
}

#[test]
fn a_conversation_a_call() {
    let setup = Setup { by_call: true, ..Setup::default() };
    let workload = work(|work| {
        work.add(40, &Who::Id(1001), None).add(30, &number(1), None);
    });
    in_all_ways(&setup, once, &workload);
}

#[test]
fn one_call_a_request() {
    let conversation = ConversationSettings { pack: false, ..ConversationSettings::default() };
    let setup = Setup { conversation, ..Setup::default() };
    let workload = work(|work| {
        work.add(120, &Who::Id(1001), None).add(30, &number(1), None).add(1, &number(2), None);
    });
    in_all_ways(&setup, once, &workload);
}

#[test]
fn what_is_added_later_to_the_conversations_of_an_earlier_run() {
    for when in [WhenAppending::Fill, WhenAppending::Cheap] {
        let workload = work(|work| {
            for group in 0..12 {
                work.add(10 + 5 * group, &Who::Id(1001 + group as u64), None);
            }
        });
        in_all_ways(
            &appending(when),
            |trial| {
                run_as_predicted(trial);
                for group in [3, 5, 8, 11] {
                    trial.workload.add(40, &Who::Id(1001 + group), None);
                }
                trial.workload.add(1, &Who::Id(1002), None).add(2, &Who::Id(1016), None);
                run_as_predicted(trial);
                trial.workload.add(1, &Who::Id(1004), None).add(150, &Who::Id(1016), None);
                run_as_predicted(trial);
                run_as_predicted_nothing(trial);
            },
            &workload,
        );
    }
}

/// Where nothing is to send the account is not even asked.
fn run_as_predicted_nothing(trial: &mut Trial) {
    assert_eq!(trial.predicted().cost, callport::plan::Cost::default());
    let before = trial.tally().requests;
    trial.run().done();
    assert_eq!(trial.tally().requests, before);
}

#[test]
fn what_is_added_to_conversations_that_the_rows_name() {
    for when in [WhenAppending::Fill, WhenAppending::Cheap] {
        let workload = work(|work| {
            work.add(30, &Who::Id(1001), Some(204)).add(130, &Who::Id(1001), Some(206));
            work.add(1, &Who::Id(1001), Some(205));
        });
        in_all_ways(
            &appending(when),
            |trial| {
                run_as_predicted(trial);
                trial.workload.add(10, &Who::Id(1001), Some(205)).add(90, &Who::Id(1001), Some(204));
                run_as_predicted(trial);
            },
            &workload,
        );
    }
}

#[test]
fn an_assignee_is_asked_for_once() {
    let conversation = ConversationSettings {
        assign_to: AssignTo::Email("agent@example.com".into()),
        ..ConversationSettings::default()
    };
    let mut trial = Trial::new(
        Setup { conversation, ..Setup::default() },
        work(|work| {
            work.add(3, &Who::Id(1001), None);
        }),
    );
    assert_eq!(trial.predicted().cost.requests, 4 + 1 + 2);
    trial.live(super::in_process::Ending::Own, tokio_util::sync::CancellationToken::new());
}

/// So many people known by e-mail, with eight calls each.
fn people(count: usize) -> Workload {
    work(|work| {
        for person in 0..count {
            work.add(8, &Who::Email(format!("new{person}@example.com")), None);
        }
    })
}

/// Requests beyond those that were predicted.
fn beyond(faults: &str, workload: Workload) -> (u64, u64) {
    let mut trial = Trial::new(Setup { faults: faults.to_owned(), ..Setup::default() }, workload);
    let predicted = trial.predicted().cost.requests;
    let taken = trial.run().done().sheet.requests;
    (predicted, taken - predicted)
}

#[test]
fn an_answer_lost_to_a_create_that_is_there_costs_two_reads() {
    // The search finds it, and its threads prove that it is the one.
    let lost = "[[fault]]\non = \"create\"\nat = [20, 31, 44]\ndo = \"drop_after\"";
    assert_eq!(beyond(lost, people(60)), (65, 3 * 2));
}

#[test]
fn creates_that_were_lost_at_once_share_their_lists() {
    let lost = |at: &str| {
        let faults = format!(
            "[service]\nindex_lag = \"10s\"\n[[fault]]\non = \"create\"\nat = {at}\ndo = \"drop_before\""
        );
        let mut trial = Trial::new(Setup { faults, rate: 200, ..Setup::default() }, people(120));
        trial.run().done();
        trial.count(RequestKind::List)
    };
    let (one, four) = (lost("[20]"), lost("[20, 21, 22, 23]"));
    assert!(four <= 2 * one, "{four} lists for four, {one} for one");
}

#[test]
fn lost_answers_take_less_than_a_hundredth_more_requests() {
    let conversation = ConversationSettings { pack: false, ..ConversationSettings::default() };
    let faults = "[[fault]]\non = \"append\"\nat = [90, 200, 310]\ndo = \"drop_after\"\n\
                  [[fault]]\non = \"create\"\nat = [5]\ndo = \"drop_after\"";
    let workload = work(|work| {
        for customer in 1001..1011 {
            work.add(95, &Who::Id(customer), None);
        }
    });
    let mut trial =
        Trial::new(Setup { conversation, faults: faults.to_owned(), ..Setup::default() }, workload);
    let predicted = trial.predicted().cost.requests;
    let sheet = trial.run().done().sheet.clone();
    let optimum = 950;
    assert_eq!(
        predicted,
        optimum + 3 + 2 + 3,
        "who, where, what is there; the first create and append read back"
    );
    assert!(sheet.requests > predicted && (sheet.requests - optimum) * 100 < 2 * optimum, "{sheet:?}");
    assert!((sheet.requests - predicted) * 100 < optimum, "{sheet:?}");
}
