//! What must hold after every life, set against the sandbox's own record.

use std::collections::{BTreeMap, HashMap, HashSet};

use callport::{
    checkpoint::UndecidedCall,
    import::{ImportError, Imported},
    sandbox::{AcceptedThread, Sandbox, Status, World},
};

use super::{
    trial::{EXISTING, Life, Trial},
    workload::{SimCall, Who},
};

/// Panics where something does not hold.
pub(super) fn check(trial: &Trial, life: &Life) {
    let sandbox = trial.sandbox();
    let threads = sandbox.accepted_threads();
    let carried = carried(trial, &threads);
    for call in &trial.workload.calls {
        let times = carried.get(&call.token).map_or(0, |threads| live(&sandbox, threads));
        assert!(times <= 1, "{} stands there {times} times", call.mark());
        assert!(call.is_good() || times == 0, "{} is a bad row", call.mark());
    }
    for (token, threads) in &carried {
        for thread in threads {
            is_what_the_row_says(&sandbox, call_of(trial, *token), thread);
        }
    }
    conversations_are_well(trial, &sandbox);
    people_are_single(&sandbox);
    // What was merged into a conversation waits with that one's calls; where it is deleted then, what comes later goes its
    // own way.
    let is_split = trial.may_merge() && trial.may_delete();
    let is_refused = ["refuse_thread", "status = 400"].iter().any(|fault| trial.setup.faults.contains(fault));
    if !is_split && !is_refused {
        order_is_kept(trial, &sandbox, &threads);
    }
    caps_are_kept(trial, life);
    let told = life.told.landed();
    assert!(told <= life.landed_on_disk, "{told} are told, {} are on disk", life.landed_on_disk);
    units_are_within(trial, life);
    drop(sandbox);
    match &life.outcome {
        // It ended without a word, or was asked to stop while rows were read.
        None | Some(Err(ImportError::Stopped)) => {}
        Some(Ok(imported)) => sheet_closes(trial, life, imported, &carried),
        Some(Err(ImportError::Checkpoint(error))) => {
            assert!(!life.disk_is_well && error.is_passing(), "{error:?}");
        }
        Some(Err(error)) => panic!("the import did not begin: {error:?}"),
    }
}

/// What holds beside, once a life without misfortunes has come to its end: everything is decided but what nobody can know.
pub(super) fn check_last(trial: &Trial, life: &Life) {
    let done = life.done();
    let status = trial.status();
    let sandbox = trial.sandbox();
    let threads = sandbox.accepted_threads();
    let carried = carried(trial, &threads);
    for call in &status.undecided {
        let token = trial.workload.at_line(call.line).token;
        let threads = carried.get(&token).map_or(&[][..], Vec::as_slice);
        let is_there = threads.iter().any(|thread| !is_deleted(&sandbox, thread));
        // In a conversation merged so long ago that its old id leads nowhere, it may be.
        let is_made = call.conversation.is_none();
        assert!(!is_there || !is_made, "#{token:06}# is undecided and there: {call:?}");
        assert!(
            is_beyond_knowing(sandbox.world(), trial.now_ms(), call),
            "#{token:06}# is undecided: {call:?}"
        );
    }
    let holds_others_up = status.undecided.iter().any(|call| call.conversation.is_none());
    assert!(holds_others_up || done.sheet.pending == 0, "{:?}", done.sheet);
}

/// Whether nobody can know what came of a call: where it was to go is gone, or it was made and is gone.
fn is_beyond_knowing(world: &World, now_ms: i64, call: &UndecidedCall) -> bool {
    const MERGED_FOR: i64 = 60 * 24 * 3_600_000;
    let Some(mut id) = call.conversation else {
        return call.why.as_deref().is_some_and(|why| why.contains("named no id"));
    };
    loop {
        let one = world.conversation(id).expect("a conversation of the world");
        match one.merged {
            _ if one.deleted => return true,
            None => return false,
            Some(merge) if merge.at_ms.is_none_or(|at| now_ms - at < MERGED_FOR) => id = merge.into,
            Some(_) => return true,
        }
    }
}

/// The threads that carry each call, by its token.
fn carried<'a>(trial: &Trial, threads: &'a [AcceptedThread]) -> HashMap<usize, Vec<&'a AcceptedThread>> {
    let mut carried: HashMap<usize, Vec<&AcceptedThread>> = HashMap::new();
    for thread in threads {
        let token = token_of(&thread.text).unwrap_or_else(|| panic!("no call in `{}`", thread.text));
        assert!(trial.workload.calls.iter().any(|call| call.token == token), "a call of no row");
        assert!(thread.text.contains("Ref: sim "), "no reference in `{}`", thread.text);
        carried.entry(token).or_default().push(thread);
    }
    carried
}

/// How many of them there are, without those that a person deleted before anybody could see that they had landed.
fn live(sandbox: &Sandbox, threads: &[&AcceptedThread]) -> usize {
    let live = threads.iter().filter(|thread| !is_deleted(sandbox, thread)).count();
    live.max(usize::from(!threads.is_empty()))
}

fn is_deleted(sandbox: &Sandbox, thread: &AcceptedThread) -> bool {
    sandbox.world().conversation(thread.conversation).is_some_and(|one| one.deleted)
}

fn token_of(text: &str) -> Option<usize> {
    text.split('#').nth(1)?.parse().ok()
}

fn call_of(trial: &Trial, token: usize) -> &SimCall {
    trial.workload.calls.iter().find(|call| call.token == token).unwrap()
}

/// Customer, time and place are those of the row.
fn is_what_the_row_says(sandbox: &Sandbox, call: &SimCall, thread: &AcceptedThread) {
    assert!(thread.imported, "{} was not imported", call.mark());
    assert_eq!(thread.created, call.started, "{} has another time", call.mark());
    let world = sandbox.world();
    let customer = world.customer(thread.customer).expect("a customer of the world");
    match &call.who {
        Who::Id(id) => assert_eq!(thread.customer, *id, "{}", call.mark()),
        Who::Email(email) | Who::Both(email, _) => {
            assert!(customer.emails.iter().any(|known| **known == **email));
        }
        Who::Phone(number) => assert!(customer.phones.iter().any(|known| **known == **number)),
        Who::Nobody => panic!("{} names nobody", call.mark()),
    }
    let conversation = world.conversation(thread.conversation).expect("a conversation of the world");
    assert_eq!(conversation.inbox, 85);
}

fn conversations_are_well(trial: &Trial, sandbox: &Sandbox) {
    let may_merge = trial.may_merge();
    for conversation in sandbox.world().conversations() {
        let (id, stored) = (conversation.id, conversation.stored_threads());
        assert_eq!(conversation.reopened, 0, "conversation {id} was reopened");
        assert_eq!(conversation.status, Status::Closed, "conversation {id}");
        assert!(may_merge || stored <= 100, "conversation {id} holds {stored} threads");
        let is_ours = !EXISTING.iter().any(|(known, _)| *known == id);
        assert!(!is_ours || may_merge || !conversation.threads.is_empty(), "conversation {id} is empty");
        let is_tagged = conversation.tags.iter().any(|tag| **tag == *"callport");
        assert!(!is_ours || may_merge || is_tagged, "conversation {id} is not tagged");
    }
}

/// No e-mail and no number has two customers.
fn people_are_single(sandbox: &Sandbox) {
    let mut known = HashSet::new();
    for customer in sandbox.world().customers() {
        for way in customer.emails.iter().chain(&customer.phones) {
            assert!(known.insert(way.to_lowercase()), "`{way}` has two customers");
        }
    }
}

/// Within a group the calls were stored in order of time, whatever conversation holds them.
fn order_is_kept(trial: &Trial, sandbox: &Sandbox, threads: &[AcceptedThread]) {
    let mut last: BTreeMap<String, (i64, String)> = BTreeMap::new();
    for thread in threads.iter().filter(|thread| !is_deleted(sandbox, thread)) {
        let call = call_of(trial, token_of(&thread.text).unwrap());
        let group = call.group(trial.setup.by_call);
        if let Some((before, mark)) = last.get(&group) {
            assert!(*before <= call.started, "{} was stored after {mark} ({group})", call.mark());
        }
        last.insert(group, (call.started, call.mark()));
    }
}

/// No request carries more threads than one may, and none goes where there is no room.
fn caps_are_kept(trial: &Trial, life: &Life) {
    assert!(life.seen.too_large.is_empty(), "more than 100 threads: {:?}", life.seen.too_large);
    let is_alone = !trial.may_fill() && !trial.setup.faults.contains("append_cap");
    assert!(!is_alone || life.seen.into_full.is_empty(), "into a full one: {:?}", life.seen.into_full);
}

/// In no minute, wherever it begins, more units leave than the share of the limit that was stated then. A minute that
/// begins while a token is renewed is left out: who has a permit already waits for the token, and then all leave at once.
fn units_are_within(trial: &Trial, life: &Life) {
    const MINUTE: u64 = 60_000;
    // There and back, with some to spare.
    const RENEWAL: u64 = 10_000;
    let mut limits = vec![(0, u64::from(trial.setup.rate))];
    limits.extend(&life.seen.limits);
    let spans = limits.iter().zip(limits[1..].iter().map(|(at, _)| *at).chain([u64::MAX]));
    for ((from, limit), until) in spans.filter(|((_, limit), _)| *limit > 0) {
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let allowed = *limit as f64 * trial.setup.share;
        let left: Vec<&(u64, u64)> =
            life.seen.left.iter().filter(|(at, _)| (*from..until).contains(at)).collect();
        let (mut first, mut units, mut renewed_at) = (0, 0, None);
        for (at, more) in &left {
            units += more;
            // Requests for tokens cost nothing; the first one is before everything else.
            if *more == 0 && *at > 0 {
                renewed_at = Some(*at);
            }
            while left[first].0 + MINUTE <= *at {
                units -= left[first].1;
                first += 1;
            }
            let may_bunch = renewed_at.is_some_and(|renewed| *at < renewed + MINUTE + RENEWAL);
            #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
            let used = units as f64;
            assert!(may_bunch || used <= allowed, "{units} units in the minute up to {at} ms of {allowed}");
        }
    }
}

/// Every row is accounted for, and truly so: what is told to have landed has, and what is told not to has not.
fn sheet_closes(
    trial: &Trial,
    life: &Life,
    imported: &Imported,
    carried: &HashMap<usize, Vec<&AcceptedThread>>,
) {
    let sheet = &imported.sheet;
    let sum = sheet.imported
        + sheet.already_imported
        + sheet.skipped
        + sheet.rejected
        + sheet.undecided
        + sheet.pending;
    assert_eq!(sheet.rows, sum, "{sheet:?}");
    assert_eq!(sheet.rows, trial.workload.calls.len() as u64);
    if imported.halted.is_none() && imported.undecided == 0 {
        assert_eq!(sheet.pending, 0, "{sheet:?}");
    }
    let rejected = life.told.rejected();
    assert_eq!(rejected.len() as u64, sheet.rejected, "{sheet:?}");
    let tokens = |lines: &[u64]| -> HashSet<usize> {
        lines.iter().map(|line| trial.workload.at_line(*line).token).collect()
    };
    let rejected = tokens(&rejected.iter().map(|(line, _)| *line).collect::<Vec<_>>());
    let undecided = tokens(&trial.status().undecided.iter().map(|call| call.line).collect::<Vec<_>>());
    assert_eq!(undecided.len() as u64, sheet.undecided, "{sheet:?}");
    let sandbox = trial.sandbox();
    // What a person deleted before anybody saw it may be known to have landed, or be proved absent.
    let (mut landed, mut perhaps, mut repeats, mut told) = (0, 0, 0, HashSet::new());
    for call in &trial.workload.calls {
        if !told.insert(call.token) {
            repeats += 1;
            continue;
        }
        let threads = carried.get(&call.token).map_or(&[][..], Vec::as_slice);
        let is_live = threads.iter().any(|thread| !is_deleted(&sandbox, thread));
        assert!(!rejected.contains(&call.token) || !is_live, "{} is there and rejected", call.mark());
        if !rejected.contains(&call.token) && !undecided.contains(&call.token) {
            landed += u64::from(is_live);
            perhaps += u64::from(!is_live && !threads.is_empty());
        }
    }
    let known = sheet.imported + sheet.already_imported;
    assert!(
        (landed + repeats..=landed + repeats + perhaps).contains(&known),
        "{landed} landed, {perhaps} may have, {repeats} repeats: {sheet:?}"
    );
}
