//! The next request of a conversation's queue.

/// A conversation with this many threads takes no more by appending (the page 'Create Phone Thread': refused at 99 or
/// more).
pub const APPEND_CAP: u32 = 99;
/// A create request takes at most this many threads (the same page).
pub const CREATE_CAP: usize = 100;
/// A create request takes at most about this many bytes (help-scout-api.md §18: the limit is not documented, the former
/// API's was 256 kB).
pub const DEFAULT_BODY_LIMIT: usize = 200_000;
/// What a create request needs besides its threads: subject, tags, customer, names of fields.
const ENVELOPE: usize = 2_000;

/// How much one create request may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackLimits {
    /// Calls.
    pub calls: usize,
    /// Bytes of JSON.
    pub bytes: usize,
}

impl PackLimits {
    /// A hundred calls a request, or one where packing is off.
    pub fn new(pack: bool) -> Self {
        Self { calls: if pack { CREATE_CAP } else { 1 }, bytes: DEFAULT_BODY_LIMIT }
    }
}

/// Which is wanted where calls may be added to a conversation or go on in a new one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WhenAppending {
    /// The conversation that is there is filled first: what belongs together stays together.
    #[default]
    Fill,
    /// A new one is made where that takes fewer writes.
    Cheap,
}

/// By what a plan is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanRules {
    /// How much one create may carry.
    pub limits: PackLimits,
    /// Which is wanted where there is a choice.
    pub appending: WhenAppending,
    /// Whether calls are rejected for which the conversation that their rows name has no room.
    pub full_rejects: bool,
}

impl From<PackLimits> for PlanRules {
    fn from(limits: PackLimits) -> Self {
        Self { limits, appending: WhenAppending::default(), full_rejects: false }
    }
}

impl PlanRules {
    /// The rules for what would be added to a conversation. Where the rows name it and what does not fit is rejected,
    /// nothing goes on elsewhere, so that there is no choice.
    #[must_use]
    pub fn towards(self, is_named: bool) -> Self {
        if is_named && self.full_rejects { self.filling() } else { self }
    }

    /// The rules for a conversation that is being filled: once a call was added, those that it was decided for follow.
    #[must_use]
    pub fn filling(self) -> Self {
        Self { appending: WhenAppending::Fill, ..self }
    }
}

/// What is known of the conversation that would take a queue's next call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Newest {
    /// There is none, or it takes no more.
    Absent,
    /// It holds so many threads.
    Holds(u32),
    /// It is there, but what it holds by now was not asked in this run.
    Unasked,
    /// The rows name it, and it was never asked: it is looked into whatever follows, because calls may be in it that the
    /// checkpoint does not know.
    Unmet,
}

/// The next request of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing is left to send.
    Done,
    /// How many threads the conversation holds has to be asked first.
    Ask,
    /// The first call goes into the conversation that is there.
    Append,
    /// The first so many calls go into a new conversation.
    Create(usize),
}

/// The next request for the calls of `sizes` (the bytes of JSON that each takes, in order of time). Only the first
/// [`CREATE_CAP`] of them count, so that whoever has no more than those at hand decides as whoever has all.
///
/// A call too large for any request still makes a step of its own: the service says what it thinks of it.
pub fn next_step(newest: Newest, sizes: &[u32], rules: PlanRules) -> Step {
    if sizes.is_empty() {
        return Step::Done;
    }
    let window = &sizes[..sizes.len().min(CREATE_CAP)];
    let room = match newest {
        Newest::Unmet => return Step::Ask,
        Newest::Absent => 0,
        Newest::Holds(threads) => APPEND_CAP.saturating_sub(threads) as usize,
        // More room never makes filling cheaper: a new one that is cheaper than this is cheaper than filling whatever there is.
        Newest::Unasked => 1,
    };
    let fills =
        room > 0 && (rules.appending == WhenAppending::Fill || !is_new_cheaper(room, window, rules.limits));
    match newest {
        Newest::Unasked if fills => Step::Ask,
        _ if fills => Step::Append,
        _ => Step::Create(first_create(window, rules.limits)),
    }
}

/// Whether `window` takes fewer writes in new conversations than in one that has `room` for so many, and what does not fit in
/// new ones.
fn is_new_cheaper(room: usize, window: &[u32], limits: PackLimits) -> bool {
    let fitting = room.min(window.len());
    creates(window, limits) < fitting + creates(&window[fitting..], limits)
}

/// How many of the first calls one create takes.
fn first_create(sizes: &[u32], limits: PackLimits) -> usize {
    let mut bytes = ENVELOPE;
    let fitting = sizes.iter().take(limits.calls.clamp(1, CREATE_CAP)).take_while(|size| {
        bytes += **size as usize;
        bytes <= limits.bytes
    });
    fitting.count().max(1)
}

/// How many creates all the calls take.
fn creates(mut sizes: &[u32], limits: PackLimits) -> usize {
    let mut count = 0;
    while !sizes.is_empty() {
        sizes = &sizes[first_create(sizes, limits).min(sizes.len())..];
        count += 1;
    }
    count
}

/// The subject of a queue's `part`-th conversation (from 1).
pub fn part_subject(subject: &str, part: u32) -> String {
    if part <= 1 { subject.to_owned() } else { format!("{subject} ({part})") }
}

#[cfg(test)]
mod tests;
