//! Which queue's calls went to which, after merges.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
};

/// Joins of this run.
#[derive(Debug, Default)]
pub(super) struct Joins {
    /// Where the calls of each queue went.
    made: Mutex<HashMap<i64, HashSet<i64>>>,
}

impl Joins {
    /// Takes note that the calls of the queue `from` go to the queue `to`. `false` where they would come back from there,
    /// by whatever way: queues whose newest conversations were merged into each other's earlier ones would hand their calls
    /// round for ever.
    pub(super) fn may_join(&self, from: i64, to: i64) -> bool {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if leads(&made, to, from) {
            return false;
        }
        made.entry(from).or_default().insert(to);
        true
    }
}

/// Whether the calls of `from` come to `to`.
fn leads(made: &HashMap<i64, HashSet<i64>>, from: i64, to: i64) -> bool {
    let (mut reached, mut next) = (HashSet::from([from]), vec![from]);
    while let Some(queue) = next.pop() {
        if queue == to {
            return true;
        }
        next.extend(made.get(&queue).into_iter().flatten().filter(|further| reached.insert(**further)));
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_never_go_back_to_where_they_came_from() {
        let joins = Joins::default();
        assert!(joins.may_join(1, 2));
        assert!(joins.may_join(1, 2), "more of them may follow");
        assert!(!joins.may_join(2, 1));
        assert!(joins.may_join(2, 3));
    }

    #[test]
    fn calls_never_go_round_in_a_ring() {
        let joins = Joins::default();
        for queue in 1..9 {
            assert!(joins.may_join(queue, queue + 1));
            assert!(joins.may_join(queue, 100 + queue), "whatever branches off");
        }
        assert!(!joins.may_join(9, 1));
        assert!(!joins.may_join(5, 3));
        assert!(!joins.may_join(7, 7), "nor to itself");
        assert!(joins.may_join(9, 10));
    }
}
