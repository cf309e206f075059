//! What must hold after every life, set against the sandbox's own record.

use std::collections::{BTreeMap, HashMap, HashSet};

use callport::sandbox::{AcceptedThread, Sandbox, Status};

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
    if !trial.setup.faults.contains("refuse_thread") && !trial.setup.faults.contains("status = 400") {
        order_is_kept(trial, &sandbox, &threads);
    }
    if trial.setup.rate > 0 && life.outcome.is_some() {
        units_are_within(trial, &sandbox);
    }
    drop(sandbox);
    sheet_closes(trial, life, &carried);
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
        Who::Email(email) => assert!(customer.emails.iter().any(|known| **known == **email)),
        Who::Phone(number) => assert!(customer.phones.iter().any(|known| **known == **number)),
        Who::Nobody => panic!("{} names nobody", call.mark()),
    }
    let conversation = world.conversation(thread.conversation).expect("a conversation of the world");
    assert_eq!(conversation.inbox, 85);
}

fn conversations_are_well(trial: &Trial, sandbox: &Sandbox) {
    let may_merge = trial.setup.faults.contains("merge");
    for conversation in sandbox.world().conversations() {
        let (id, stored) = (conversation.id, conversation.stored_threads());
        assert_eq!(conversation.reopened, 0, "conversation {id} was reopened");
        assert_eq!(conversation.status, Status::Closed, "conversation {id}");
        assert!(may_merge || stored <= 100, "conversation {id} holds {stored} threads");
        let is_ours = !EXISTING.iter().any(|(known, _)| *known == id);
        assert!(!is_ours || may_merge || !conversation.threads.is_empty(), "conversation {id} is empty");
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

fn units_are_within(trial: &Trial, sandbox: &Sandbox) {
    let allowed = f64::from(trial.setup.rate) * trial.setup.share;
    for (minute, units) in &sandbox.tally().units {
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let used = *units as f64;
        assert!(used <= allowed, "{units} units in minute {minute} of {allowed}");
    }
}

/// Every row is accounted for, and truly so: what is told to have landed has, and what is told not to has not.
fn sheet_closes(trial: &Trial, life: &Life, carried: &HashMap<usize, Vec<&AcceptedThread>>) {
    let Some(outcome) = &life.outcome else { return };
    let imported = outcome.as_ref().expect("the import began");
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
    // Behind an undecided call the rest of its conversation waits, and that of those merged into it.
    let by_call = trial.setup.by_call;
    let may_merge = trial.setup.faults.contains("merge");
    let waiting: HashSet<String> =
        undecided.iter().map(|token| call_of(trial, *token).group(by_call)).collect();
    // Calls wait for a customer too that was made and is nowhere to be found.
    let no_customer = trial.setup.faults.contains("on = \"customer\"\ndo = \"omit_resource_id\"");
    let waits = |call: &SimCall| {
        no_customer || waiting.contains(&call.group(by_call)) || (may_merge && !waiting.is_empty())
    };
    let (mut landed, mut repeats, mut told) = (0, 0, HashSet::new());
    for call in &trial.workload.calls {
        if !told.insert(call.token) {
            repeats += 1;
            continue;
        }
        let is_there = carried.contains_key(&call.token);
        let is_open = rejected.contains(&call.token) || undecided.contains(&call.token);
        landed += u64::from(is_there && !undecided.contains(&call.token));
        assert!(!rejected.contains(&call.token) || !is_there, "{} is there and rejected", call.mark());
        if imported.halted.is_none() {
            assert!(is_there || is_open || waits(call), "{} is lost", call.mark());
        }
    }
    assert_eq!(landed + repeats, sheet.imported + sheet.already_imported, "{sheet:?}");
}
