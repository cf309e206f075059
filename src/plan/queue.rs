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

/// The next request of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing is left to send.
    Done,
    /// The first call goes into the conversation that is there.
    Append,
    /// The first so many calls go into a new conversation.
    Create(usize),
}

/// The next request for the calls of `sizes` (the bytes of JSON that each takes, in order of time), when the queue's
/// newest conversation holds `threads` (`None`: there is none, or it takes no more).
///
/// A call too large for any request still makes a step of its own: the service says what it thinks of it.
pub fn next_step(threads: Option<u32>, sizes: &[u32], limits: PackLimits) -> Step {
    if sizes.is_empty() {
        return Step::Done;
    }
    if threads.is_some_and(|threads| threads < APPEND_CAP) {
        return Step::Append;
    }
    let mut bytes = ENVELOPE;
    let fitting = sizes
        .iter()
        .take(limits.calls.clamp(1, CREATE_CAP))
        .take_while(|size| {
            bytes += **size as usize;
            bytes <= limits.bytes
        })
        .count();
    Step::Create(fitting.max(1))
}

/// The subject of a queue's `part`-th conversation (from 1).
pub fn part_subject(subject: &str, part: u32) -> String {
    if part <= 1 { subject.to_owned() } else { format!("{subject} ({part})") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Plays a queue to its end: the threads of each conversation, and the requests.
    fn play(threads: Option<u32>, sizes: &[u32], limits: PackLimits) -> (Vec<Vec<usize>>, usize) {
        let mut conversations = vec![Vec::new()];
        let (mut threads, mut next, mut requests) = (threads, 0, 0);
        loop {
            match next_step(threads, &sizes[next..], limits) {
                Step::Done => return (conversations, requests),
                Step::Append => {
                    conversations.last_mut().unwrap().push(next);
                    next += 1;
                    threads = threads.map(|n| n + 1);
                }
                Step::Create(count) => {
                    conversations.push((next..next + count).collect());
                    next += count;
                    threads = Some(u32::try_from(count).unwrap());
                }
            }
            requests += 1;
        }
    }

    #[test]
    fn the_groups_of_the_documents_take_the_fewest_requests() {
        let limits = PackLimits::new(true);
        for (calls, requests) in [(0, 0), (1, 1), (98, 1), (99, 1), (100, 1), (101, 2), (250, 3), (1000, 10)]
        {
            assert_eq!(play(None, &vec![500; calls], limits).1, requests, "{calls} calls");
        }
        for (there, calls, requests) in
            [(97, 1, 1), (97, 2, 2), (97, 3, 3), (98, 2, 2), (99, 2, 1), (99, 101, 2)]
        {
            assert_eq!(
                play(Some(there), &vec![500; calls], limits).1,
                requests,
                "{calls} calls onto {there}"
            );
        }
    }

    #[test]
    fn without_packing_a_conversation_begins_with_one_call_and_grows() {
        let (conversations, requests) = play(None, &[500; 100], PackLimits::new(false));
        assert_eq!(conversations.iter().map(Vec::len).collect::<Vec<_>>(), [0, 99, 1]);
        assert_eq!(requests, 100);
    }

    #[test]
    fn later_parts_are_numbered() {
        assert_eq!(part_subject("Calls", 1), "Calls");
        assert_eq!(part_subject("Calls", 3), "Calls (3)");
    }

    proptest! {
        #[test]
        fn caps_and_order_are_kept_and_nothing_is_lost(
            there in proptest::option::of(0_u32..120),
            sizes in proptest::collection::vec(1_u32..60_000, 0..400),
            pack: bool,
        ) {
            let limits = PackLimits::new(pack);
            let (conversations, _) = play(there, &sizes, limits);
            let sent: Vec<usize> = conversations.concat();
            prop_assert_eq!(sent, (0..sizes.len()).collect::<Vec<_>>());
            let appended = u32::try_from(conversations[0].len()).unwrap();
            prop_assert!(appended == 0 || there.unwrap() + appended <= APPEND_CAP);
            for conversation in &conversations[1..] {
                prop_assert!(conversation.len() <= CREATE_CAP);
            }
        }

        /// Calls that the service's size limit does not concern: appends until the conversation is full, then a create a
        /// hundred. No order of requests that fills the conversation first takes fewer.
        #[test]
        fn the_number_of_requests_is_the_optimum(there in proptest::option::of(0_u32..120), calls in 0_usize..1_000) {
            let room = there.map_or(0, |threads| APPEND_CAP.saturating_sub(threads) as usize);
            let appended = calls.min(room);
            let created = (calls - appended).div_ceil(CREATE_CAP);
            // A last part that is not full takes nothing more in the same run: all its calls are in its create.
            prop_assert_eq!(play(there, &vec![500; calls], PackLimits::new(true)).1, appended + created);
        }

        #[test]
        fn a_create_stays_within_the_bytes_unless_one_call_alone_is_larger(
            sizes in proptest::collection::vec(1_u32..150_000, 1..200),
        ) {
            let limits = PackLimits::new(true);
            let Step::Create(count) = next_step(None, &sizes, limits) else { panic!("nothing to append to") };
            let bytes: usize = ENVELOPE + sizes[..count].iter().map(|size| *size as usize).sum::<usize>();
            prop_assert!(count == 1 || bytes <= limits.bytes);
        }
    }
}
