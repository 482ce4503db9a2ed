//! What must hold whatever happens, said without the model's own verbs: that the model is wrong in the same way as the databases would
//! otherwise not be noticed.

use engine::rules::status::Status;
use engine::rules::target::Target;
use engine::store::{Claim, Claimed, Recheck};
use jiff::Timestamp;
use uuid::Uuid;

use super::calls::{Answer, Call};
use super::specification::{Kept, Model};

/// One step: what was called when, with what before it and after it.
pub struct Step<'a> {
    pub before: &'a Model,
    pub call: &'a Call,
    pub now: Timestamp,
    pub answer: &'a Answer,
    pub after: &'a Model,
}

macro_rules! ensure {
    ($holds:expr, $($words:tt)*) => {
        if !$holds {
            return Err(format!($($words)*));
        }
    };
}

impl Step<'_> {
    pub fn check(&self) -> Result<(), String> {
        for claimed in self.taken() {
            self.may_be_handed_out(claimed)?;
        }
        for (id, after) in &self.after.notifications {
            makes_sense(after)?;
            ensure!(
                !(after.waits() && self.after.is_opted_out(self.after.record_of(after).user)),
                "{id} waits for a user who has opted out"
            );
            match self.before.notifications.get(id) {
                Some(before) => self.may_follow(*id, before, after)?,
                None => ensure!(
                    matches!(self.call, Call::Create(_)) && after.fence == 0 && after.attempts.is_empty(),
                    "{id} came from nowhere"
                ),
            }
        }
        self.nothing_is_lost()?;
        self.only_valid_claims_are_good_for_something()
    }

    /// What became of what, in words that can be counted.
    pub fn happened(&self) -> Vec<String> {
        let call = format!("{:?}", self.call);
        let call = call.split_once('(').map_or(call.as_str(), |(name, _)| name);
        let mut happened: Vec<String> = match self.answer {
            Answer::Rechecked(answers) => answers.iter().map(|answer| format!("{call}: {answer:?}")).collect(),
            Answer::Settled(answers) => answers.iter().map(|answer| format!("{call}: {answer:?}")).collect(),
            Answer::Refused(refusal) => vec![format!("{call}: {refusal:?}")],
            Answer::Canceling(canceling) => vec![format!("{call}: {canceling:?}")],
            Answer::Done | Answer::Number(_) | Answer::Created(_) | Answer::Claims(_) => Vec::new(),
        };
        if let Call::Purge(before, _) = self.call {
            let old = self.after.notifications.values().filter(|kept| kept.notification.modified_date < *before);
            happened.extend(old.map(|kept| format!("Purge: {} stays", kept.notification.status)));
        }
        for (id, before) in &self.before.notifications {
            let Some(after) = self.after.notifications.get(id).filter(|after| *after != before) else { continue };
            let claimed = before.claim.as_ref().map_or("", |held| match self.call {
                Call::Rescue(..) if held.until <= self.now => "claimed too long ",
                _ => "claimed ",
            });
            let (was, is) = (before.notification.status, after.notification.status);
            happened.push(format!("{call}: {claimed}{was} is {is}"));
        }
        happened
    }

    /// The claims that were taken, not only looked at.
    fn taken(&self) -> &[Claimed] {
        match (self.call, self.answer) {
            (Call::Claim(_), Answer::Claims(claims)) => &claims.claimed,
            _ => &[],
        }
    }

    fn may_be_handed_out(&self, claimed: &Claimed) -> Result<(), String> {
        let id = claimed.notification.id;
        let Some(before) = self.before.notifications.get(&id) else { return Err(format!("{id} was not there")) };
        ensure!(before.claim.is_none(), "{id} was claimed already");
        ensure!(before.notification.status.claimable(), "{id} was {}", before.notification.status);
        ensure!(before.notification.scheduled_delivery <= self.now, "{id} was not due");
        ensure!(before.notification.expires_at.is_none_or(|expiry| expiry > self.now), "{id} had expired");
        ensure!(!before.canceled && !before.opted_out, "{id} was taken back");
        let record = self.before.record_of(before);
        ensure!(record.active, "the record of {id} was off");
        ensure!(!self.before.is_opted_out(record.user), "the user of {id} had opted out");
        let Target { pause, slowed_until, .. } = &self.before.targets[&record.target];
        ensure!(pause.is_none(), "the target of {id} was paused");
        ensure!(slowed_until.is_none_or(|until| until <= self.now), "the target of {id} was slowed down");
        ensure!(claimed.attempt as usize == before.attempts.len() + 1, "{id} begins attempt {}", claimed.attempt);
        ensure!(claimed.claim.fence > before.fence, "{id} was given a fence that it had before");
        ensure!(self.after.holds(&claimed.claim), "the claim of {id} is not valid");
        let times = self.taken().iter().filter(|other| other.notification.id == id).count();
        ensure!(times == 1, "{id} was handed out {times} times");
        Ok(())
    }

    fn may_follow(&self, id: Uuid, before: &Kept, after: &Kept) -> Result<(), String> {
        let was_taken = self.taken().iter().any(|claimed| claimed.notification.id == id);
        ensure!(
            after.fence == before.fence + i64::from(was_taken),
            "the fence of {id} was {}, is {}",
            before.fence,
            after.fence
        );
        ensure!(after.attempts.starts_with(&before.attempts), "the history of {id} was changed");
        let more = after.attempts.len() - before.attempts.len();
        ensure!(more == 0 || (more == 1 && before.claim.is_some()), "{id} has {more} attempts more");
        ensure!(more == 0 || after.claim.is_none(), "{id} was attempted and is still claimed");

        let (was, is) = (before.notification.status, after.notification.status);
        if was == is {
            return Ok(());
        }
        ensure!(was.may_become(is), "{id} was {was}, is {is}");
        let has_ended = !was.claimable() && was != Status::Sent;
        ensure!(
            !has_ended
                || matches!(self.call, Call::Retry(_))
                || (was == Status::Unknown && matches!(self.call, Call::Resolve(..))),
            "{id} was {was}, and nobody asked for {is}"
        );
        Ok(())
    }

    /// What does not exist any more was removed by somebody's word, or had ended.
    fn nothing_is_lost(&self) -> Result<(), String> {
        for (id, before) in &self.before.notifications {
            if self.after.notifications.contains_key(id) {
                continue;
            }
            ensure!(before.claim.is_none(), "{id} was claimed and is gone");
            let has_ended = !before.notification.status.claimable()
                && !matches!(before.notification.status, Status::Sent | Status::Unknown);
            match self.call {
                Call::Remove(removed) => ensure!(removed == id, "{id} is gone"),
                Call::Purge(before_then, _) => {
                    ensure!(has_ended && before.notification.modified_date < *before_then, "{id} was purged");
                }
                _ => return Err(format!("{id} is gone")),
            }
        }
        Ok(())
    }

    /// What was shown without a valid claim is as it was.
    fn only_valid_claims_are_good_for_something(&self) -> Result<(), String> {
        let claims: Vec<Claim> = match self.call {
            Call::MarkSending(claims) => claims.iter().map(|(claim, _)| *claim).collect(),
            Call::Recheck(claims) | Call::Release(claims) => claims.clone(),
            Call::Settle(batch) => batch.iter().map(|settled| settled.claim).collect(),
            _ => return Ok(()),
        };
        for (id, before) in &self.before.notifications {
            let is_concerned = claims.iter().any(|claim| claim.notification == *id && self.before.holds(claim));
            ensure!(
                is_concerned || self.after.notifications.get(id) == Some(before),
                "{id} was changed without a claim"
            );
        }
        if let Answer::Rechecked(answers) = self.answer {
            for (claim, _) in claims.iter().zip(answers).filter(|(_, answer)| **answer == Recheck::Send) {
                ensure!(self.before.holds(claim), "{claim:?} may send without being valid");
                let kept = &self.before.notifications[&claim.notification];
                ensure!(self.before.must_end(kept, self.now).is_none(), "{claim:?} may send what must not be sent");
            }
        }
        Ok(())
    }
}

/// What holds for each notification by itself.
fn makes_sense(
    Kept { notification, fence, claim, attempts, lease_deaths, opted_out, canceled }: &Kept,
) -> Result<(), String> {
    let (id, status) = (notification.id, notification.status);
    ensure!(
        status.attempted().allows(notification.attempted_delivery.is_some()),
        "{id} is {status} with {notification:?}"
    );
    ensure!(claim.is_none() || status.claimable(), "{id} is {status} and claimed");
    ensure!(claim.is_some() || !status.claimable() || !(*opted_out || *canceled), "{id} was taken back and waits");
    ensure!(
        attempts.iter().map(|attempt| attempt.number).eq(1..=attempts.len() as u32),
        "{id} numbers its attempts wrongly"
    );
    ensure!(attempts.len() as i64 <= *fence, "{id} has more attempts than claims");
    ensure!(notification.retry_attempts <= notification.max_retries + 1, "{id} was tried too often");
    ensure!(i64::from(*lease_deaths) <= *fence, "{id} has killed more engines than have claimed it");
    Ok(())
}
