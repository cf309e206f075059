//! What a trial imports: calls, and the file that tells of them.

use std::{fmt::Write as _, fs::File, io::Write as _, path::Path};

use callport::call::Moment;

/// When the first call began: 2020-09-13.
const FIRST: i64 = 1_600_000_000;

/// Whose call it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Who {
    /// A customer of Help Scout.
    Id(u64),
    /// Somebody known by e-mail.
    Email(String),
    /// Somebody known by e-mail, with a number beside it.
    Both(String, String),
    /// Somebody known by number.
    Phone(String),
    /// Nobody can tell: the row is bad.
    Nobody,
}

/// One call. Its token is its place in the workload and stands in its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SimCall {
    pub(super) token: usize,
    /// Whether the row bears an id.
    pub(super) has_id: bool,
    pub(super) started: i64,
    pub(super) who: Who,
    /// The conversation that the row names.
    pub(super) into: Option<u64>,
}

impl SimCall {
    /// What is looked for in a text.
    pub(super) fn mark(&self) -> String {
        format!("#{:06}#", self.token)
    }

    /// Which calls must stand in order of time: those that share a conversation.
    pub(super) fn group(&self, by_call: bool) -> String {
        match (self.into, by_call) {
            (Some(into), _) => format!("existing {into}"),
            (None, true) => format!("call {}", self.token),
            (None, false) => format!("{:?}", self.who),
        }
    }

    /// Whether the row can be imported.
    pub(super) fn is_good(&self) -> bool {
        self.who != Who::Nobody
    }
}

/// Calls in the order of their rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Workload {
    pub(super) calls: Vec<SimCall>,
    /// So many more letters in each call's notes.
    pub(super) padding: usize,
}

impl Workload {
    /// `count` more calls of `who`, a minute apart, each behind those before.
    pub(super) fn add(&mut self, count: usize, who: &Who, into: Option<u64>) -> &mut Self {
        for _ in 0..count {
            let token = self.calls.len();
            let started = FIRST + 60 * i64::try_from(token).unwrap();
            self.calls.push(SimCall { token, has_id: true, started, who: who.clone(), into });
        }
        self
    }

    /// The rows in another order; tokens and times stay.
    pub(super) fn shuffle(&mut self, seed: u64) -> &mut Self {
        fastrand::Rng::with_seed(seed).shuffle(&mut self.calls);
        self
    }

    /// Writes the rows.
    pub(super) fn write(&self, path: &Path) {
        let mut text =
            "id,started_at,duration,direction,notes,customer_id,email,phone,conversation_id\n".to_owned();
        for call in &self.calls {
            let id = if call.has_id { format!("c{}", call.token) } else { String::new() };
            let began = Moment::from_epoch_seconds(call.started).unwrap();
            let (mut customer, mut email, mut phone) = (String::new(), "", "");
            match &call.who {
                Who::Id(id) => customer = id.to_string(),
                Who::Email(address) => email = address,
                Who::Both(address, number) => (email, phone) = (address, number),
                Who::Phone(number) => phone = number,
                Who::Nobody => {}
            }
            let into = call.into.map(|into| into.to_string()).unwrap_or_default();
            // The duration tells calls without an id apart.
            let (seconds, mark) = (call.token % 3600, call.mark() + &"x".repeat(self.padding));
            writeln!(text, "{id},{began},{seconds},inbound,{mark},{customer},{email},{phone},{into}")
                .unwrap();
        }
        File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// The call whose row begins at `line`.
    pub(super) fn at_line(&self, line: u64) -> &SimCall {
        &self.calls[usize::try_from(line).unwrap() - 2]
    }
}
