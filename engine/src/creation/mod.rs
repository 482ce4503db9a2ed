//! A request becomes notifications: the user, their active records, each component's creator, then the store, all or none.
//!
//! In reading order: `request` (what is asked and answered), here what is done, `records` (where users are reached).

mod records;
mod request;

pub use records::{Changed, check_address, keep_email_records, upsert_record};
pub use request::{CreationError, Message, Refusal, Report, Request};

use crate::host::{self, Catalog, Draft, Fault};
use crate::rules::duplicates;
use crate::rules::limits::{self, Invalid};
use crate::rules::moment::Moment;
use crate::rules::notification::{MAX_EXTRA, NewNotification};
use crate::rules::schema;
use crate::rules::target::{Target, TargetUserRecord};
use crate::rules::user::User;
use crate::store::{Creation, RecordFilter, Store};
use crate::targets;
use futures::StreamExt;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::HashMap;
use uuid::Uuid;

/// Drafts that a creator may answer with: a long text in parts, for each record of a user, is a small part of it.
const MOST_DRAFTS: usize = 1000;
/// How many creators are asked at once for one request.
const SIDE_BY_SIDE: usize = 8;
/// The wait before the second attempt where no component is asked, in seconds.
const RETRY_TIME_INTERVAL: u32 = 60;

/// Makes the notifications of a request, all or none, and reports what came of it in each target; the ids of what is new come from `new_id`.
///
/// A target in which there is nothing to do does not stop the others, nor does one whose component cannot be used or refuses the request, unless targets were named;
/// if there is nothing to do in any, that is an error.
pub async fn create(
    store: &Store,
    catalog: &Catalog,
    request: &Request,
    now: Timestamp,
    new_id: impl Fn() -> Uuid,
) -> Result<Vec<Report>, CreationError> {
    if let Some(key) = &request.idempotency_key {
        duplicates::check_given(key)?;
        let first = first_answer(store, request, key).await?;
        if !first.is_empty() {
            return Ok(first);
        }
    }
    let user = store.find_user(request.tenant, &request.user).await?;
    if store.is_opted_out(request.tenant, user.id).await? {
        return Err(CreationError::refused(Refusal::UserIsOptedOut(user.username)));
    }
    let times = Times::of(request, &user, now)?;
    let places = places(store, request, &user).await?;
    for (name, _) in &request.messages {
        if !places.iter().any(|place| place.target.is_called(name)) {
            let sentence = format!(
                "There is a message for the target {name}, but it is not sent to: leave it out, or name the target too."
            );
            return Err(Invalid::new("messages", sentence).into());
        }
    }
    // Side by side: one creator that takes its time holds up the answer, and several of them no longer; few, as those that compute take turns.
    let asked = places.iter().map(|place| ask(store, catalog, request, &user, &times, place));
    let answers: Vec<_> = futures::stream::iter(asked).buffered(SIDE_BY_SIDE).collect().await;
    let mut plans = Vec::with_capacity(places.len());
    let mut broken = None;
    for (place, answer) in places.into_iter().zip(answers) {
        let planned = answer.and_then(|answer| match answer {
            Ok(made) => plan(request, &times, &place, made, &new_id).map(Ok),
            Err(refusal) => Ok(Err(refusal)),
        });
        let planned = match planned {
            // Nobody has named this target: whatever is the matter with it alone is no reason to send nothing through the others.
            Err(error)
                if request.targets.is_empty()
                    && let Some(why) = error.of_one_target() =>
            {
                broken.get_or_insert(error);
                Err(Refusal::NotificationsNotCreated(why))
            }
            planned => planned?,
        };
        plans.push((place.target.name, planned));
    }
    let stored = loop {
        let mut batch: Vec<NewNotification> =
            plans.iter().filter_map(|(_, planned)| planned.as_ref().ok()).flatten().cloned().collect();
        if let Some(given) = &request.idempotency_key {
            for (number, new) in batch.iter_mut().enumerate() {
                new.idempotency_key = Some(duplicates::given(given, number));
            }
        }
        let is_to = |record: Uuid, planned: &Result<Vec<NewNotification>, Refusal>| {
            planned.as_ref().is_ok_and(|planned| planned.iter().any(|new| new.target_user_record == record))
        };
        match store.create(request.tenant, &batch, now).await {
            // Meanwhile nobody is reached there any more; the others are, and nobody has named this target.
            Err(error)
                if request.targets.is_empty()
                    && let Some(record) = error.unreachable_record()
                    && let Some((_, planned)) = plans.iter_mut().find(|(_, planned)| is_to(record, planned)) =>
            {
                if let Ok(new) = planned {
                    new.retain(|new| new.target_user_record != record);
                }
                if planned.as_ref().is_ok_and(Vec::is_empty) {
                    *planned = Err(Refusal::NotificationsNotCreated(error.to_string()));
                }
            }
            stored => break stored?,
        }
    };
    if request.idempotency_key.is_some() && stored.iter().any(Creation::is_duplicate) {
        // The same request was made at the same moment, and was first; or of what it made before, these are left.
        return answer_of(store, request, stored.into_iter().map(Creation::id).collect()).await;
    }
    let mut stored = stored.into_iter();
    let mut reports = Vec::with_capacity(plans.len());
    for (target, planned) in plans {
        let result = planned.and_then(|planned| {
            let answers: Vec<Creation> = stored.by_ref().take(planned.len()).collect();
            if answers.iter().all(|answer| matches!(answer, Creation::Duplicate(_))) {
                let sentence = "the same title was scheduled for the same time already.".to_owned();
                return Err(Refusal::NotificationsNotCreated(sentence));
            }
            Ok(answers.into_iter().map(Creation::id).collect())
        });
        reports.push(Report { target, result });
    }
    if reports.iter().any(|report| report.result.is_ok()) {
        return Ok(reports);
    }
    if let Some(error) = broken {
        return Err(error);
    }
    let refusals = reports.into_iter().filter_map(|report| Some((Some(report.target), report.result.err()?)));
    Err(CreationError::Nothing(refusals.collect()))
}

/// How many notifications of a key are looked for at once: more than one target may have had in front of the others, which may be gone.
const AT_ONCE: usize = MOST_DRAFTS + 24;

/// What a request with this key was answered before, of what is still there; nothing, if there was none.
async fn first_answer(store: &Store, request: &Request, key: &str) -> Result<Vec<Report>, CreationError> {
    let mut ids = Vec::new();
    // The first of them may be gone, with a record that was removed or since it is long over.
    for from in (0..).step_by(AT_ONCE) {
        let keys: Vec<String> = (from..from + AT_ONCE).map(|number| duplicates::given(key, number)).collect();
        let found = store.find_by_idempotency_keys(request.tenant, &keys).await?;
        if found.is_empty() {
            break;
        }
        ids.extend(found);
    }
    answer_of(store, request, ids).await
}

/// These notifications of a key as an answer.
async fn answer_of(store: &Store, request: &Request, ids: Vec<Uuid>) -> Result<Vec<Report>, CreationError> {
    let tenant = request.tenant;
    let mut reports: Vec<Report> = Vec::new();
    for id in ids {
        let listed = store.find_notification(tenant, id).await?.listed;
        if listed.username != request.user {
            let sentence = "The idempotency key was used for another user's notification: choose another.";
            return Err(Invalid::new("idempotency_key", sentence).into());
        }
        let target = listed.target_name;
        match reports.iter_mut().find(|report| report.target == target) {
            Some(Report { result: Ok(ids), .. }) => ids.push(id),
            _ => reports.push(Report { target, result: Ok(vec![id]) }),
        }
    }
    Ok(reports)
}

/// When, on the user's clock.
struct Times {
    /// Whether the application named a time, so that a second request for it is the same one.
    given: bool,
    scheduled_delivery: Timestamp,
    expires_at: Option<Timestamp>,
}

impl Times {
    fn of(request: &Request, user: &User, now: Timestamp) -> Result<Self, CreationError> {
        let zone = TimeZone::get(&user.time_zone).unwrap_or(TimeZone::UTC);
        let resolve = |field, moment: &Moment| {
            moment
                .resolve(now, &zone)
                .ok_or_else(|| Invalid::new(field, format!("{field} is too far away: choose an earlier time.")))
        };
        let expires_at = request.expires_at.as_ref().map(|moment| resolve("expires_at", moment)).transpose()?;
        if expires_at.is_some_and(|time| time <= now) {
            let sentence = "expires_at is over already: nothing could be sent any more.";
            return Err(Invalid::new("expires_at", sentence).into());
        }
        Ok(Times {
            given: request.scheduled_delivery.is_some(),
            scheduled_delivery: match &request.scheduled_delivery {
                Some(moment) => resolve("scheduled_delivery", moment)?,
                None => now,
            },
            expires_at,
        })
    }
}

/// A target, and where the user is reached in it.
struct Place {
    target: Target,
    records: Vec<TargetUserRecord>,
}

/// The targets that were named, each once; or else all in which the user has an active record.
async fn places(store: &Store, request: &Request, user: &User) -> Result<Vec<Place>, CreationError> {
    let mut places: Vec<Place> = Vec::new();
    if request.targets.is_empty() {
        let filter = RecordFilter { user: Some(user.id), ..RecordFilter::default() };
        let mut active: HashMap<Uuid, Vec<TargetUserRecord>> = HashMap::new();
        for listed in store.list_records(request.tenant, &filter).await? {
            if listed.record.active {
                active.entry(listed.record.target).or_default().push(listed.record);
            }
        }
        for target in store.list_targets(request.tenant).await? {
            if let Some(records) = active.remove(&target.id) {
                places.push(Place { target, records });
            }
        }
        if places.is_empty() {
            let refusal = Refusal::UserHasNoTargetRecords { user: user.username.clone(), target: None };
            return Err(CreationError::refused(refusal));
        }
    }
    for name in &request.targets {
        let target = store.find_target(request.tenant, name).await?;
        if places.iter().all(|place| place.target.id != target.id) {
            let records = store.active_records(request.tenant, user.id, target.id).await?;
            places.push(Place { target, records });
        }
    }
    Ok(places)
}

/// What is made of a request for one target.
struct Made {
    drafts: Vec<Draft>,
    retry_time_interval: u32,
}

/// The message for a target: its own, or that for all.
fn message_for<'a>(request: &'a Request, target: &Target) -> &'a Message {
    let own = request.messages.iter().find(|(name, _)| target.is_called(name));
    own.map_or(&request.message, |(_, message)| message)
}

/// Asks for it, where somebody is reached and something is to be sent.
async fn ask(
    store: &Store,
    catalog: &Catalog,
    request: &Request,
    user: &User,
    times: &Times,
    place: &Place,
) -> Result<Result<Made, Refusal>, CreationError> {
    let Place { target, records } = place;
    if records.is_empty() {
        let (user, target) = (user.username.clone(), Some(target.name.clone()));
        return Ok(Err(Refusal::UserHasNoTargetRecords { user, target }));
    }
    let message = message_for(request, target);
    let made = if request.raw {
        let retry_time_interval = request.retry_time_interval.unwrap_or(RETRY_TIME_INTERVAL);
        Made { drafts: raw(message, records), retry_time_interval }
    } else {
        ask_creator(store, catalog, request, user, times, place, message).await?
    };
    if made.drafts.is_empty() {
        let sentence = format!("the target {} has nothing to send for this request.", target.name);
        return Ok(Err(Refusal::NotificationsNotCreated(sentence)));
    }
    Ok(Ok(made))
}

/// What is to be stored for one target.
fn plan(
    request: &Request,
    times: &Times,
    Place { target, .. }: &Place,
    Made { drafts, retry_time_interval }: Made,
    new_id: &impl Fn() -> Uuid,
) -> Result<Vec<NewNotification>, CreationError> {
    let message = message_for(request, target);
    let mut parts: HashMap<Uuid, usize> = HashMap::new();
    let planned = drafts.into_iter().map(|draft| {
        let scheduled_delivery =
            draft.not_before.map_or(times.scheduled_delivery, |time| time.max(times.scheduled_delivery));
        let part = parts.entry(draft.target_user_record).or_default();
        let key = times.given.then(|| {
            duplicates::key(draft.target_user_record, &draft.title, times.scheduled_delivery, &draft.extra, *part)
        });
        *part += 1;
        NewNotification {
            id: new_id(),
            target_user_record: draft.target_user_record,
            title: draft.title,
            body: draft.body,
            extra: draft.extra,
            scheduled_delivery,
            retry_time_interval,
            max_retries: request.max_retries,
            expires_at: times.expires_at,
            idempotency_key: key,
            on_unknown: request.on_unknown,
        }
    });
    let planned: Vec<NewNotification> = planned.collect();
    if !request.raw {
        planned.iter().try_for_each(|new| check_own(new, message, times, target))?;
    }
    Ok(planned)
}

/// What the component wrote itself, and not the application, is the component's mistake if it cannot be kept.
fn check_own(new: &NewNotification, message: &Message, times: &Times, target: &Target) -> Result<(), CreationError> {
    let is_as_given = new.title == message.title
        && new.body == message.body
        && new.extra == message.extra
        && new.scheduled_delivery == times.scheduled_delivery;
    match new.check() {
        Err(why) if !is_as_given => {
            let message = format!("What the component made of the message cannot be kept: {}", why.sentence);
            let fault = Fault { code: "wrong_result", message };
            Err(CreationError::Fault { target: target.name.clone(), fault })
        }
        // Or it is said when it is stored.
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The message as it is, for each record.
fn raw(message: &Message, records: &[TargetUserRecord]) -> Vec<Draft> {
    let draft = |record: &TargetUserRecord| Draft {
        target_user_record: record.id,
        title: message.title.clone(),
        body: message.body.clone(),
        extra: message.extra.clone(),
        not_before: None,
    };
    records.iter().map(draft).collect()
}

/// What the target's creator makes of the message, and how long to wait before a second attempt.
async fn ask_creator(
    store: &Store,
    catalog: &Catalog,
    request: &Request,
    user: &User,
    times: &Times,
    Place { target, records }: &Place,
    message: &Message,
) -> Result<Made, CreationError> {
    let ready = targets::ready(store, catalog, request.tenant, target).await?;
    // Before it is followed by a schema.
    limits::bytes("extra", &serde_json::to_string(&message.extra).unwrap_or_default(), MAX_EXTRA)?;
    host::beside_the_runtime(|| schema::check("extra", &message.extra, &ready.module.manifest.extra, &[]))
        .map_err(|why| CreationError::Unfit { target: target.name.clone(), why })?;
    let retry_time_interval = request.retry_time_interval.unwrap_or(ready.module.manifest.retry_time_interval);
    let asked = host::Creation {
        user,
        records,
        title: &message.title,
        body: &message.body,
        extra: &message.extra,
        scheduled_delivery: times.scheduled_delivery,
        expires_at: times.expires_at,
        retry_time_interval,
        max_retries: request.max_retries,
    };
    let report = ready.module.create(&ready.powers, &asked).await;
    let fault = |fault| CreationError::Fault { target: target.name.clone(), fault };
    let refused = |failure| CreationError::Refused { target: target.name.clone(), failure };
    let drafts = report.result.map_err(fault)?.map_err(refused)?;
    if drafts.len() > MOST_DRAFTS {
        let message = format!("The component made {} drafts, and {MOST_DRAFTS} are the most.", drafts.len());
        return Err(fault(Fault { code: "wrong_result", message }));
    }
    if drafts.iter().any(|draft| !records.iter().any(|record| record.id == draft.target_user_record)) {
        let message = "The component made a draft for a record that was not in the request.".to_owned();
        return Err(fault(Fault { code: "wrong_result", message }));
    }
    Ok(Made { drafts, retry_time_interval })
}
