//! Many lost answers: a thousand calls, one answer in twenty lost.

use super::Work;
use crate::{
    call_log::{CallLog, seed},
    desk::Ended,
    served::Served,
};

/// How many seeds a usual test run goes through; `CALLPORT_LOST` says otherwise.
const SEEDS: u64 = 3;

#[test]
fn a_thousand_calls_with_one_answer_in_twenty_lost_land_once_each() {
    let seeds = std::env::var("CALLPORT_LOST").ok().and_then(|text| text.parse().ok()).unwrap_or(SEEDS);
    for number in 0..seeds {
        let script = format!("seed = {number}\n[[fault]]\non = \"write\"\nrate = 0.05\ndo = \"drop_after\"");
        let served = Served::with_seed_and_faults(&seed(40, 3), &script);
        let log = CallLog::into_existing(700, 40).and(CallLog::numbered(700..1_000, 100, |_| None));
        let work = Work::of(&log);
        let mut command = work.command(served.address());
        let sheet = Ended::of(command.args(["--set", "conversation.pack=false"])).with(0).json();
        assert_eq!((&sheet["imported"], &sheet["undecided"]), (&1_000.into(), &0.into()), "seed {number}");
        assert_eq!(served.references(), work.references, "seed {number}");
    }
}
