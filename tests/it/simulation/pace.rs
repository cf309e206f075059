//! The pace over many minutes. `cargo bench --bench pace` prints the whole table, an hour a line.

use callport::helpscout::{Share, time_for};

use super::hour::{Hour, Neighbour, Used};

/// Nothing leaves beyond the share in any minute, and nobody is refused more often than `throttled`.
fn is_within(used: &Used, throttled: u64) {
    assert!(used.fullest <= 1.0, "{used:?}");
    assert!(used.throttled <= throttled, "{used:?}");
}

#[test]
fn alone_all_of_the_share_is_used_and_no_more() {
    for (is_sliding, latency) in [(false, (25, 2_500)), (true, (25, 25))] {
        let used = Hour { minutes: 20, is_sliding, latency, ..Hour::default() }.watch();
        is_within(&used, 0);
        // In the first minute a slow service has to be connected to and the first conversation to be read back.
        let later: u64 = used.minutes[1..].iter().map(|(units, _)| units).sum();
        assert!(later >= 19 * 320 * 97 / 100, "{used:?}");
    }
}

#[test]
fn a_slow_service_gets_as_many_workers_as_its_latency_asks_for() {
    let slow = Hour { minutes: 10, latency: (2_500, 2_500), ..Hour::default() };
    let used = slow.watch();
    is_within(&used, 0);
    assert!(used.alone >= 0.93, "the first minute has to find out: {used:?}");
    // 320 units a minute are 2.7 writes a second, and each takes five.
    assert!((14..=24).contains(&used.in_flight), "{used:?}");
    let capped = Hour { workers: Some(3), ..slow }.watch();
    assert_eq!(capped.in_flight, 3);
    let quick = Hour { minutes: 5, latency: (25, 25), ..Hour::default() }.watch();
    assert!(quick.in_flight <= 4, "{quick:?}");
}

#[test]
fn beside_another_client_nearly_all_that_it_leaves_is_used() {
    for (is_sliding, share) in [(false, "1.0"), (true, "0.8")] {
        let neighbour = Some(Neighbour { from: 6, until: 16, part: 1.0 / 3.0 });
        let used = Hour { limit: 200, minutes: 20, is_sliding, share, neighbour, ..Hour::default() }.watch();
        // One when it begins, one when it ends.
        is_within(&used, 2);
        assert!(used.alone >= 0.96 && used.beside >= Some(0.90), "{used:?}");
        assert!(used.neighbour_throttled <= 10, "of some 700 requests: {used:?}");
    }
}

#[test]
fn a_limit_that_changes_is_followed() {
    for (units, is_sliding) in [(200, false), (200, true), (800, false)] {
        let faults = match units {
            200 => "[[fault]]\nfrom = \"8m\"\ntimes = 1\ndo = \"set_limit\"\nunits = 200",
            _ => "[[fault]]\nfrom = \"8m\"\ntimes = 1\ndo = \"set_limit\"\nunits = 800",
        };
        let used = Hour { minutes: 16, is_sliding, faults, most: 800, ..Hour::default() }.watch();
        is_within(&used, 1);
        let last = used.minutes[12..].iter();
        let used_last = last.clone().map(|(units, _)| *units).sum::<u64>() as f64;
        let allowed_last = last.map(|(_, allowed)| allowed).sum::<f64>();
        assert!(used_last >= 0.97 * allowed_last && used_last <= allowed_last, "{used:?}");
    }
}

#[test]
fn a_run_takes_as_long_as_check_says() {
    for (limit, share) in [(400, "0.8"), (200, "0.8"), (800, "00:00,0.3 14:18,0.9")] {
        let used = Hour { limit, share, calls: Some(1_500), minutes: 40, ..Hour::default() }.watch();
        let said = time_for(used.units, limit, &Share::parse(share).unwrap(), (14 * 60 + 13) * 60 + 20);
        let took = used.last_left as f64 / 1000.0;
        let off = took / said.as_secs_f64() - 1.0;
        assert!(off.abs() < 0.02, "{limit} {share}: {took} s, {said:?} said");
    }
}

#[test]
fn lost_answers_leave_no_unit_unused() {
    let faults = "[[fault]]\non = \"create\"\nevery = 50\ndo = \"drop_after\"";
    let used = Hour { minutes: 15, faults, ..Hour::default() }.watch();
    is_within(&used, 0);
    assert!(used.alone >= 0.96, "{used:?}");
}

#[test]
fn a_service_that_says_nothing_of_its_limit_gets_what_is_assumed() {
    let silent = Hour { limit: 200, is_silent: true, minutes: 15, ..Hour::default() };
    let used = silent.watch();
    is_within(&used, 0);
    assert!(used.alone >= 0.97, "{used:?}");
    // Too much was assumed: what had passed before a refusal shows it, and from then on that is kept to.
    let used = Hour { assumed: 400, ..silent }.watch();
    assert!((1..=4).contains(&used.throttled), "{used:?}");
    assert!(used.minutes[6..10].iter().all(|(units, _)| *units <= 200), "{used:?}");
}

#[test]
fn a_timetable_is_followed_to_the_minute() {
    // From the sixth minute on less than half, from the eleventh on more than before.
    let share = "00:00,0.6 14:20,0.25 14:25,0.9";
    let used = Hour { minutes: 18, share, ..Hour::default() }.watch();
    is_within(&used, 0);
    let clocks: Vec<u64> = used.minutes.iter().map(|(units, _)| *units).collect();
    // The clock's minutes begin 40 seconds after the run's.
    for (minutes, allowed) in [(1..6, 240), (7..11, 100), (12..18, 360)] {
        for units in &clocks[minutes] {
            assert!((allowed * 96 / 100..=allowed).contains(units), "{units} of {allowed}: {clocks:?}");
        }
    }
}
