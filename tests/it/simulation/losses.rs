//! The checkpoint is lost, or an old copy of it is put back: what is there is noticed, recovered and not sent again.
//!
//! Stories are drawn by chance, as those of [`super::seeds`] are, and counted by the same variables; `CALLPORT_TRACE` shows
//! the requests of the one that fails.

use std::{ops::Range, time::Duration};

use callport::{checkpoint::CommitMoment, import::ImportError};
use tokio_util::sync::CancellationToken;

use super::{
    in_process::{Ending, Way},
    trial::{CUSTOMERS, EXISTING, Setup, Trial},
    workload::{Who, Workload},
};

/// Stories of each kind in a usual test run.
const STORIES: u64 = 40;

/// The stories that are asked for.
fn stories() -> Range<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let first: u64 = number("CALLPORT_SEED").unwrap_or(0);
    first..first + number("CALLPORT_SEEDS").unwrap_or(STORIES)
}

fn workload(chance: &mut fastrand::Rng) -> Workload {
    let mut workload = Workload::default();
    for _ in 0..chance.usize(2..10) {
        let who = match chance.u8(..3) {
            0 => Who::Email(format!("new{}@example.com", chance.u8(..4))),
            _ => Who::Id(chance.u64(CUSTOMERS)),
        };
        let into = (chance.u8(..3) == 0).then(|| chance.choice(EXISTING).unwrap().0);
        let count = if chance.u8(..8) == 0 { chance.usize(90..120) } else { chance.usize(1..12) };
        workload.add(count, &who, into);
    }
    for call in &mut workload.calls {
        call.has_id = chance.u8(..4) > 0;
    }
    workload
}

fn ending(chance: &mut fastrand::Rng) -> Ending {
    match chance.u8(..3) {
        0 => Ending::AtEvent(chance.u64(10..160)),
        1 => Ending::AtCommit(
            chance.u64(5..120),
            if chance.bool() { CommitMoment::Before } else { CommitMoment::After },
        ),
        _ => Ending::Own,
    }
}

fn trial(seed: u64, chance: &mut fastrand::Rng) -> Trial {
    let settle = chance.u64(5..=30);
    let lag = chance.u64(..=20);
    let faults = format!(
        "[service]\nindex_lag = \"{lag}s\"\n[[fault]]\non = \"write\"\nrate = 0.03\ndo = \"drop_after\"\n\
         [[fault]]\non = \"write\"\nrate = 0.02\ndo = \"drop_before\"\n\
         [[fault]]\non = \"read\"\nrate = 0.02\ndo = \"refuse\"\nstatus = 502"
    );
    let setup = Setup {
        seed,
        faults,
        way: Way { seed, latency: (1, chance.u64(2..400)), ..Way::default() },
        workers: *chance.choice(&[None, Some(1), Some(4), Some(16)]).unwrap(),
        settle: Duration::from_secs(settle),
        by_call: chance.u8(..3) == 0,
        ..Setup::default()
    };
    let mut setup = setup;
    setup.conversation.pack = chance.u8(..4) > 0;
    Trial::new(setup, workload(chance))
}

/// An import may be tried before the recovery: it is refused, or there is nothing that contradicts it; either way nothing
/// is there twice.
fn try_without(trial: &mut Trial, seed: u64) {
    let before = trial.live_threads();
    let life = trial.live(Ending::Own, CancellationToken::new());
    match life.outcome.expect("it came to its end") {
        Err(ImportError::Setting(words) | ImportError::Contradicted(words)) => {
            assert!(words.contains("recover") || words.contains("going on would import"), "{words}");
            assert_eq!(trial.live_threads(), before, "seed {seed}: a refused import sends nothing");
        }
        Err(other) => panic!("seed {seed}: {other}"),
        Ok(imported) => {
            if let Some(halted) = imported.halted {
                let is_ours = matches!(halted, ImportError::Contradicted(_) | ImportError::GaveUp { .. });
                assert!(is_ours, "seed {seed}: {halted}");
            }
        }
    }
}

fn comes_to_a_good_end(trial: &mut Trial) {
    trial.sandbox().end_misfortunes();
    trial.recover();
    // Calls in conversations without the tag are met by an import, whose rows name them to the next recovery.
    let life = trial.live(Ending::Own, CancellationToken::new());
    let outcome = life.outcome.expect("it came to its end").expect("it began");
    if let Some(halted) = outcome.halted {
        assert!(matches!(halted, ImportError::Contradicted(_)), "{halted}");
        trial.recover();
    }
    let life = trial.run();
    let sheet = &life.done().sheet;
    assert_eq!((sheet.pending, sheet.undecided, sheet.rejected), (0, 0, 0), "{sheet:?}");
    assert_eq!(trial.live_threads(), trial.workload.calls.len(), "each call is there once");
    let writes = trial.tally().writes;
    trial.run().done();
    assert_eq!(trial.tally().writes, writes, "a second run sends nothing");
}

#[test]
fn a_lost_checkpoint_is_recovered_and_nothing_is_there_twice() {
    for seed in stories() {
        let mut chance = fastrand::Rng::with_seed(seed);
        println!("CALLPORT_SEED={seed} CALLPORT_SEEDS=1 cargo test --test it simulation::losses");
        let mut trial = trial(seed, &mut chance);
        for _ in 0..chance.usize(1..3) {
            trial.run_with(ending(&mut chance));
        }
        trial.lose_checkpoint();
        trial.rest(Duration::from_secs(chance.u64(60..600)));
        if chance.bool() {
            try_without(&mut trial, seed);
            trial.rest(Duration::from_secs(60));
        }
        comes_to_a_good_end(&mut trial);
    }
}

#[test]
fn an_old_copy_is_noticed_brought_up_to_date_and_nothing_is_there_twice() {
    for seed in stories() {
        let mut chance = fastrand::Rng::with_seed(seed ^ 0xc0_u64);
        println!("CALLPORT_SEED={seed} CALLPORT_SEEDS=1 cargo test --test it simulation::losses");
        let mut trial = trial(seed, &mut chance);
        trial.run_with(Ending::AtEvent(chance.u64(1..100)));
        trial.copy_checkpoint();
        for _ in 0..chance.usize(1..3) {
            trial.run_with(ending(&mut chance));
        }
        trial.put_copy_back();
        trial.rest(Duration::from_secs(chance.u64(60..600)));
        if chance.bool() {
            try_without(&mut trial, seed);
            trial.rest(Duration::from_secs(60));
        }
        comes_to_a_good_end(&mut trial);
    }
}
