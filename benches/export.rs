//! An export of calls, always the same for the same size: about 330 bytes a row, written without being held.

use std::{
    fs::File,
    io::{self, BufWriter, Write as _},
    path::Path,
};

use callport::call::Moment;

/// What the calls of every export begin with.
const FIRST_CALL: i64 = 1_546_300_800;
/// Five years.
const SPAN: u64 = 157_680_000;
const WORDS: [&str; 24] = [
    "asked", "about", "the", "order", "that", "came", "late", "and", "wants", "a", "refund", "for", "two",
    "items", "will", "call", "back", "on", "Monday", "we", "sent", "her", "new", "parts",
];

/// What an export is like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Export {
    /// Calls.
    pub(crate) rows: u64,
    /// Customers that they are of, at least 1.
    pub(crate) customers: u64,
    /// Whether some customers have many more calls than others; else each has as many as another.
    pub(crate) uneven: bool,
    /// Whether each call names the conversation that it goes to: see [`conversation_of`].
    pub(crate) into_existing: bool,
    /// Whether it has the headings and the forms of another platform's export, which a preset reads.
    pub(crate) of_platform: bool,
}

/// What was written.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    /// The size of the file.
    pub(crate) bytes: u64,
    /// How many calls each customer has.
    pub(crate) calls_of: Vec<u64>,
}

impl Export {
    /// Calls spread evenly over customers, with nothing said of conversations.
    pub(crate) fn even(rows: u64, customers: u64) -> Self {
        Self { rows, customers: customers.max(1), uneven: false, into_existing: false, of_platform: false }
    }

    /// Writes it to `path`.
    pub(crate) fn write(&self, path: &Path) -> io::Result<Written> {
        let mut out = BufWriter::with_capacity(1 << 18, File::create(path)?);
        let mut chance = fastrand::Rng::with_seed(7);
        let mut written = Written { bytes: 0, calls_of: Vec::new() };
        let mut line = Vec::new();
        self.headings(&mut line)?;
        for number in 0..self.rows {
            let customer = self.customer(number, &mut chance);
            let index = usize::try_from(customer).map_err(io::Error::other)?;
            if written.calls_of.len() <= index {
                written.calls_of.resize(index + 1, 0);
            }
            written.calls_of[index] += 1;
            self.row(number, customer, &mut chance, &mut line)?;
            if line.len() > 1 << 16 {
                written.bytes += line.len() as u64;
                out.write_all(&line)?;
                line.clear();
            }
        }
        written.bytes += line.len() as u64;
        out.write_all(&line)?;
        out.flush()?;
        Ok(written)
    }

    fn customer(&self, number: u64, chance: &mut fastrand::Rng) -> u64 {
        if self.uneven {
            // The less of two is twice as often small as large.
            let of = |chance: &mut fastrand::Rng| chance.u64(..self.customers);
            return of(chance).min(of(chance)).min(of(chance));
        }
        number % self.customers
    }

    fn headings(&self, line: &mut Vec<u8>) -> io::Result<()> {
        if self.of_platform {
            return writeln!(
                line,
                "call id (internal),datetime (utc),duration (in call),waiting time,direction,answered,missed_call_reason,\
                 user,line,from,to,customer number,recording,voicemail,comments,tags"
            );
        }
        let more = if self.into_existing { ",conversation_id" } else { "" };
        writeln!(
            line,
            "id,started_at,duration,direction,status,agent,line,from,to,email,recording,notes{more}"
        )
    }

    fn row(
        &self,
        number: u64,
        customer: u64,
        chance: &mut fastrand::Rng,
        line: &mut Vec<u8>,
    ) -> io::Result<()> {
        let seconds = number * SPAN / self.rows.max(1);
        let started = i64::try_from(seconds)
            .ok()
            .and_then(|seconds| Moment::from_epoch_seconds(FIRST_CALL + seconds))
            .ok_or_else(|| io::Error::other("the span of the export is over"))?;
        let (duration, agent, far) = (chance.u32(5..3_000), chance.u32(1..40), customer % 100);
        let (direction, from, to) = if chance.bool() { ("inbound", far, 0) } else { ("outbound", 0, far) };
        if self.of_platform {
            let started = started.to_string().replace(['T', 'Z'], " ");
            write!(
                line,
                "{number:08},{started},{duration},00:00:{:02},{direction},Yes,,Alex Example {agent},Support EN,\
                 155501{from:02},155501{to:02},+155{customer:08},https://recordings.example.com/calls/{number:08}.mp3,,",
                number % 60
            )?;
        } else {
            write!(
                line,
                "call-{number:08},{started},{duration},{direction},answered,Alex Example {agent},Support EN,+155501{from:02},\
                 +155501{to:02},customer{customer}@example.com,https://recordings.example.com/calls/{number:08}.mp3,"
            )?;
        }
        for word in 0..30 {
            let separator: &[u8] = if word == 0 { b"" } else { b" " };
            line.extend_from_slice(separator);
            line.extend_from_slice(WORDS[chance.usize(..WORDS.len())].as_bytes());
        }
        if self.of_platform {
            line.extend_from_slice(b",billing");
        }
        if self.into_existing {
            write!(line, ",{}", conversation_of(customer))?;
        }
        line.push(b'\n');
        Ok(())
    }
}

/// The conversation of a customer where calls go into existing ones.
pub(crate) fn conversation_of(customer: u64) -> u64 {
    1_000 + customer
}
