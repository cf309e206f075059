//! Stories drawn by chance: workload, misfortunes and crashes from one seed.
//!
//! `CALLPORT_SEEDS` says how many seeds are run, `CALLPORT_SEED` where they begin. A seed that fails prints the command
//! that repeats it; with `CALLPORT_TRACE` set it shows every request too.

use std::{
    fmt::Write as _,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use callport::import::{ConversationSettings, WhenLocked, WhenMissing};

use super::{
    in_process::{Ending, Way},
    trial::{CUSTOMERS, EXISTING, Setup, Trial},
    workload::{Who, Workload},
};

/// How many seeds a usual test run goes through.
const SEEDS: u64 = 60;

#[test]
fn seeds() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let first: u64 = number("CALLPORT_SEED").unwrap_or(0);
    for seed in first..first + number("CALLPORT_SEEDS").unwrap_or(SEEDS) {
        let outcome = catch_unwind(AssertUnwindSafe(|| play(seed)));
        assert!(
            outcome.is_ok(),
            "seed {seed}: CALLPORT_SEED={seed} CALLPORT_SEEDS=1 cargo test --test it simulation::seeds"
        );
    }
}

/// One story.
fn play(seed: u64) {
    let mut chance = fastrand::Rng::with_seed(seed);
    let setup = setup(seed, &mut chance);
    let workload = workload(&mut chance);
    let endings: Vec<Ending> = (0..chance.usize(..5)).map(|_| ending(&mut chance)).collect();
    if std::env::var_os("CALLPORT_SEEDS").is_some_and(|count| count == "1") {
        // For whoever looks into a seed that failed; a test's output is shown when it fails.
        println!("{setup:#?}\n{}\n{endings:?}\n{workload:?}", setup.faults);
    }
    let mut trial = Trial::new(setup, workload);
    let last = trial.run_through(&endings);
    // What came to its end stays there.
    let writes = trial.tally().writes;
    let settled = last.done().sheet.rejected == 0 && last.done().sheet.undecided == 0;
    let again = trial.run();
    if settled {
        assert_eq!(trial.tally().writes, writes, "seed {seed} sends again what has landed");
        assert_eq!(again.done().sheet.already_imported, again.done().sheet.rows);
    }
}

fn ending(chance: &mut fastrand::Rng) -> Ending {
    if chance.bool() {
        Ending::AtEvent(chance.u64(1..120))
    } else {
        Ending::After(Duration::from_millis(chance.u64(1..60_000)))
    }
}

fn setup(seed: u64, chance: &mut fastrand::Rng) -> Setup {
    let settle = chance.u64(5..=30);
    let missing = if chance.bool() { WhenMissing::New } else { WhenMissing::Reject };
    let locked = if chance.bool() { WhenLocked::Continue } else { WhenLocked::Reject };
    Setup {
        seed,
        faults: faults(settle, chance),
        way: Way {
            seed,
            latency: (1, chance.u64(2..2_000)),
            unreachable: if chance.u8(..4) == 0 { 0.05 } else { 0.0 },
        },
        rate: if chance.u8(..3) == 0 { chance.u32(100..2_000) } else { 0 },
        share: 0.8,
        workers: *chance.choice(&[None, Some(1), Some(2), Some(4), Some(16)]).unwrap(),
        settle: Duration::from_secs(settle),
        conversation: ConversationSettings {
            pack: chance.u8(..4) > 0,
            when_missing: missing,
            when_locked: locked,
            ..ConversationSettings::default()
        },
        by_call: chance.u8(..3) == 0,
        accept: Vec::new(),
    }
}

fn workload(chance: &mut fastrand::Rng) -> Workload {
    let mut workload = Workload::default();
    for _ in 0..chance.usize(2..14) {
        let who = match chance.u8(..10) {
            0..=4 => Who::Id(chance.u64(CUSTOMERS)),
            5..=6 => Who::Email(format!("new{}@example.com", chance.u8(..4))),
            7..=8 => Who::Phone(format!("+155501{:02}", chance.u8(..4))),
            _ => Who::Nobody,
        };
        let into = (chance.u8(..3) == 0).then(|| chance.choice(EXISTING).unwrap().0);
        let count = if chance.u8(..8) == 0 { chance.usize(90..120) } else { chance.usize(1..12) };
        workload.add(count, &who, into);
    }
    for call in &mut workload.calls {
        call.has_id = chance.u8(..4) > 0;
    }
    if chance.bool() {
        let repeated = chance.choice(&workload.calls).unwrap().clone();
        if repeated.has_id && repeated.is_good() {
            workload.calls.push(repeated);
        }
        workload.shuffle(chance.u64(..));
    }
    workload
}

/// Some of the misfortunes that there are.
fn faults(settle: u64, chance: &mut fastrand::Rng) -> String {
    let mut script = String::new();
    if chance.bool() {
        writeln!(script, "[service]\nindex_lag = \"{}s\"", chance.u64(..=90)).unwrap();
        if chance.u8(..4) == 0 {
            script.push_str("resource_id = false\n");
        }
    }
    let late = format!("do = \"commit_late\"\nafter = \"{}s\"", chance.u64(1..settle));
    let by_rate = [
        ("write", "do = \"drop_after\""),
        ("write", "do = \"drop_before\""),
        ("write", "do = \"half_answer\""),
        ("write", "do = \"bad_gateway_after\""),
        ("write", "do = \"refuse\"\nstatus = 503"),
        ("any", "do = \"refuse\"\nstatus = 429\nretry_after = 3"),
        ("write", "do = \"delay\"\nfor = \"70s\""),
        ("write", late.as_str()),
        ("read", "do = \"refuse\"\nstatus = 500"),
        ("read", "do = \"half_answer\""),
        ("create", "do = \"omit_resource_id\""),
    ];
    for (on, deed) in by_rate {
        if chance.u8(..4) == 0 {
            let rate = chance.f64() * 0.08;
            writeln!(script, "[[fault]]\non = \"{on}\"\nrate = {rate:.3}\n{deed}").unwrap();
        }
    }
    // Twice in a row would be a refusal of the credentials.
    if chance.u8(..4) == 0 {
        writeln!(script, "[[fault]]\non = \"any\"\nevery = {}\ndo = \"expire_tokens\"", chance.u8(60..250))
            .unwrap();
    }
    let by_people = [
        format!("do = \"merge\"\ninto = {}", chance.choice(EXISTING).unwrap().0),
        "do = \"merge\"\ninto = \"new\"".to_owned(),
        "do = \"lock\"".to_owned(),
        "do = \"delete\"".to_owned(),
    ];
    for deed in by_people {
        if chance.u8(..6) == 0 {
            let (on, at) = (chance.choice(&["append", "threads"]).unwrap(), chance.u64(1..40));
            writeln!(script, "[[fault]]\non = \"{on}\"\nat = [{at}]\n{deed}").unwrap();
        }
    }
    if chance.u8(..5) == 0 {
        let (bad, named) = (chance.usize(..60), chance.bool());
        writeln!(
            script,
            "[[fault]]\non = \"write\"\ndo = \"refuse_thread\"\ncontaining = \"#{bad:06}#\"\nnamed = {named}"
        )
        .unwrap();
    }
    script
}
