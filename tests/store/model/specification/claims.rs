//! Claims: found, taken, given back.

use engine::rules::notification::OnUnknown;
use engine::rules::outcome::OutcomeKind;
use engine::rules::status::Status;
use engine::rules::target::Target;
use engine::store::{Claim, ClaimRequest, Claimed, Claims, Ended, PreviousAttempt, Recheck, Targets};
use jiff::Timestamp;

use super::{Held, Kept, Model, Result};
use crate::store::TENANT;

impl Model {
    /// Takes what is due, and ends what must not be sent any more.
    pub fn claim_due(&mut self, request: &ClaimRequest) -> Claims {
        let claims = self.preview_due(request.now, request.limit, &request.targets);
        for claimed in &claims.claimed {
            let kept = self.kept_mut(claimed.notification.id);
            let ClaimRequest { engine, now, lease_until, .. } = *request;
            kept.claim = Some(Held { engine, since: now, until: lease_until, sending: None });
            kept.fence = claimed.claim.fence;
        }
        for ended in &claims.ended {
            self.kept_mut(ended.notification.id).change(ended.status, request.now);
        }
        claims
    }

    /// What a claim would bring. What is due at the same time comes in the order of its ids.
    pub fn preview_due(&self, now: Timestamp, limit: u32, targets: &Targets) -> Claims {
        let mut claims = Claims::default();
        for kept in self.due(now, targets).into_iter().take(limit as usize) {
            let (notification, record) = (kept.notification.clone(), self.record_of(kept).clone());
            let (user, target) = (self.users[&record.user].clone(), self.targets[&record.target].clone().into());
            if let Some(status) = self.must_end(kept, now) {
                claims.ended.push(Ended { status, notification, user, record, target });
                continue;
            }
            claims.claimed.push(Claimed {
                claim: Claim { tenant: TENANT, notification: notification.id, fence: kept.fence + 1 },
                notification,
                user,
                record,
                target,
                attempt: kept.attempts.len() as u32 + 1,
                previous: kept.previous(),
                lease_deaths: kept.lease_deaths,
            });
        }
        claims
    }

    /// All that is due in the targets that are meant and open, earliest first.
    pub fn due(&self, now: Timestamp, targets: &Targets) -> Vec<&Kept> {
        let is_open = |target: &Target| {
            target.pause.is_none()
                && target.slowed_until.is_none_or(|until| until <= now)
                && match targets {
                    Targets::All => true,
                    Targets::Only(meant) => meant.contains(&target.id),
                    Targets::AllBut(unwanted) => !unwanted.contains(&target.id),
                }
        };
        let is_due = |kept: &&Kept| {
            kept.waits()
                && kept.notification.scheduled_delivery <= now
                && is_open(&self.targets[&self.record_of(kept).target])
        };
        let mut due: Vec<&Kept> = self.notifications.values().filter(is_due).collect();
        due.sort_by_key(|kept| kept.notification.scheduled_delivery);
        due
    }

    /// What a notification ends in that must not be sent at `now`.
    pub fn must_end(&self, kept: &Kept, now: Timestamp) -> Option<Status> {
        let record = self.record_of(kept);
        if kept.opted_out || self.is_opted_out(record.user) {
            Some(Status::OptedOut)
        } else if kept.canceled {
            Some(Status::Canceled)
        } else if !record.active {
            Some(Status::InactiveDevice)
        } else {
            kept.notification.expires_at.filter(|expiry| *expiry <= now).map(|_| Status::Expired)
        }
    }

    /// When the next one is due in a target that is not paused.
    pub fn next_due(&self) -> Option<Timestamp> {
        let earliest = |kept: &Kept| {
            let target = &self.targets[&self.record_of(kept).target];
            let due = kept.notification.scheduled_delivery;
            (kept.waits() && target.pause.is_none()).then(|| target.slowed_until.map_or(due, |until| until.max(due)))
        };
        self.notifications.values().filter_map(earliest).min()
    }

    /// Gives claims back unused. Nothing counts.
    pub fn release(&mut self, claims: &[Claim], now: Timestamp) -> u64 {
        let mut released = 0;
        for claim in claims {
            let Some(kept) = self.held(claim) else { continue };
            kept.claim = None;
            kept.change(kept.taken_back().unwrap_or(kept.notification.status), now);
            released += 1;
        }
        released
    }

    /// Stale ones are passed over.
    pub fn mark_sending(&mut self, claims: &[(Claim, OnUnknown)]) -> Result<()> {
        for (claim, policy) in claims {
            if let Some(held) = self.held(claim).and_then(|kept| kept.claim.as_mut()) {
                held.sending = Some(*policy);
            }
        }
        Ok(())
    }

    /// Whether claims may still be used for sending; those that may not end here.
    pub fn recheck(&mut self, claims: &[Claim], now: Timestamp) -> Vec<Recheck> {
        let judge =
            |claim| match self.holds(claim).then(|| self.must_end(&self.notifications[&claim.notification], now)) {
                None => Recheck::Stale,
                Some(None) => Recheck::Send,
                Some(Some(status)) => Recheck::Ended(status),
            };
        let answers: Vec<Recheck> = claims.iter().map(judge).collect();
        for (claim, answer) in claims.iter().zip(&answers) {
            if let Recheck::Ended(status) = answer {
                let kept = self.kept_mut(claim.notification);
                kept.claim = None;
                kept.change(*status, now);
            }
        }
        answers
    }
}

impl Kept {
    /// What the next attempt is told.
    fn previous(&self) -> Option<PreviousAttempt> {
        let named = self.attempts.iter().rev().find(|attempt| !attempt.provider_id.is_empty());
        let unknown = self.attempts.iter().filter(|attempt| attempt.outcome == OutcomeKind::Unknown);
        Some(PreviousAttempt {
            last: self.attempts.iter().map(|attempt| attempt.started_at).max()?,
            provider_id: named.map(|attempt| attempt.provider_id.clone()).unwrap_or_default(),
            unknown_since: unknown.map(|attempt| attempt.started_at).min(),
        })
    }
}
