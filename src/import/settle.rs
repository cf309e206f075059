//! What came of a request whose answer was lost: looked for until it is found, or proved absent.
//!
//! While one waits between looks, its conversation is parked and its place is free for others. What cannot be told stays
//! open: it is undecided, and every later run looks again. The rules of proof are in [`crate::policy::next_look`].

use std::time::Duration;

use tokio::time::Instant;

use super::{ImportError, ImportEvent, delivery::Delivery, look::Seen, slots::Slot};
use crate::{
    call::Moment,
    checkpoint::{RequestKind, UnknownRequest},
    helpscout::Transport,
    policy::{Absence, Evidence, Look, Saw, next_look},
};

/// The longest that one attempt lasts.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(60);
/// By how much the service's clock may be misread: it shows whole seconds, and what it showed was on its way.
pub(super) const SLACK: i64 = 2;

/// What became known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settled {
    /// It is stored; that is on disk.
    Landed,
    /// It is not; its calls wait again.
    Absent,
    /// It is not known yet, and what comes after it has to wait.
    Open,
    /// It will hardly ever be known: there is nowhere to look. What comes after it need not wait.
    Nowhere,
}

impl<T: Transport> Delivery<T> {
    /// When the attempt of an earlier run had ended, at the latest: when this run began, and where the service's clock says
    /// so, before that. A computer's own clock may have jumped since and is not asked.
    pub(super) fn ended_before(&self, request: &UnknownRequest) -> Instant {
        let began = Instant::now() - self.clock.elapsed();
        if !request.dated {
            return began;
        }
        // It may have waited for a token for as long as anything is waited for, and was sent twice at the most.
        let longest = self.settings.give_up + 2 * LONGEST_ATTEMPT;
        let ended = self.by_service(request.sent_at, -SLACK).and_then(|sent_at| sent_at.checked_add(longest));
        ended.map_or(began, |ended| ended.min(began))
    }

    /// A moment of the service's clock on this run's own, `slack` seconds too early; none where the service shows no clock.
    pub(super) fn by_service(&self, moment: Moment, slack: i64) -> Option<Instant> {
        let since = self.client.service_now()?.epoch_seconds() - moment.epoch_seconds();
        let since = Duration::from_secs(u64::try_from(since.saturating_add(slack)).unwrap_or(0));
        Instant::now().checked_sub(since)
    }

    /// Looks for `request`, whose attempt ended at `ended`, until it is found or proved absent. `slot` is given up between
    /// looks and taken again at the end.
    pub(super) async fn settle(
        &self,
        request: &UnknownRequest,
        ended: Instant,
        slot: &mut Option<Slot>,
    ) -> Result<Settled, ImportError> {
        let settled = self.look_until_known(request, ended, slot).await?;
        if matches!(settled, Settled::Landed | Settled::Absent) {
            let calls = request.calls.len() as u64;
            self.events.emit(ImportEvent::Settled { calls, landed: settled == Settled::Landed });
        }
        if slot.is_none() {
            *slot = Some(self.slots.take().await);
        }
        Ok(settled)
    }

    async fn look_until_known(
        &self,
        request: &UnknownRequest,
        ended: Instant,
        slot: &mut Option<Slot>,
    ) -> Result<Settled, ImportError> {
        let mut looks: Vec<Look> = Vec::new();
        loop {
            let after = match next_look(self.evidence(request), self.settings.settle, &looks) {
                Absence::Proved { .. } if request.stored => return Ok(Settled::Open),
                Absence::Proved { by_waiting } => {
                    if by_waiting {
                        self.warn(
                            "the absence of a lost request rests on waiting alone: nothing that was made after it \
                             could be seen in Help Scout's list"
                                .to_owned(),
                        );
                    }
                    self.ledger.not_stored(request.id, true).await?;
                    return Ok(Settled::Absent);
                }
                Absence::Unclear => return Ok(Settled::Open),
                Absence::LookAgain(after) => after,
            };
            if !self.wait_until(ended + after, slot).await {
                return Ok(Settled::Open);
            }
            let began = ended.elapsed();
            let seen = match request.kind {
                RequestKind::Append => self.look_in_conversation(request).await?,
                RequestKind::Create => self.look_for_conversation(request, ended).await?,
                RequestKind::Customer => self.look_for_customer(request, ended).await?,
                RequestKind::Refusal | RequestKind::Recovered => Seen::Nowhere,
            };
            let saw = match seen {
                Seen::Landed => return Ok(Settled::Landed),
                Seen::Nowhere => return Ok(Settled::Nowhere),
                Seen::Unclear => Saw::Unclear,
                Seen::Missed { later_one_visible } => Saw::Others { later_one: later_one_visible },
            };
            looks.push(Look { after: began, saw });
        }
    }

    fn evidence(&self, request: &UnknownRequest) -> Evidence {
        match request.kind {
            RequestKind::Append | RequestKind::Refusal | RequestKind::Recovered => Evidence::Listing,
            RequestKind::Create => Evidence::Index { longest_lag: self.conversations_made.longest_lag() },
            RequestKind::Customer => Evidence::Index { longest_lag: self.customers_made.longest_lag() },
        }
    }

    /// Waits without a place; `false` where a person asked to stop.
    async fn wait_until(&self, when: Instant, slot: &mut Option<Slot>) -> bool {
        if when <= Instant::now() {
            return !self.stop.is_cancelled();
        }
        drop(slot.take());
        tokio::select! {
            biased;
            () = self.stop.cancelled() => false,
            () = tokio::time::sleep_until(when) => true,
        }
    }
}
