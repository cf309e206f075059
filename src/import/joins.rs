//! Which queue's calls went to which, after merges.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

/// Joins of this run.
#[derive(Debug, Default)]
pub(super) struct Joins {
    made: Mutex<HashSet<(i64, i64)>>,
}

impl Joins {
    /// Takes note that the calls of the queue `from` go to the queue `to`. `false` where they came from there: two whose
    /// newest conversations were merged into each other's earlier ones would hand their calls to and fro for ever.
    pub(super) fn may_join(&self, from: i64, to: i64) -> bool {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.contains(&(to, from)) {
            return false;
        }
        made.insert((from, to));
        true
    }
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
}
