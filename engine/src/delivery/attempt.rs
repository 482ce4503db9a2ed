//! An attempt: `claim → slot → call → outcome → settlement`, for one call of a handler and the notifications it is about.
//!
//! Whatever happens on the way becomes an outcome, and all outcomes meet in the settler.

use super::settler::Finished;
use super::{Deliverer, Event, log_text, patiently};
use crate::host::{Delivery, Place, Previous, Ready};
use crate::rules::attempt::{Attempt, request_hash};
use crate::rules::budget::Limit;
use crate::rules::notification::OnUnknown;
use crate::rules::retry::RetryPolicy;
use crate::rules::{rescue, retry};
use crate::store::{Claim, Claimed, Interventions, Recheck, StoreError};
use jiff::{SignedDuration, Timestamp};
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::time::Duration;

/// Before the end of its lease a claim is given back rather than begun: a call, the writing of its outcome, and some room.
const MARGIN: SignedDuration = SignedDuration::from_secs(10);
/// After so many attempts that did not count, which may go on for ever, what the component says is kept no more.
const MOST_UNCOUNTED: u32 = 20;

/// How a target's component does.
#[derive(Default)]
pub(super) struct Faults {
    /// Whether the last call that is known of failed, in this run or one before.
    pub(super) failing: AtomicBool,
    /// How often it failed too often. What was claimed before is not called after.
    pub(super) pauses: AtomicUsize,
}

impl Deliverer {
    /// Calls the handler once, and says what follows for each of the notifications. A component that fails in call after call is not
    /// called any more.
    pub(super) async fn attempt(
        &self,
        ready: &Ready,
        place: &Place,
        batch: Vec<Claimed>,
        faults: &Faults,
    ) -> (Vec<Finished>, Duration) {
        let deliveries: Vec<Delivery<'_>> = batch.iter().map(delivery).collect();
        let began = self.clock.now();
        let sent = ready.module.send(place, &ready.powers, &deliveries).await;
        let ended = self.clock.now();
        if let Some(fault) = &sent.fault {
            tracing::error!(module = ready.module.name, code = fault.code, "a component failed: {fault}");
        }
        if let Some(first) = batch.first() {
            self.remember(first, ready, sent.fault.as_ref(), faults).await;
        }
        // Kept once: with a thousand of them in a call, each would keep as much as the component cares to say.
        let mut log = sent.log;
        let elsewhere = match deliveries.first() {
            Some(first) if !log.is_empty() => {
                format!("what was said in this call is kept with {}", first.notification.id)
            }
            Some(_) | None => String::new(),
        };
        let finished = batch
            .into_iter()
            .zip(sent.outcomes)
            .map(|(claimed, outcome)| {
                let on_unknown = self.on_unknown(ready, &claimed);
                // Nothing asks for receipts yet, so that what a provider has taken counts as delivered.
                let can_learn_more = false;
                let settlement = retry::settle(
                    &claimed.notification.standing(),
                    &outcome,
                    &RetryPolicy {
                        least_account_wait: retry::least_account_wait(
                            claimed.attempt,
                            claimed.notification.retry_attempts,
                        ),
                        ..self.retry_policy(on_unknown)
                    },
                    can_learn_more,
                    ended,
                    (self.jitter)(),
                );
                let failed = outcome.failure().is_some();
                let said = std::mem::replace(&mut log, elsewhere.clone());
                let uncounted = claimed.attempt.saturating_sub(claimed.notification.retry_attempts);
                let attempt = Attempt {
                    phase: sent.phase.filter(|_| failed),
                    log: if uncounted > MOST_UNCOUNTED { String::new() } else { said },
                    component_digest: Some(ready.module.digest.clone()),
                    usage: Some(sent.usage),
                    request_hash: Some(request_hash(&claimed.notification, &claimed.record.target_user_id)),
                    ..Attempt::new(claimed.attempt, began, ended, &outcome, self.engine)
                };
                let settled = claimed.settled(settlement, attempt);
                Finished { claimed: claimed.called(), outcome, settled }
            })
            .collect();
        (finished, sent.queued)
    }

    /// What to do if nobody will know whether it was sent: the notification's own choice, else the settings', else what the component
    /// proposes.
    fn on_unknown(&self, ready: &Ready, claimed: &Claimed) -> OnUnknown {
        let own = claimed.notification.on_unknown.or(self.settings.delivery.on_unknown);
        own.or(ready.module.manifest.on_unknown).unwrap_or(OnUnknown::Resend)
    }

    /// Whether it is written down that its send begins.
    pub(super) fn is_marked(&self, ready: &Ready, claimed: &Claimed) -> bool {
        rescue::is_marked(self.on_unknown(ready, claimed), claimed.lease_deaths)
    }

    /// What may still be sent: not what its user has opted out of since the claim, which had `seen` what was decided by then. Where that
    /// cannot be known, nothing. Of what is sent from here on it is on the disk that its send may have begun, where that must be known.
    pub(super) async fn still_to_be_sent(
        &self,
        ready: &Ready,
        batch: Vec<Claimed>,
        seen: Interventions,
    ) -> Vec<Claimed> {
        let marks: Vec<(Claim, OnUnknown)> = batch
            .iter()
            .filter(|claimed| self.is_marked(ready, claimed))
            .map(|claimed| (claimed.claim, self.on_unknown(ready, claimed)))
            .collect();
        let asked = async {
            if !marks.is_empty() {
                self.store.mark_sending(&marks).await?;
            }
            self.recheck(&batch, seen).await
        };
        let answers = match asked.await {
            Ok(answers) => answers,
            Err(error) => {
                tracing::error!(error = log_text(&error), "what is to be sent cannot be checked once more");
                self.give_back(&batch).await;
                return Vec::new();
            }
        };
        let mut left = Vec::with_capacity(batch.len());
        for (claimed, answer) in batch.into_iter().zip(answers) {
            match answer {
                Recheck::Send => left.push(claimed),
                Recheck::Ended(status) => (self.observer)(&Event::Ended(&claimed.ended(status))),
                Recheck::Stale => tracing::warn!(
                    notification = %claimed.notification.id,
                    "it is not sent: the claim had been taken from this engine"
                ),
            }
        }
        left
    }

    /// Looks at each of them only where something may have changed: almost always all of them may be sent.
    async fn recheck(&self, batch: &[Claimed], seen: Interventions) -> Result<Vec<Recheck>, StoreError> {
        let now = self.clock.now();
        let expires = |claimed: &Claimed| claimed.notification.expires_at.is_some_and(|expiry| expiry <= now);
        if !batch.iter().any(expires) && !self.store.has_intervened(seen).await? {
            return Ok(vec![Recheck::Send; batch.len()]);
        }
        let claims: Vec<Claim> = batch.iter().map(|claimed| claimed.claim).collect();
        self.store.recheck(&claims, now).await
    }

    /// Whether a claim's lease could end before a call that began now has been settled.
    pub(super) fn is_too_late(&self, lease_until: Timestamp) -> bool {
        let wall =
            SignedDuration::try_from(self.settings.sandbox.largest().time(Limit::Wall)).unwrap_or(SignedDuration::MAX);
        let needed = wall.saturating_add(MARGIN);
        self.clock.now().checked_add(needed).is_ok_and(|end| end > lease_until)
    }

    /// That nothing was sent must be written as surely as what was: a claim that is left to its end counts as unknown.
    pub(super) async fn give_back(&self, batch: &[Claimed]) {
        let claims: Vec<Claim> = batch.iter().map(|claimed| claimed.claim).collect();
        let released = patiently("claims cannot be given back yet", || self.store.release(&claims, self.clock.now()));
        if let Err(error) = released.await {
            tracing::warn!(error = log_text(&error), "claims could not be given back, and end with their lease");
        }
    }
}

fn delivery(claimed: &Claimed) -> Delivery<'_> {
    Delivery {
        notification: &claimed.notification,
        user: &claimed.user,
        record: &claimed.record,
        attempt: claimed.attempt,
        last_attempt: retry::is_last_attempt(&claimed.notification.standing()),
        previous: claimed.previous.as_ref().map(|previous| Previous {
            last: previous.last,
            provider_id: &previous.provider_id,
            unknown_since: previous.unknown_since,
        }),
    }
}
