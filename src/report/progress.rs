//! How far an import has come: a bar on a terminal, a line every few seconds elsewhere, or nothing.
//!
//! It listens to the import's events. Time is an argument (a function that counts from the start), so that tests need
//! not wait, and where the text goes is one too; the program gives standard error.

use std::{
    fmt,
    io::Write,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::import::{EventSink, ImportEvent};

use super::{
    count::{counted, grouped, span},
    log_writer::LogWriter,
    speed::Speed,
};

/// Plain lines are this far apart at least.
const LINE_INTERVAL: Duration = Duration::from_secs(5);

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgressForm {
    /// A bar that is drawn over and over: for a terminal.
    Bar,
    /// A line every few seconds.
    Lines,
    /// Not at all.
    Quiet,
}

type Clock = Box<dyn Fn() -> Duration + Send + Sync>;

/// Shows an import while it runs.
pub struct Progress {
    form: ProgressForm,
    bar: ProgressBar,
    clock: Clock,
    state: Mutex<State>,
}

struct State {
    out: Box<dyn Write + Send>,
    figures: Figures,
    last_line: Option<Duration>,
}

/// What the events add up to.
#[derive(Debug, Default)]
struct Figures {
    rows: u64,
    percent_read: Option<u64>,
    to_send: u64,
    landed: u64,
    refused: u64,
    undecided: u64,
    rejected: u64,
    limit_used: Option<u32>,
    delivering: bool,
    /// Conversations and calls, where a recovery looks for them.
    recovered: Option<(u64, u64)>,
    /// Whether customers are read; they are counted as calls are.
    pulling: bool,
    speed: Speed,
}

impl Progress {
    /// Shown in `form`. `out` takes messages and lines; a bar is drawn on standard error. `clock` counts from any start
    /// and never goes back.
    pub fn new(
        form: ProgressForm,
        out: Box<dyn Write + Send>,
        clock: impl Fn() -> Duration + Send + Sync + 'static,
    ) -> Self {
        let bar = match form {
            ProgressForm::Bar => ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
                .with_style(ProgressStyle::default_spinner()),
            ProgressForm::Lines | ProgressForm::Quiet => ProgressBar::hidden(),
        };
        let state = Mutex::new(State { out, figures: Figures::default(), last_line: None });
        Self { form, bar, clock: Box::new(clock), state }
    }

    /// A writer for logs that keeps out of the bar's way.
    pub fn log_writer(&self) -> LogWriter {
        LogWriter::new(self.bar.clone())
    }

    /// Takes the bar away, so that what follows stands on a clean screen.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere tears no figure: each is set whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn draw_bar(&self, state: &State, now: Duration) {
        let figures = &state.figures;
        // How much a recovery will find is not known before.
        let has_an_end = figures.delivering && figures.recovered.is_none();
        if has_an_end && self.bar.length().is_none() {
            self.bar.set_style(bar_style());
        }
        if has_an_end {
            self.bar.set_length(figures.to_send);
            self.bar.set_position(figures.done());
        }
        self.bar.set_message(figures.shown(now));
        self.bar.tick();
    }

    fn say(&self, state: &mut State, text: &str) {
        let write = || writeln!(state.out, "{text}").and_then(|()| state.out.flush());
        // A closed standard error must not end an import.
        self.bar.suspend(write).ok();
    }
}

impl EventSink for Progress {
    fn emit(&self, event: ImportEvent) {
        if self.form == ProgressForm::Quiet {
            return;
        }
        let now = (self.clock)();
        let mut state = self.state();
        if let Some(message) = message(&event) {
            self.say(&mut state, &message);
        }
        state.figures.take(&event, now);
        match self.form {
            ProgressForm::Bar => self.draw_bar(&state, now),
            ProgressForm::Lines => {
                let due = *state.last_line.get_or_insert(now) + LINE_INTERVAL;
                if now >= due {
                    state.last_line = Some(now);
                    let line = state.figures.shown(now);
                    self.say(&mut state, &line);
                }
            }
            ProgressForm::Quiet => {}
        }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").field("form", &self.form).finish_non_exhaustive()
    }
}

fn bar_style() -> ProgressStyle {
    ProgressStyle::with_template("[{bar:30}] {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

impl Figures {
    fn take(&mut self, event: &ImportEvent, now: Duration) {
        match event {
            ImportEvent::Reading { rows, bytes, total_bytes } => {
                self.rows = *rows;
                self.percent_read = total_bytes
                    .filter(|total| *total > 0)
                    .map(|total| (bytes.saturating_mul(100) / total).min(100));
            }
            ImportEvent::Rejected(_) => self.rejected += 1,
            ImportEvent::Staged(count) => {
                (self.rows, self.to_send) = (count.rows, count.to_send);
            }
            ImportEvent::Connected { .. } => {
                self.delivering = true;
                self.speed.note(now, self.landed);
            }
            ImportEvent::Landed { calls } => self.land(*calls, now),
            ImportEvent::Refused { calls } => self.refused += calls,
            ImportEvent::Lost { calls, .. } => self.undecided += calls,
            ImportEvent::Settled { calls, .. } => self.undecided = self.undecided.saturating_sub(*calls),
            ImportEvent::Pace { limit, used, .. } => {
                self.limit_used = used.saturating_mul(100).checked_div(*limit);
                self.speed.note(now, self.landed);
            }
            ImportEvent::Throttled { .. }
            | ImportEvent::Retrying { .. }
            | ImportEvent::Warned { .. }
            | ImportEvent::Stopping => {}
            ImportEvent::Recovering { conversations, calls } => {
                self.recovered = Some((*conversations, *calls));
            }
            ImportEvent::Pulling { customers, total } => {
                (self.pulling, self.delivering) = (true, true);
                (self.landed, self.to_send) = (*customers, *total.max(customers));
                self.speed.note(now, self.landed);
            }
        }
    }

    fn land(&mut self, calls: u64, now: Duration) {
        self.landed += calls;
        self.delivering = true;
        self.speed.note(now, self.landed);
    }

    fn done(&self) -> u64 {
        self.landed + self.refused
    }

    fn shown(&self, now: Duration) -> String {
        if let Some((conversations, calls)) = self.recovered {
            return format!("{} found in {}", counted(calls, "call"), counted(conversations, "conversation"));
        }
        if !self.delivering {
            let percent = self.percent_read.map(|percent| format!(" ({percent}%)")).unwrap_or_default();
            return format!("{} read{percent}{}", counted(self.rows, "row"), self.rejected_shown());
        }
        let left = self.to_send.saturating_sub(self.done());
        let time_left = self.speed.time_left(now, self.landed, left).filter(|_| left > 0);
        let noun = if self.pulling { "customer" } else { "call" };
        let parts = [
            Some(format!("{} of {}", grouped(self.done()), counted(self.to_send, noun))),
            self.speed.a_minute(now, self.landed).map(|speed| format!("{} a minute", grouped(whole(speed)))),
            self.limit_used.map(|percent| format!("{percent}% of the limit in use")),
            time_left.map(|time| format!("{} left", span(time))),
            (self.undecided > 0).then(|| format!("{} undecided", grouped(self.undecided))),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ") + &self.rejected_shown()
    }

    fn rejected_shown(&self) -> String {
        let count = self.rejected + self.refused;
        if count == 0 { String::new() } else { format!(", {} rejected", grouped(count)) }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a figure for a person; a cast saturates"
)]
fn whole(speed: f64) -> u64 {
    speed.round() as u64
}

/// What a request carried: calls, or a customer that is made before its calls.
fn carried(calls: u64) -> String {
    if calls == 0 { "a new customer".to_owned() } else { counted(calls, "call") }
}

/// What a person should read whatever the form.
fn message(event: &ImportEvent) -> Option<String> {
    Some(match event {
        ImportEvent::Staged(count) => {
            format!("{} read, {} to send", counted(count.rows, "row"), counted(count.to_send, "call"))
        }
        ImportEvent::Connected { account, user } => format!("connected to {account} as {user}"),
        ImportEvent::Lost { calls, why } => {
            format!("an answer for {} was lost ({why}): looking for what came of it", carried(*calls))
        }
        ImportEvent::Settled { calls, landed: true } => {
            format!("found: {} had landed", carried(*calls))
        }
        ImportEvent::Settled { calls, landed: false } => {
            format!("proved absent: {} will be sent again", carried(*calls))
        }
        ImportEvent::Throttled { wait } => format!("Help Scout asks to wait {}", span(*wait)),
        ImportEvent::Retrying { why, wait } => format!("{why}: trying again in {}", span(*wait)),
        ImportEvent::Warned { reason } => format!("warning: {reason}"),
        ImportEvent::Stopping => "stopping: finishing what is in flight (again: leave at once)".to_owned(),
        ImportEvent::Reading { .. }
        | ImportEvent::Rejected(_)
        | ImportEvent::Landed { .. }
        | ImportEvent::Refused { .. }
        | ImportEvent::Recovering { .. }
        | ImportEvent::Pulling { .. }
        | ImportEvent::Pace { .. } => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{
            Arc,
            atomic::{AtomicU64, Ordering},
        },
    };

    use super::*;
    use crate::import::StageCount;

    #[derive(Clone, Default)]
    struct Screen(Arc<Mutex<Vec<u8>>>);

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is shown of `events`, each at its second.
    fn shown(form: ProgressForm, events: Vec<(u64, ImportEvent)>) -> String {
        let screen = Screen::default();
        let second = Arc::new(AtomicU64::new(0));
        let clock = second.clone();
        let progress = Progress::new(form, Box::new(screen.clone()), move || {
            Duration::from_secs(clock.load(Ordering::Relaxed))
        });
        for (at, event) in events {
            second.store(at, Ordering::Relaxed);
            progress.emit(event);
        }
        progress.finish();
        let bytes = screen.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    fn run() -> Vec<(u64, ImportEvent)> {
        let reading = |rows, bytes| ImportEvent::Reading { rows, bytes, total_bytes: Some(1_000) };
        vec![
            (0, reading(2_000, 400)),
            (1, reading(4_000, 800)),
            (6, reading(5_000, 1_000)),
            (6, ImportEvent::Staged(StageCount { rows: 5_000, to_send: 4_000, ..StageCount::default() })),
            (7, ImportEvent::Connected { account: "Acme".into(), user: "Nina".into() }),
            (8, ImportEvent::Pace { limit: 400, share: 0.8, used: 300 }),
            (8, ImportEvent::Landed { calls: 100 }),
            (9, ImportEvent::Lost { calls: 3, why: "the connection was reset".into() }),
            (13, ImportEvent::Landed { calls: 900 }),
            (14, ImportEvent::Settled { calls: 3, landed: true }),
            (17, ImportEvent::Landed { calls: 1_000 }),
            (18, ImportEvent::Refused { calls: 1 }),
            (19, ImportEvent::Throttled { wait: Duration::from_secs(12) }),
        ]
    }

    #[test]
    fn a_recovery_tells_what_it_found_and_no_end() {
        let recovering = |conversations, calls| ImportEvent::Recovering { conversations, calls };
        let events = vec![
            (0, recovering(0, 0)),
            (1, ImportEvent::Connected { account: "Acme".into(), user: "Nina".into() }),
            (9, ImportEvent::Pace { limit: 400, share: 0.8, used: 300 }),
            (20, recovering(2, 1_001)),
        ];
        assert_eq!(
            shown(ProgressForm::Lines, events),
            "connected to Acme as Nina\n\
             0 calls found in 0 conversations\n\
             1,001 calls found in 2 conversations\n"
        );
    }

    #[test]
    fn a_pull_counts_customers_from_where_it_goes_on() {
        let pulling = |customers| ImportEvent::Pulling { customers, total: 1_200 };
        let events = vec![
            (0, pulling(200)),
            (0, ImportEvent::Connected { account: "Acme".into(), user: "Nina".into() }),
            (3, pulling(400)),
            (6, pulling(700)),
            (12, pulling(1_200)),
        ];
        assert_eq!(
            shown(ProgressForm::Lines, events),
            "connected to Acme as Nina\n\
             700 of 1,200 customers, 5,000 a minute, 6 s left\n\
             1,200 of 1,200 customers, 5,000 a minute\n"
        );
    }

    #[test]
    fn a_request_that_carries_no_call_makes_a_customer() {
        let told = |calls| message(&ImportEvent::Settled { calls, landed: true }).unwrap();
        assert_eq!(told(0), "found: a new customer had landed");
        assert_eq!(told(1), "found: 1 call had landed");
    }

    #[test]
    fn lines_come_every_few_seconds_and_messages_at_once() {
        assert_eq!(
            shown(ProgressForm::Lines, run()),
            "5,000 rows read (100%)\n\
             5,000 rows read, 4,000 calls to send\n\
             connected to Acme as Nina\n\
             an answer for 3 calls was lost (the connection was reset): looking for what came of it\n\
             1,000 of 4,000 calls, 10,000 a minute, 75% of the limit in use, 18 s left, 3 undecided\n\
             found: 3 calls had landed\n\
             2,001 of 4,000 calls, 10,909 a minute, 75% of the limit in use, 10 s left, 1 rejected\n\
             Help Scout asks to wait 12 s\n"
        );
    }

    #[test]
    fn a_bar_leaves_messages_and_no_lines() {
        let text = shown(ProgressForm::Bar, run());
        assert_eq!(text.lines().count(), 5, "{text}");
        assert!(
            text.starts_with("5,000 rows read, 4,000 calls to send\nconnected to Acme as Nina\n"),
            "{text}"
        );
    }

    #[test]
    fn quiet_is_quiet() {
        assert_eq!(shown(ProgressForm::Quiet, run()), "");
    }

    #[test]
    fn a_share_of_an_unknown_limit_is_not_shown() {
        let mut figures = Figures::default();
        figures.take(&ImportEvent::Pace { limit: 0, share: 0.8, used: 3 }, Duration::ZERO);
        assert_eq!(figures.limit_used, None);
    }
}
