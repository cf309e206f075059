//! Every test runs on paused time: an hour takes a moment.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

fn pacer(limit: u32, share: f64) -> Pacer {
    Pacer::new(limit, Share::always(share).unwrap(), || 0)
}

/// What left when, by `workers` who always have something to send, until `span` is over.
async fn sent(pacer: Arc<Pacer>, workers: u32, span: Duration) -> Vec<(Duration, u32)> {
    let start = Instant::now();
    let log = Arc::new(Mutex::new(Vec::new()));
    let tasks: Vec<_> = (0..workers)
        .map(|worker| {
            let (pacer, log) = (Arc::clone(&pacer), Arc::clone(&log));
            tokio::spawn(async move {
                let mut turn = worker;
                while start.elapsed() < span {
                    let units = if turn % 3 == 0 { READ_UNITS } else { WRITE_UNITS };
                    pacer.permit(units).await;
                    log.lock().unwrap().push((start.elapsed(), units));
                    turn += 1;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let log = log.lock().unwrap();
    log.iter().copied().filter(|(at, _)| *at <= span).collect()
}

/// The most units in any window of 60 seconds.
fn worst_minute(sent: &[(Duration, u32)]) -> u32 {
    let (mut from, mut sum, mut worst) = (0, 0, 0);
    for (at, units) in sent {
        sum += units;
        while sent[from].0 + MINUTE <= *at {
            sum -= sent[from].1;
            from += 1;
        }
        worst = worst.max(sum);
    }
    worst
}

fn total(sent: &[(Duration, u32)]) -> u32 {
    sent.iter().map(|(_, units)| units).sum()
}

#[tokio::test(start_paused = true)]
async fn no_minute_holds_more_than_is_allowed_and_an_hour_nearly_all_of_it() {
    for limit in [200, 400, 800] {
        for share in [1.0, 0.8] {
            let hour = Duration::from_secs(3600);
            let sent = sent(Arc::new(pacer(limit, share)), 8, hour).await;
            let allowed = f64::from(limit) * share;
            let worst = f64::from(worst_minute(&sent));
            assert!(worst <= allowed, "{limit} × {share}: {worst} in one minute");
            let used = f64::from(total(&sent)) / (allowed * 60.0);
            assert!(used >= 0.97, "{limit} × {share}: {used} used");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn any_limit_holds_in_every_minute() {
    for limit in [20, 33, 97, 150, 1_000, 5_000, 60_000] {
        let sent = sent(Arc::new(pacer(limit, 1.0)), 5, Duration::from_secs(150)).await;
        assert!(worst_minute(&sent) <= limit, "{limit}: {}", worst_minute(&sent));
        assert!(f64::from(total(&sent)) >= f64::from(limit) * 2.5 * 0.5, "{limit}: {}", total(&sent));
    }
}

#[tokio::test(start_paused = true)]
async fn a_very_high_limit_is_not_held_back_by_the_timer() {
    let sent = sent(Arc::new(pacer(600_000, 1.0)), 4, Duration::from_secs(10)).await;
    assert!(total(&sent) >= 97_000, "{}", total(&sent));
}

#[tokio::test(start_paused = true)]
async fn a_closed_gate_holds_everybody_until_the_last_stated_moment() {
    let pacer = Arc::new(pacer(400, 1.0));
    pacer.permit(2).await;
    let closed = Instant::now();
    let waiters: Vec<_> = (0..10)
        .map(|_| {
            let pacer = Arc::clone(&pacer);
            tokio::spawn(async move {
                pacer.permit(2).await;
                Instant::now()
            })
        })
        .collect();
    // They stand in line already; the gate closes before the limiter would let the first one through.
    tokio::task::yield_now().await;
    pacer.close_gate(Duration::from_secs(31));
    pacer.close_gate(Duration::from_secs(5));
    for waiter in waiters {
        let passed = waiter.await.unwrap() - closed;
        assert!(passed >= Duration::from_secs(31), "{passed:?}");
        assert!(passed <= Duration::from_secs(36), "{passed:?}");
    }
    assert_eq!(pacer.snapshot().throttled, 2);
}

#[tokio::test(start_paused = true)]
async fn a_gate_closes_where_nothing_is_paced_too() {
    let pacer = pacer(0, 0.8);
    let start = Instant::now();
    for _ in 0..10_000 {
        pacer.permit(2).await;
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
    pacer.close_gate(Duration::from_secs(11));
    pacer.permit(2).await;
    assert_eq!(start.elapsed().as_secs(), 11);
    assert_eq!(pacer.snapshot().limit, None);
}

#[tokio::test(start_paused = true)]
async fn a_limit_learned_in_mid_run_holds_from_then_on() {
    let pacer = Arc::new(pacer(800, 1.0));
    let before = sent(Arc::clone(&pacer), 4, MINUTE).await;
    assert!(total(&before) > 770);
    pacer.learn(Instant::now(), Some(200), None);
    let after = sent(Arc::clone(&pacer), 4, MINUTE * 3).await;
    assert!(worst_minute(&after) <= 200, "{}", worst_minute(&after));
    assert!(total(&after) >= 580, "{}", total(&after));
    pacer.learn(Instant::now(), Some(200), Some(150));
    assert_eq!((pacer.snapshot().limit, pacer.snapshot().remaining), (Some(200), Some(150)));
}

#[tokio::test(start_paused = true)]
async fn a_raised_limit_wakes_who_waits() {
    let pacer = Arc::new(pacer(1, 1.0));
    let start = Instant::now();
    let waiter = {
        let pacer = Arc::clone(&pacer);
        tokio::spawn(async move { pacer.permit(2).await })
    };
    tokio::task::yield_now().await;
    pacer.learn(Instant::now(), Some(600), None);
    waiter.await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_same_limit_said_again_gives_no_burst_away() {
    let pacer = Arc::new(pacer(200, 1.0));
    let start = Instant::now();
    let mut used = 0;
    loop {
        pacer.permit(2).await;
        if start.elapsed() >= MINUTE {
            break;
        }
        pacer.learn(Instant::now(), Some(if used % 4 == 0 { 200 } else { 201 }), None);
        used += 2;
    }
    assert!((190..=200).contains(&used), "{used}");
}

#[tokio::test(start_paused = true)]
async fn a_timetable_takes_effect_while_running() {
    let minute = Arc::new(AtomicU32::new(8 * 60));
    let local = Arc::clone(&minute);
    let share = Share::parse("08:00,0.25 19:00,1.0").unwrap();
    let pacer = Arc::new(Pacer::new(400, share, move || local.load(Ordering::Relaxed)));
    let day = total(&sent(Arc::clone(&pacer), 2, MINUTE * 2).await);
    minute.store(19 * 60, Ordering::Relaxed);
    let evening = total(&sent(Arc::clone(&pacer), 2, MINUTE * 2).await);
    assert!((190..=200).contains(&day), "{day}");
    assert!((780..=800).contains(&evening), "{evening}");
}

#[tokio::test(start_paused = true)]
async fn the_line_is_fair() {
    let pacer = Arc::new(pacer(60, 1.0));
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = Vec::new();
    for number in 0..20 {
        let (pacer, order) = (Arc::clone(&pacer), Arc::clone(&order));
        tasks.push(tokio::spawn(async move {
            pacer.permit(1 + number % 2).await;
            order.lock().unwrap().push(number);
        }));
        tokio::task::yield_now().await;
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(*order.lock().unwrap(), (0..20).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_dropped_wait_lets_the_next_one_through() {
    let pacer = pacer(60, 1.0);
    pacer.permit(2).await;
    let start = Instant::now();
    let dropped = tokio::time::timeout(Duration::from_millis(10), pacer.permit(2)).await;
    assert!(dropped.is_err());
    pacer.permit(2).await;
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert_eq!(pacer.snapshot().units, 4);
}

#[tokio::test(start_paused = true)]
async fn used_units_are_counted_by_the_minute() {
    let pacer = pacer(0, 1.0);
    pacer.permit(7).await;
    tokio::time::advance(Duration::from_secs(30)).await;
    pacer.permit(3).await;
    assert_eq!(pacer.snapshot().used_last_minute, 10);
    tokio::time::advance(Duration::from_secs(31)).await;
    assert_eq!(pacer.snapshot().used_last_minute, 3);
    tokio::time::advance(Duration::from_secs(600)).await;
    assert_eq!((pacer.snapshot().used_last_minute, pacer.snapshot().units), (0, 10));
}

#[tokio::test(start_paused = true)]
async fn a_share_of_next_to_nothing_neither_overflows_nor_lifts_the_limit() {
    for share in [1e-9, 1e-12, 1e-300, f64::from_bits(1)] {
        let pacer = pacer(400, share);
        pacer.learn(Instant::now(), Some(1), None);
        let start = Instant::now();
        pacer.permit(WRITE_UNITS).await;
        let waited = start.elapsed();
        assert!(
            waited >= Duration::from_secs(24 * 60 * 60) && waited <= Duration::from_secs(3 * 24 * 60 * 60),
            "{share}: {waited:?}"
        );
    }
}

/// A pacer of 400 units a minute that nobody stated, after `span` of sending.
async fn after(span: Duration) -> Arc<Pacer> {
    let pacer = Arc::new(pacer(400, 1.0));
    sent(Arc::clone(&pacer), 4, span).await;
    pacer
}

#[tokio::test(start_paused = true)]
async fn a_refusal_with_its_wait_shows_a_limit_that_nobody_states() {
    let pacer = after(Duration::from_secs(90)).await;
    // The service's minute began 30 seconds ago, and takes no more.
    pacer.refused(Instant::now(), Some(Duration::from_secs(30)));
    let found = pacer.snapshot().limit.unwrap();
    assert!((190..=200).contains(&found), "{found}");
    // What was under way at that moment tells nothing new.
    pacer.refused(Instant::now(), Some(Duration::from_secs(59)));
    assert_eq!(pacer.snapshot().limit, Some(found));
    // More is tried again later, and where that is refused at once, what was found holds.
    tokio::time::advance(BELIEVED).await;
    pacer.permit(2).await;
    assert_eq!(pacer.snapshot().limit, Some(400));
    sent(Arc::clone(&pacer), 4, Duration::from_secs(61)).await;
    pacer.refused(Instant::now(), None);
    assert_eq!(pacer.snapshot().limit, Some(found));
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_says_nothing_of_the_minute_lowers_the_pace_by_a_quarter() {
    let pacer = after(Duration::from_secs(90)).await;
    pacer.refused(Instant::now(), Some(Duration::from_secs(60)));
    let found = pacer.snapshot().limit.unwrap();
    assert!((285..=300).contains(&found), "{found}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_for_what_others_used_before_us_shows_nothing() {
    let pacer = after(Duration::from_secs(5)).await;
    pacer.refused(Instant::now(), Some(Duration::from_secs(20)));
    pacer.refused(Instant::now(), None);
    assert_eq!(pacer.snapshot().limit, Some(400));
    // Nor does one where the service states its limit.
    tokio::time::advance(Duration::from_secs(90)).await;
    pacer.learn(Instant::now(), Some(400), Some(200));
    pacer.refused(Instant::now(), Some(Duration::from_secs(10)));
    assert_eq!(pacer.snapshot().limit, Some(400));
}
