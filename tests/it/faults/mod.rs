//! Every fault at every step, at the level of the process.
//!
//! Each test causes one fault, sees the exit code and the words that tell what to do, takes the cause away, runs the same
//! command again and finds every call once. [`network`] is the way to the service, [`answers`] what comes back over it,
//! [`batches`] what the service refuses, [`disk`] and [`rights`] where the checkpoint lies, [`stops`] how the process ends,
//! [`account`] whom it works for and how fast, [`lost`] many lost answers at once.

mod account;
mod answers;
mod batches;
#[cfg(unix)]
mod disk;
mod lost;
mod network;
mod peer;
#[cfg(unix)]
mod rights;
mod stops;

use std::process::Command;

use crate::{
    call_log::{CallLog, seed},
    desk::{Desk, Ended},
    served::Served,
};

/// The longest wait for a lost answer that a test can bear.
const SETTLE: [&str; 2] = ["--set", "limits.settle=300ms"];

/// What every end says that the same command mends.
const GO_ON: &str = "run the same command again";

/// Calls by every kind of write: some are appended, some make conversations, some make their customer by number first.
/// One worker brings them in that order, so that a run that a fault stops leaves enough for the next one.
struct Work {
    desk: Desk,
    references: Vec<String>,
}

impl Work {
    fn new() -> Self {
        let log = CallLog::into_existing(9, 3).and(CallLog::numbered(9..21, 12, |_| None));
        let mut work = Self::of(&log);
        let by_number = |n: usize| {
            format!("p{n},2020-01-0{n}T10:00:00Z,60,inbound,+1555015{n},+15550199,,,\"by number\"\n")
        };
        work.desk.write("calls.csv", log.csv() + &(1..=9).map(by_number).collect::<String>());
        work.references.extend((1..=9).map(|n| format!("p{n}")));
        work
    }

    fn of(log: &CallLog) -> Self {
        let desk = Desk::new();
        desk.write("calls.csv", log.csv());
        Self { desk, references: log.references() }
    }

    /// `callport import calls.csv` to `address`, with an application's id and secret.
    fn command(&self, address: &str) -> Command {
        let mut command = self.desk.command(&["import", "calls.csv", "--json", "--api-url", address]);
        command
            .args(SETTLE)
            .args(["--workers", "1"])
            .env("HELPSCOUT_APP_ID", "an-id")
            .env("HELPSCOUT_APP_SECRET", "a-secret");
        command
    }

    fn import(&self, address: &str) -> Ended {
        Ended::of(&mut self.command(address))
    }

    /// The same command comes to its end, and every call is there once.
    #[track_caller]
    fn finishes(&self, served: &Served) {
        self.finishes_at(served.address(), served);
    }

    #[track_caller]
    fn finishes_at(&self, address: &str, served: &Served) {
        let sheet = self.import(address).with(0).json();
        assert_eq!((sheet["undecided"].as_u64(), sheet["pending"].as_u64()), (Some(0), Some(0)), "{sheet}");
        assert_eq!(served.references(), self.references);
    }
}

/// A service for [`Work::new`] that suffers the faults of `script`. It answers so slowly that whatever an import makes
/// spreads over more than [`SETTLE`]: that a lost request is absent shows soonest by something made later.
fn served(script: &str) -> Served {
    Served::with_all(&seed(3, 2), script, &["--latency", "25"])
}
