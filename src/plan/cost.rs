//! What a plan costs of the account's limit, before anything is sent.

use super::{PackLimits, Step, next_step};

/// Requests, and the units that they take: one a read, two a write (help-scout-api.md §2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// Requests.
    pub requests: u64,
    /// Units of the account's limit.
    pub units: u64,
}

impl Cost {
    /// Adds `count` reads.
    pub fn add_reads(&mut self, count: u64) {
        self.requests += count;
        self.units += count;
    }

    /// Adds `count` writes.
    pub fn add_writes(&mut self, count: u64) {
        self.requests += count;
        self.units += 2 * count;
    }
}

/// Counts what an import will do, one queue after another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Prediction {
    /// Requests and units.
    pub cost: Cost,
    /// Conversations that will be made.
    pub conversations: u64,
    /// Calls that will be sent.
    pub calls: u64,
    /// How many of them are added to a conversation that is there.
    pub appended: u64,
}

impl Prediction {
    /// Adds a queue: its newest conversation holds `threads` as far as is known (`None`: there is none, or it takes no
    /// more), and one read asks it first if it was not made in this run.
    pub fn add_queue(&mut self, threads: Option<u32>, sizes: &[u32], limits: PackLimits) {
        let (mut threads, mut rest) = (threads, sizes);
        if threads.is_some() && !rest.is_empty() {
            self.cost.add_reads(1);
        }
        loop {
            let sent = match next_step(threads, rest, limits) {
                Step::Done => return,
                Step::Append => {
                    self.appended += 1;
                    threads = threads.map(|count| count + 1);
                    1
                }
                Step::Create(count) => {
                    self.conversations += 1;
                    threads = u32::try_from(count).ok();
                    count
                }
            };
            self.cost.add_writes(1);
            self.calls += sent as u64;
            rest = &rest[sent..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_conversation_costs_a_write_and_an_existing_one_a_read_and_a_write_a_call() {
        let mut prediction = Prediction::default();
        prediction.add_queue(None, &[500; 250], PackLimits::new(true));
        assert_eq!(prediction.cost, Cost { requests: 3, units: 6 });
        prediction.add_queue(Some(97), &[500; 3], PackLimits::new(true));
        assert_eq!(
            prediction,
            Prediction { cost: Cost { requests: 7, units: 13 }, conversations: 4, calls: 253, appended: 2 }
        );
        prediction.add_queue(Some(5), &[], PackLimits::new(true));
        assert_eq!(prediction.cost.requests, 7);
    }
}
