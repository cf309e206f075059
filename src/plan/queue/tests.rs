//! What the steps of queues come to.

use proptest::prelude::*;

use super::*;

/// Plays a queue to its end as the worker does, with no more than `at_hand` calls in its hands: the threads of each
/// conversation, how often one was asked, and the requests.
fn play_with(
    mut newest: Newest,
    there: u32,
    sizes: &[u32],
    rules: PlanRules,
    at_hand: usize,
) -> (Vec<Vec<usize>>, usize, usize) {
    let mut conversations = vec![Vec::new()];
    let (mut next, mut asked, mut requests, mut is_filling) = (0_usize, 0, 0, false);
    loop {
        let hand = &sizes[next..sizes.len().min(next.saturating_add(at_hand))];
        match next_step(newest, hand, if is_filling { rules.filling() } else { rules }) {
            Step::Done => return (conversations, asked, requests),
            Step::Ask => {
                assert!(matches!(newest, Newest::Unasked | Newest::Unmet));
                (asked, newest) = (asked + 1, Newest::Holds(there));
                continue;
            }
            Step::Append => {
                let Newest::Holds(threads) = newest else { panic!("added to {newest:?}") };
                assert!(threads < APPEND_CAP);
                conversations.last_mut().unwrap().push(next);
                (next, newest, is_filling) = (next + 1, Newest::Holds(threads + 1), true);
            }
            Step::Create(count) => {
                conversations.push((next..next + count).collect());
                next += count;
                (newest, is_filling) = (Newest::Holds(u32::try_from(count).unwrap()), false);
            }
        }
        requests += 1;
    }
}

fn play(threads: Option<u32>, sizes: &[u32], rules: impl Into<PlanRules>) -> (Vec<Vec<usize>>, usize) {
    let newest = threads.map_or(Newest::Absent, Newest::Holds);
    let (conversations, _, requests) = play_with(newest, 0, sizes, rules.into(), usize::MAX);
    (conversations, requests)
}

fn cheap() -> PlanRules {
    PlanRules { appending: WhenAppending::Cheap, ..PlanRules::from(PackLimits::new(true)) }
}

#[test]
fn the_groups_of_the_documents_take_the_fewest_requests() {
    let limits = PackLimits::new(true);
    for (calls, requests) in [(0, 0), (1, 1), (98, 1), (99, 1), (100, 1), (101, 2), (250, 3), (1000, 10)] {
        assert_eq!(play(None, &vec![500; calls], limits).1, requests, "{calls} calls");
    }
    for (there, calls, requests) in [(97, 1, 1), (97, 2, 2), (97, 3, 3), (98, 2, 2), (99, 2, 1), (99, 101, 2)]
    {
        assert_eq!(play(Some(there), &vec![500; calls], limits).1, requests, "{calls} calls onto {there}");
    }
}

#[test]
fn what_is_cheaper_in_a_new_conversation_goes_there_and_a_tie_stays() {
    // Threads, calls, writes that fill, writes that are cheap.
    for (there, calls, fill, cheapest) in [
        (60, 40, 39 + 1, 1),
        (60, 1, 1, 1),
        (60, 2, 2, 1),
        (98, 2, 1 + 1, 1),
        (99, 2, 1, 1),
        (0, 99, 99, 1),
        // The first hundred decide: one create for them, and the one that is left goes where it fits.
        (60, 101, 39 + 1, 2),
        (98, 101, 1 + 1, 2),
    ] {
        let sizes = vec![500; calls];
        assert_eq!(play(Some(there), &sizes, PackLimits::new(true)).1, fill, "{calls} calls onto {there}");
        assert_eq!(play(Some(there), &sizes, cheap()).1, cheapest, "{calls} calls onto {there}, cheap");
    }
    let (conversations, _) = play(Some(60), &[500], cheap());
    assert_eq!(conversations, [vec![0]], "a single call keeps the history together");
}

#[test]
fn a_create_that_its_bytes_cut_short_is_followed_by_another() {
    // Sixty calls fill a create; forty are left for a conversation with room for thirty-nine.
    let sizes = [3_300; 100];
    let (filled, requests) = play(None, &sizes, PackLimits::new(true));
    assert_eq!((filled[1].len(), requests), (99, 1 + 39 + 1));
    let (apart, requests) = play(None, &sizes, cheap());
    assert_eq!((apart[1].len(), apart[2].len(), requests), (60, 40, 2));
}

#[test]
fn one_call_a_request_is_always_a_tie() {
    let rules = PlanRules { limits: PackLimits::new(false), ..cheap() };
    let sizes = [500; 150];
    assert_eq!(play(Some(60), &sizes, rules), play(Some(60), &sizes, rules.filling()));
}

#[test]
fn where_the_rows_name_a_conversation_and_a_full_one_rejects_there_is_no_choice() {
    let rules = PlanRules { full_rejects: true, ..cheap() };
    let step = |rules: PlanRules| next_step(Newest::Holds(5), &[500; 40], rules);
    assert_eq!((step(rules.towards(true)), step(rules.towards(false))), (Step::Append, Step::Create(40)));
    let continued = PlanRules { full_rejects: false, ..rules };
    assert_eq!(step(continued.towards(true)), Step::Create(40));
}

#[test]
fn a_conversation_is_asked_only_where_the_answer_matters() {
    let ask = |newest, calls: usize, rules| next_step(newest, &vec![500; calls], rules);
    assert_eq!(ask(Newest::Unasked, 40, cheap()), Step::Create(40));
    assert_eq!(ask(Newest::Unasked, 1, cheap()), Step::Ask);
    assert_eq!(ask(Newest::Unasked, 40, cheap().filling()), Step::Ask);
    assert_eq!(ask(Newest::Unmet, 40, cheap()), Step::Ask);
    assert_eq!(ask(Newest::Unmet, 0, cheap()), Step::Done);
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

fn rules() -> impl Strategy<Value = PlanRules> {
    (any::<bool>(), any::<bool>()).prop_map(|(pack, is_cheap)| PlanRules {
        appending: if is_cheap { WhenAppending::Cheap } else { WhenAppending::Fill },
        ..PlanRules::from(PackLimits::new(pack))
    })
}

/// Calls of which a hundred fit into a create, or few, or one.
fn sizes() -> impl Strategy<Value = Vec<u32>> {
    prop_oneof![
        proptest::collection::vec(1_u32..60_000, 0..400),
        proptest::collection::vec(1_u32..4_000, 0..400),
        proptest::collection::vec(80_000_u32..250_000, 0..150),
    ]
}

proptest! {
    #[test]
    fn caps_and_order_are_kept_and_nothing_is_lost(
        there in proptest::option::of(0_u32..120),
        sizes in sizes(),
        rules in rules(),
    ) {
        let (conversations, _) = play(there, &sizes, rules);
        let sent: Vec<usize> = conversations.concat();
        prop_assert_eq!(sent, (0..sizes.len()).collect::<Vec<_>>());
        let appended = u32::try_from(conversations[0].len()).unwrap();
        prop_assert!(appended == 0 || there.unwrap() + appended <= APPEND_CAP);
        for conversation in &conversations[1..] {
            prop_assert!(conversation.len() <= CREATE_CAP);
        }
    }

    /// `check` has all sizes at hand, a worker a hundred calls: they decide alike.
    #[test]
    fn whoever_has_a_hundred_calls_at_hand_decides_as_whoever_has_all(
        there in 0_u32..120,
        newest in prop_oneof![Just(None), Just(Some(Newest::Unasked)), Just(Some(Newest::Unmet))],
        sizes in sizes(),
        rules in rules(),
    ) {
        let newest = newest.unwrap_or(Newest::Holds(there));
        prop_assert_eq!(
            play_with(newest, there, &sizes, rules, CREATE_CAP),
            play_with(newest, there, &sizes, rules, usize::MAX)
        );
    }

    /// What is decided without asking is decided alike whatever the answer would have been.
    #[test]
    fn an_answer_that_is_not_asked_for_would_have_changed_nothing(there in 0_u32..120, sizes in sizes(), rules in rules()) {
        let unasked = next_step(Newest::Unasked, &sizes, rules);
        if unasked != Step::Ask {
            prop_assert_eq!(next_step(Newest::Holds(there), &sizes, rules), unasked);
        }
    }

    /// Of up to a hundred calls: never more writes than filling takes, and as many as new conversations alone where
    /// those are fewer.
    #[test]
    fn cheap_never_takes_more_writes(there in 0_u32..120, mut sizes in sizes()) {
        sizes.truncate(CREATE_CAP);
        let (fill, cheapest) = (play(Some(there), &sizes, cheap().filling()).1, play(Some(there), &sizes, cheap()).1);
        prop_assert!(cheapest <= fill, "{cheapest} > {fill}");
        prop_assert!(cheapest <= creates(&sizes, PackLimits::new(true)));
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
        let Step::Create(count) = next_step(Newest::Absent, &sizes, limits.into()) else { panic!("nothing to append to") };
        let bytes: usize = ENVELOPE + sizes[..count].iter().map(|size| *size as usize).sum::<usize>();
        prop_assert!(count == 1 || bytes <= limits.bytes);
    }
}
