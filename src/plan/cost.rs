//! What a plan costs of the account's limit, before anything is sent.

use super::{APPEND_CAP, Newest, PlanRules, Step, next_step};

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

/// Whether the rows name a conversation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Naming {
    /// They do not.
    #[default]
    Unnamed,
    /// They do, and it was asked before.
    Met,
    /// They do, and it was never asked.
    Unmet,
}

/// Where a queue's calls go next, as far as is known. By default a new conversation is made of what the rows say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outlet {
    /// The threads of the conversation that takes the next call, as they were last known (0: never asked); none where a
    /// new one is made.
    pub threads: Option<u32>,
    /// Whether the rows name that conversation.
    pub naming: Naming,
    /// Whether the one that the rows name was never looked into, although the calls go on in another.
    pub lacks_look: bool,
    /// Whether the one that the rows name has to be asked for its inbox and subject before calls go on in a new one.
    pub lacks_place: bool,
}

impl From<Option<u32>> for Outlet {
    /// A conversation of our own with so many threads, or none.
    fn from(threads: Option<u32>) -> Self {
        Self { threads, ..Self::default() }
    }
}

impl Outlet {
    fn newest(&self) -> Newest {
        match self.threads {
            None => Newest::Absent,
            Some(_) if self.naming == Naming::Unmet => Newest::Unmet,
            Some(_) => Newest::Unasked,
        }
    }
}

/// A write that a plan comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    /// Into a conversation that holds so many threads.
    Append(u32),
    /// Of so many calls.
    Create(usize),
}

/// How a queue's writes begin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Course {
    /// The first write.
    pub first: Option<Write>,
    /// The one behind it.
    pub second: Option<Write>,
    /// The threads of the conversation to which the first call is added, wherever among the writes that comes.
    pub first_append: Option<u32>,
    /// The calls of the first create, wherever among the writes that comes.
    pub first_create: Option<usize>,
}

impl Course {
    fn note(&mut self, write: Write) {
        match write {
            Write::Append(threads) => _ = self.first_append.get_or_insert(threads),
            Write::Create(calls) => _ = self.first_create.get_or_insert(calls),
        }
        match (self.first, self.second) {
            (None, _) => self.first = Some(write),
            (Some(_), None) => self.second = Some(write),
            (Some(_), Some(_)) => {}
        }
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
    /// Adds a queue with the calls of `sizes`, in order of time; how its writes begin.
    pub fn add_queue(
        &mut self,
        outlet: impl Into<Outlet>,
        sizes: &[u32],
        rules: impl Into<PlanRules>,
    ) -> Course {
        let (outlet, rules) = (outlet.into(), rules.into());
        let (mut newest, mut rest, mut course) = (outlet.newest(), sizes, Course::default());
        let (mut is_named, mut is_filling, mut lacks_place) =
            (outlet.naming != Naming::Unnamed, false, outlet.lacks_place);
        if outlet.lacks_look && !sizes.is_empty() {
            self.cost.add_reads(1);
        }
        loop {
            let is_full = matches!(newest, Newest::Holds(threads) if threads >= APPEND_CAP);
            if is_full && is_named && rules.full_rejects {
                return course;
            }
            let towards = rules.towards(is_named);
            let sent = match next_step(newest, rest, if is_filling { towards.filling() } else { towards }) {
                Step::Done => return course,
                Step::Ask => {
                    self.cost.add_reads(1);
                    newest = Newest::Holds(outlet.threads.unwrap_or(0));
                    continue;
                }
                Step::Append => {
                    let threads = if let Newest::Holds(threads) = newest { threads } else { 0 };
                    course.note(Write::Append(threads));
                    self.appended += 1;
                    (newest, is_filling) = (Newest::Holds(threads + 1), true);
                    1
                }
                Step::Create(count) => {
                    self.cost.add_reads(u64::from(std::mem::take(&mut lacks_place)));
                    course.note(Write::Create(count));
                    self.conversations += 1;
                    newest = u32::try_from(count).map_or(Newest::Absent, Newest::Holds);
                    (is_named, is_filling) = (false, false);
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
    use crate::plan::{PackLimits, WhenAppending};

    fn predicted(outlet: impl Into<Outlet>, calls: usize, rules: PlanRules) -> Prediction {
        let mut prediction = Prediction::default();
        prediction.add_queue(outlet, &vec![500; calls], rules);
        prediction
    }

    fn fill() -> PlanRules {
        PackLimits::new(true).into()
    }

    fn cheap() -> PlanRules {
        PlanRules { appending: WhenAppending::Cheap, ..fill() }
    }

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

    #[test]
    fn a_new_conversation_where_that_is_cheaper_is_asked_for_nothing() {
        assert_eq!(predicted(Some(60), 40, fill()).cost, Cost { requests: 41, units: 81 });
        assert_eq!(predicted(Some(60), 40, cheap()).cost, Cost { requests: 1, units: 2 });
        assert_eq!(predicted(Some(60), 1, cheap()), predicted(Some(60), 1, fill()));
    }

    #[test]
    fn what_the_rows_name_is_looked_into_once_and_lends_its_place() {
        let named =
            Outlet { threads: Some(0), naming: Naming::Unmet, lacks_place: true, ..Outlet::default() };
        assert_eq!(predicted(named, 99, fill()).cost, Cost { requests: 100, units: 199 });
        assert_eq!(predicted(named, 150, fill()).cost, Cost { requests: 1 + 99 + 2, units: 1 + 198 + 3 });
        assert_eq!(predicted(named, 40, cheap()).cost, Cost { requests: 3, units: 4 });
        let full = Outlet { threads: None, lacks_look: true, ..named };
        assert_eq!(predicted(full, 40, fill()).cost, Cost { requests: 3, units: 4 });
    }

    #[test]
    fn what_a_full_conversation_rejects_is_not_sent() {
        let named = Outlet { threads: Some(90), naming: Naming::Met, ..Outlet::default() };
        for rules in [fill(), cheap()] {
            let rules = PlanRules { full_rejects: true, ..rules };
            let prediction = predicted(named, 40, rules);
            assert_eq!((prediction.calls, prediction.conversations), (9, 0));
        }
    }

    #[test]
    fn how_the_writes_of_a_queue_begin() {
        let course =
            |outlet: Option<u32>, sizes: &[u32]| Prediction::default().add_queue(outlet, sizes, fill());
        assert_eq!(course(None, &[]), Course::default());
        assert_eq!(course(None, &[500; 30]).first, Some(Write::Create(30)));
        let cut = course(None, &[3_300; 100]);
        assert_eq!((cut.first, cut.second), (Some(Write::Create(60)), Some(Write::Append(60))));
        let overflowing = course(Some(97), &[500; 12]);
        assert_eq!((overflowing.first, overflowing.first_append), (Some(Write::Append(97)), Some(97)));
    }
}
