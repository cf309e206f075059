//! Which misfortunes strike a request.
//!
//! Each rule counts its own requests and draws from its own sequence of chances, so that adding one rule to a script
//! does not move the strikes of another, and one seed gives one history.

use std::time::Duration;

use super::fault_script::{Deed, FaultRule, When};
use super::route::RequestKind;

/// The rules of a script and how far each has come.
#[derive(Debug)]
pub(crate) struct Faults {
    rules: Vec<Rule>,
    began_ms: Option<i64>,
}

#[derive(Debug)]
struct Rule {
    fault: FaultRule,
    seen: u64,
    struck: u64,
    chance: fastrand::Rng,
}

impl Faults {
    /// The rules of a script, with the seed of their chances.
    pub(crate) fn new(rules: Vec<FaultRule>, seed: u64) -> Self {
        let mut mother = fastrand::Rng::with_seed(seed);
        let start = |fault| Rule { fault, seen: 0, struck: 0, chance: mother.fork() };
        Self { rules: rules.into_iter().map(start).collect(), began_ms: None }
    }

    /// What strikes this request, in the order of the script.
    pub(crate) fn strike(&mut self, kind: RequestKind, now_ms: i64) -> Vec<Deed> {
        let began_ms = *self.began_ms.get_or_insert(now_ms);
        let age = Duration::from_millis(u64::try_from(now_ms - began_ms).unwrap_or(0));
        self.rules.iter_mut().filter_map(|rule| rule.strike(kind, age)).collect()
    }
}

impl Rule {
    fn strike(&mut self, kind: RequestKind, age: Duration) -> Option<Deed> {
        if !self.fault.on.covers(kind) {
            return None;
        }
        self.seen += 1;
        let due = match &self.fault.when {
            When::Always => true,
            When::At(at) => at.contains(&self.seen),
            When::Every(every) => self.seen.is_multiple_of(*every),
            // Drawn even outside the span of time, so that the span does not move the strikes within.
            When::Rate(rate) => self.chance.f64() < *rate,
        };
        let in_time = age >= self.fault.from && self.fault.until.is_none_or(|until| age < until);
        if !due || !in_time || self.struck >= self.fault.times {
            return None;
        }
        self.struck += 1;
        Some(self.fault.deed.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::fault_script::FaultScript;
    use super::*;

    fn strikes(script: &str, seed: u64, kinds: &[RequestKind]) -> Vec<usize> {
        let script = FaultScript::parse(script).unwrap();
        let mut faults = Faults::new(script.faults, seed);
        let count = |(index, kind): (usize, &RequestKind)| {
            (0..faults.strike(*kind, i64::try_from(index).unwrap() * 1000).len())
                .map(|_| index)
                .collect::<Vec<_>>()
        };
        kinds.iter().enumerate().flat_map(count).collect()
    }

    const APPENDS: &[RequestKind] = &[RequestKind::Append; 2000];

    #[test]
    fn only_requests_of_the_kind_are_counted() {
        let kinds = [RequestKind::Create, RequestKind::Append, RequestKind::Create, RequestKind::Create];
        let script = "[[fault]]\non = \"create\"\nat = [1, 3]\ndo = \"lock\"";
        assert_eq!(strikes(script, 0, &kinds), [0, 3]);
        let script = "[[fault]]\non = \"create\"\nevery = 2\ndo = \"lock\"";
        assert_eq!(strikes(script, 0, &kinds), [2]);
    }

    #[test]
    fn times_and_the_span_of_time_bound_a_fault() {
        let script = "[[fault]]\nfrom = \"3s\"\nuntil = \"9s\"\ntimes = 4\ndo = \"lock\"";
        assert_eq!(strikes(script, 0, &APPENDS[..20]), [3, 4, 5, 6]);
        let script = "[[fault]]\nfrom = \"3s\"\nuntil = \"5s\"\ndo = \"lock\"";
        assert_eq!(strikes(script, 0, &APPENDS[..20]), [3, 4]);
    }

    #[test]
    fn chances_come_from_the_seed_and_about_as_often_as_asked() {
        let script = "[[fault]]\nrate = 0.1\ndo = \"lock\"";
        let once = strikes(script, 7, APPENDS);
        assert_eq!(once, strikes(script, 7, APPENDS));
        assert_ne!(once, strikes(script, 8, APPENDS));
        assert!((140..260).contains(&once.len()), "{} of 2000", once.len());
    }

    #[test]
    fn one_rules_chances_do_not_hang_on_another_rules() {
        let one = "[[fault]]\nrate = 0.1\non = \"append\"\ndo = \"lock\"\n";
        let two = format!("{one}[[fault]]\nrate = 0.1\non = \"create\"\ndo = \"delete\"");
        assert_eq!(strikes(one, 7, APPENDS), strikes(&two, 7, APPENDS));
        let both = format!("{one}{one}");
        let twice = strikes(&both, 7, APPENDS);
        let pairs = twice.windows(2).filter(|pair| pair[0] == pair[1]).count();
        assert!(pairs < 50, "two equal rules strike apart from each other, {pairs} times together");
    }
}
