//! The first request for a new customer flies alone.
//!
//! The service makes a customer for an e-mail that it does not know; two requests at the same moment could make two. So
//! whoever names a customer that is not confirmed yet holds that customer's gate until it is.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex as StdMutex, PoisonError},
};

use tokio::sync::{Mutex, OwnedMutexGuard};

use super::slots::{Slot, Slots};

/// A gate for each customer that somebody is about to name.
#[derive(Debug, Default)]
pub(super) struct Gates {
    gates: StdMutex<HashMap<i64, Arc<Mutex<()>>>>,
}

/// A customer's gate, held.
pub(super) type Gate = OwnedMutexGuard<()>;

impl Gates {
    /// Waits for the gate of `customer`. A place that has to wait is given up meanwhile: who holds a gate may need one.
    pub(super) async fn enter(&self, customer: i64, slots: &Slots, slot: &mut Option<Slot>) -> Gate {
        let gate = self.gate(customer);
        if let Ok(held) = Arc::clone(&gate).try_lock_owned() {
            return held;
        }
        drop(slot.take());
        let held = gate.lock_owned().await;
        *slot = Some(slots.take().await);
        held
    }

    /// Forgets gates that nobody waits for.
    pub(super) fn tidy(&self) {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        if gates.len() > 1024 {
            gates.retain(|_, gate| Arc::strong_count(gate) > 1);
        }
    }

    fn gate(&self, customer: i64) -> Arc<Mutex<()>> {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(gates.entry(customer).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_waits_for_a_gate_gives_its_place_up() {
        let (gates, slots) = (Gates::default(), Slots::new(Some(1)));
        let mut none = None;
        let held = gates.enter(1, &slots, &mut none).await;
        let mut place = Some(slots.take().await);
        let waiting = async {
            gates.enter(1, &slots, &mut place).await;
            assert!(place.is_some());
        };
        let other = async {
            // There is one place: this would wait for ever if the waiting one kept it.
            drop(slots.take().await);
            drop(held);
        };
        tokio::join!(waiting, other);
    }
}
