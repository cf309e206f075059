//! Stories drawn by chance: workload, misfortunes and crashes from one seed.
//!
//! `CALLPORT_SEEDS` says how many seeds are run, `CALLPORT_SEED` where they begin. A seed that fails tells the command
//! that repeats it; with `CALLPORT_TRACE` set it shows every request too.

use std::{
    any::Any,
    fmt::Write as _,
    num::NonZero,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use callport::{
    checkpoint::CommitMoment,
    import::{ConversationSettings, WhenFull, WhenLocked, WhenMissing},
    plan::WhenAppending,
};

use super::{
    fate::{Disk, Doing, Failure, Fate, What},
    in_process::{Ending, Way},
    invariants,
    trial::{CUSTOMERS, EXISTING, Setup, Trial},
    workload::{Who, Workload},
};

/// How many seeds a usual test run goes through.
const SEEDS: u64 = 500;
/// How many of them are played once more with the other choice.
const CHEAP_SEEDS: u64 = 150;

#[test]
fn seeds() {
    go_through(SEEDS, WhenAppending::Fill);
}

/// The same stories, where calls go on in new conversations if that is cheaper.
#[test]
fn seeds_where_cheap() {
    go_through(CHEAP_SEEDS, WhenAppending::Cheap);
}

fn go_through(seeds: u64, when: WhenAppending) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let first: u64 = number("CALLPORT_SEED").unwrap_or(0);
    let end = first + number("CALLPORT_SEEDS").unwrap_or(seeds);
    let (next, failed) = (AtomicU64::new(first), Mutex::new(Vec::new()));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return;
            }
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| play(seed, when))) {
                failed.lock().unwrap().push((seed, words(panic.as_ref())));
            }
        }
    };
    std::thread::scope(|threads| {
        for _ in 0..std::thread::available_parallelism().map_or(1, NonZero::get) {
            threads.spawn(work);
        }
    });
    let mut failed = failed.into_inner().unwrap();
    failed.sort();
    let told: Vec<String> = failed
        .iter()
        .map(|(seed, words)| {
            format!("CALLPORT_SEED={seed} CALLPORT_SEEDS=1 cargo test --test it simulation::seeds # {words}")
        })
        .collect();
    assert!(told.is_empty(), "{} of {} seeds fail:\n{}", told.len(), end - first, told.join("\n"));
}

#[test]
fn a_seed_gives_one_story() {
    for seed in 0..6 {
        assert_eq!(play(seed, WhenAppending::Fill), play(seed, WhenAppending::Fill), "seed {seed}");
    }
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic");
    text.lines().next().unwrap_or_default().chars().take(300).collect()
}

/// One story; how many requests it took and when it ended.
fn play(seed: u64, when: WhenAppending) -> (u64, i64) {
    let mut chance = fastrand::Rng::with_seed(seed);
    let mut setup = setup(seed, &mut chance);
    setup.conversation.when_appending = when;
    let workload = workload(&mut chance);
    let fates: Vec<Fate> = (0..chance.usize(1..6)).map(|_| fate(&mut chance)).collect();
    if std::env::var_os("CALLPORT_SEEDS").is_some_and(|count| count == "1") {
        // For whoever looks into a seed that failed; a test's output is shown when it fails.
        println!("{setup:#?}\n{}\n{fates:#?}\n{workload:?}", setup.faults);
    }
    let mut trial = Trial::new(setup, workload);
    for fate in fates {
        trial.run_with(fate);
        if chance.u8(..4) == 0 {
            let like = chance.choice(&trial.workload.calls).unwrap().clone();
            trial.workload.add(chance.usize(1..9), &like.who, like.into);
        }
    }
    trial.sandbox().end_misfortunes();
    let last = trial.run();
    invariants::check_last(&trial, &last);
    // What came to its end stays there.
    let writes = trial.tally().writes;
    let settled = last.done().sheet.rejected == 0 && last.done().sheet.undecided == 0;
    let again = trial.run();
    if settled {
        assert_eq!(trial.tally().writes, writes, "seed {seed} sends again what has landed");
        assert_eq!(again.done().sheet.already_imported, again.done().sheet.rows);
    }
    (trial.tally().requests, trial.now_ms())
}

fn fate(chance: &mut fastrand::Rng) -> Fate {
    let mut fate = Fate { ending: ending(chance), disk: disk(chance), ..Fate::default() };
    if chance.u8(..8) == 0 {
        fate.asked_after = Some(Duration::from_millis(chance.u64(..30_000)));
    }
    if chance.u8(..3) == 0 {
        let most = *chance.choice(&[30, 3_600, 3 * 86_400]).unwrap();
        fate.clock_ahead = chance.i64(-most..=most);
    }
    if chance.u8(..10) == 0 {
        fate.rest = Duration::from_secs(61 * 86_400);
    }
    if chance.u8(..3) == 0 {
        let doings = (0..chance.usize(1..4)).map(|_| doing(chance));
        fate.people = doings.collect();
        fate.people.sort_by_key(|doing| doing.after);
    }
    fate
}

fn ending(chance: &mut fastrand::Rng) -> Ending {
    match chance.u8(..10) {
        0..=3 => Ending::AtEvent(chance.u64(1..120)),
        4..=5 => Ending::After(Duration::from_millis(chance.u64(1..60_000))),
        6..=8 => Ending::AtCommit(chance.u64(1..160), moment(chance)),
        _ => Ending::Own,
    }
}

fn moment(chance: &mut fastrand::Rng) -> CommitMoment {
    if chance.bool() { CommitMoment::Before } else { CommitMoment::After }
}

fn disk(chance: &mut fastrand::Rng) -> Disk {
    match chance.u8(..12) {
        0 => Disk::Bounded(chance.u32(..40)),
        1 | 2 => Disk::Fails {
            from: chance.u64(1..120),
            commits: *chance.choice(&[1, 2, 5, 1_000_000]).unwrap(),
            at: moment(chance),
            how: *chance.choice(&[Failure::Full, Failure::ReadOnly, Failure::Broken]).unwrap(),
        },
        _ => Disk::Well,
    }
}

fn doing(chance: &mut fastrand::Rng) -> Doing {
    let what = match chance.u8(..9) {
        0..=1 => What::Merge,
        2 => What::MergeIntoNew,
        3 => What::MergeInChain,
        4 => What::Delete,
        5 => What::Lock,
        _ => What::Fill(chance.u32(1..60)),
    };
    Doing { after: Duration::from_millis(chance.u64(1..90_000)), what, seed: chance.u64(..) }
}

fn setup(seed: u64, chance: &mut fastrand::Rng) -> Setup {
    let settle = chance.u64(5..=30);
    let missing = if chance.bool() { WhenMissing::New } else { WhenMissing::Reject };
    let full = if chance.u8(..4) > 0 { WhenFull::Continue } else { WhenFull::Reject };
    let locked = if chance.bool() { WhenLocked::Continue } else { WhenLocked::Reject };
    Setup {
        seed,
        faults: faults(settle, chance),
        way: Way {
            seed,
            latency: (1, chance.u64(2..2_000)),
            unreachable: if chance.u8(..4) == 0 { 0.05 } else { 0.0 },
            ..Way::default()
        },
        rate: if chance.u8(..3) == 0 { chance.u32(100..2_000) } else { 0 },
        share: 0.8,
        workers: *chance.choice(&[None, Some(1), Some(2), Some(4), Some(16)]).unwrap(),
        settle: Duration::from_secs(settle),
        conversation: ConversationSettings {
            pack: chance.u8(..4) > 0,
            when_full: full,
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
        for switch in [
            "resource_id = false",
            "name_bad_thread = false",
            "window = \"sliding\"",
            "retry_after_header = true",
            "token_lifetime = \"2m\"",
            "company_id = false",
        ] {
            if chance.u8(..5) == 0 {
                writeln!(script, "{switch}").unwrap();
            }
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
        ("customer", "do = \"omit_resource_id\""),
        ("customer", "do = \"drop_after\""),
        ("list", "do = \"stale\"\nfor = \"3m\""),
        ("search", "do = \"stale\"\nfor = \"3m\""),
    ];
    for (on, deed) in by_rate {
        if chance.u8(..4) == 0 {
            let rate = chance.f64() * if on == "customer" { 0.5 } else { 0.08 };
            writeln!(script, "[[fault]]\non = \"{on}\"\nrate = {rate:.3}\n{deed}").unwrap();
        }
    }
    // Twice in a row would be a refusal of the credentials.
    if chance.u8(..4) == 0 {
        writeln!(script, "[[fault]]\non = \"any\"\nevery = {}\ndo = \"expire_tokens\"", chance.u8(60..250))
            .unwrap();
    }
    let at_once = [
        ("any", format!("do = \"set_limit\"\nunits = {}", chance.u32(60..400))),
        ("write", "do = \"html\"".to_owned()),
        ("read", "do = \"html\"".to_owned()),
        ("any", "do = \"redirect\"\nlocation = \"https://example.com/v2/conversations/5\"".to_owned()),
        ("token", "do = \"redirect\"\nlocation = \"https://example.com/token\"".to_owned()),
    ];
    for (on, deed) in at_once {
        if chance.u8(..8) == 0 {
            let at = chance.u64(1..if on == "token" { 4 } else { 60 });
            writeln!(script, "[[fault]]\non = \"{on}\"\nat = [{at}]\n{deed}").unwrap();
        }
    }
    let by_people = [
        format!("do = \"merge\"\ninto = {}", chance.choice(EXISTING).unwrap().0),
        "do = \"merge\"\ninto = \"new\"".to_owned(),
        "do = \"lock\"".to_owned(),
        "do = \"delete\"".to_owned(),
        format!("do = \"fill\"\nnotes = {}", chance.u8(1..50)),
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
