//! `engine target show`: a target, and what its component says of itself.

use super::context::Context;
use super::exit::Code;
use super::output::{self, Format};
use crate::host::{Catalog, Module, ModuleError, Ready};
use crate::rules::grants;
use crate::rules::limits;
use crate::rules::manifest::Manifest;
use crate::rules::schema::{self, Key};
use crate::rules::setup::ENGINES_OWN;
use crate::rules::spelling::nearest;
use crate::rules::target::{Pause, PauseKind, Target};
use crate::rules::tenant::Tenant;
use crate::store::Store;
use crate::targets::{self, Unready};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;

/// A target's component, or why there is none.
pub type Found = Result<Arc<Ready>, ModuleError>;

pub async fn execute(context: &Context, target: &Target) -> anyhow::Result<Code> {
    tell_stray_sections(context).await?;
    let found = found(&context.store, &context.catalog()?, target).await?;
    match context.output {
        Format::Json => output::json(&as_json(target, &found)?)?,
        Format::Text => text(target, &found, context.clock.now())?,
    }
    Ok(Code::Done)
}

/// Looks for a target's component.
pub async fn found(store: &Store, catalog: &Catalog, target: &Target) -> anyhow::Result<Found> {
    match targets::ready(store, catalog, Tenant::DEFAULT, target).await {
        Ok(ready) => Ok(Ok(ready)),
        Err(Unready::Module(error) | Unready::Trouble(error)) => Ok(Err(error)),
        Err(Unready::Store(error)) => Err(error.into()),
    }
}

/// Sections of the settings that are for no target's module, but are named much like one that has a target.
async fn stray_sections(context: &Context) -> anyhow::Result<Vec<String>> {
    let targets = context.store.list_targets(Tenant::DEFAULT).await?;
    let modules = || targets.iter().map(|target| target.notification_module_name.as_str());
    let strays = context.settings.target.keys().filter(|section| modules().all(|module| module != section.as_str()));
    let meant = strays.filter_map(|section| Some((section, nearest(section, modules())?)));
    let said = |(section, near): (&String, &str)| {
        format!("[target.{section}] is for no target; did you mean [target.{near}]?")
    };
    Ok(meant.map(said).collect())
}

/// Says so on standard error, where it keeps nothing from being done.
pub async fn tell_stray_sections(context: &Context) -> anyhow::Result<()> {
    stray_sections(context).await?.iter().for_each(|said| output::aside(&format!("engine: {said}")));
    Ok(())
}

/// All that keeps a target's component from being used, or from sending.
pub fn problems(found: &Found) -> Vec<String> {
    match found {
        Err(error) => vec![error.to_string()],
        Ok(ready) => ready.lacks(),
    }
}

/// Says it after something was changed.
pub fn tell_lacks(problems: &[String]) -> anyhow::Result<()> {
    problems.iter().try_for_each(|lack| output::text(&output::line(&format!("It is not ready: {lack}"))))
}

/// What somebody may have meant otherwise.
pub fn remarks(found: &Found) -> Vec<String> {
    found.as_ref().map(|ready| ready.remarks()).unwrap_or_default()
}

/// Says it, a line each.
pub fn tell_remarks(remarks: &[String]) -> anyhow::Result<()> {
    remarks.iter().try_for_each(|remark| output::text(&output::line(remark)))
}

/// What a target that can send does without, of what its component asks for.
pub fn without(found: &Found) -> Vec<String> {
    let Ok(ready) = found else { return Vec::new() };
    let lacks = ready.lacks();
    let shut = grants::shut(&ready.powers.grants).into_iter().map(|inspected| inspected.why);
    shut.filter(|why| !lacks.contains(why)).collect()
}

/// Why what is made for a target will wait, if it will.
pub fn waits(target: &Target, found: &Found) -> Option<String> {
    let lacks = problem(found).map(|problem| format!("{} is not ready: {problem}", target.name));
    let paused = paused(target).filter(|_| lacks.is_none() || !target.is_unready());
    let all: Vec<String> = lacks.into_iter().chain(paused).collect();
    (!all.is_empty()).then(|| all.join(" "))
}

/// That a target is paused, if it is, why, and how it goes on where it does not by itself.
pub fn paused(target: &Target) -> Option<String> {
    let name = &target.name;
    let why = limits::sentence(&target.pause.as_ref()?.said());
    Some(if target.is_unready() {
        // It is looked at again at the next start, or when what is missing is set.
        format!("{name} is paused: {why}")
    } else {
        let when = match target.pause.as_ref()?.kind {
            PauseKind::Operator => "",
            PauseKind::Component | PauseKind::Configuration => "Once that is mended, ",
        };
        format!("{name} is paused: {why} {when}`engine target resume {}` ends that.", grants::quoted(name))
    })
}

/// The first of it.
pub fn problem(found: &Found) -> Option<String> {
    problems(found).into_iter().next()
}

/// Whether anything stops a target, and what.
pub fn state(target: &Target, found: &Found, now: Timestamp) -> String {
    match (&target.pause, problem(found), target.slowed_until) {
        (Some(pause), None, _) if target.is_unready() => format!(
            "ready again, and paused until the next start or `engine target resume {}`; what stopped it at {} was: {}",
            grants::quoted(&target.name),
            pause.since,
            pause.said()
        ),
        (Some(Pause { kind: PauseKind::Operator, reason, .. }), None, _) => format!("paused: {reason}"),
        // What was said then may be mended since.
        (Some(pause), None, _) => format!("paused since {}: {}", pause.since, pause.said()),
        (Some(pause), Some(problem), _) if !target.is_unready() => {
            format!("not ready: {problem} It is paused, too, since {}: {}", pause.since, pause.said())
        }
        (_, Some(problem), _) => format!("not ready: {problem}"),
        (None, None, Some(until)) if until > now => format!("slowed down until {until}"),
        (None, None, _) => match found.as_ref().map(|ready| grants::shut(&ready.powers.grants).len()) {
            Ok(0) | Err(_) => "delivers".to_owned(),
            Ok(shut) => format!(
                "delivers, without {shut} of the things that its component asks for: see `engine target inspect {}`",
                grants::quoted(&target.name)
            ),
        },
    }
}

/// The target as every command gives it, and its component, or why there is none.
fn as_json(target: &Target, found: &Found) -> anyhow::Result<Value> {
    let mut value = serde_json::to_value(target)?;
    value["component"] = match found {
        Ok(ready) => {
            let Module { digest, manifest, .. } = &*ready.module;
            let (settings, extra) = (schema::keys(&manifest.settings), schema::keys(&manifest.extra));
            json!({ "digest": digest, "manifest": manifest, "settings": settings, "extra": extra })
        }
        Err(_) => Value::Null,
    };
    value["problem"] = problem(found).into();
    value["problems"] = problems(found).into();
    value["remarks"] = remarks(found).into();
    Ok(value)
}

fn text(target: &Target, found: &Found, now: Timestamp) -> anyhow::Result<()> {
    let mut lines = vec![
        ("name", target.name.clone()),
        ("module", target.notification_module_name.clone()),
        ("state", state(target, found, now)),
    ];
    // The first is in the state.
    lines.extend(problems(found).into_iter().skip(1).map(|problem| ("and also", problem)));
    if let Ok(ready) = found {
        let Module { digest, manifest, .. } = &*ready.module;
        lines.push(("component", digest.clone()));
        lines.extend(said(manifest));
    }
    for (name, value) in lines {
        output::text(&output::line(&format!("{name:>17}: {value}")))?;
    }
    if let Ok(ready) = found {
        let Manifest { settings, extra, .. } = &ready.module.manifest;
        let module = &target.notification_module_name;
        list(
            &format!(
                "Settings, under [target.{module}]:\n  The engine reads there, for every target: {}.",
                ENGINES_OWN.join(", ")
            ),
            &schema::keys(settings),
        )?;
        list("Keys of `extra`:", &schema::keys(extra))?;
    }
    tell_remarks(&remarks(found))
}

/// What a manifest says that fits on a line.
fn said(manifest: &Manifest) -> Vec<(&'static str, String)> {
    let mut lines = vec![
        ("version", manifest.version.clone()),
        ("what it does", manifest.summary.clone()),
        ("address", format!("{}, such as {}", manifest.address.title, manifest.address.example)),
    ];
    // Only what is asked for: asking grants nothing.
    lines.extend(manifest.http.origins.iter().map(|origin| ("asks for", format!("HTTP to {origin}"))));
    let capabilities = [
        (manifest.http.record_address, "HTTP to the record's own address"),
        (manifest.smtp, "mail through the relay"),
        (manifest.templates, "the folder of templates"),
    ];
    lines.extend(capabilities.into_iter().filter(|(asked, _)| *asked).map(|(_, what)| ("asks for", what.to_owned())));
    lines.extend(manifest.secrets.iter().map(|secret| {
        let optional = if secret.required { "" } else { ", if there is one" };
        ("asks for", format!("the secret {}{optional}: {}", secret.name, secret.purpose))
    }));
    lines.push(("largest batch", manifest.largest_batch.to_string()));
    lines.push(("retry interval", format!("{} s, where nothing else is asked for", manifest.retry_time_interval)));
    lines.extend(manifest.on_unknown.map(|policy| ("on unknown", policy.as_str().to_owned())));
    lines.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

fn list(heading: &str, keys: &[Key]) -> anyhow::Result<()> {
    if keys.is_empty() {
        return Ok(());
    }
    output::text(&format!("\n{heading}"))?;
    for Key { key, kind, required, bounds, description } in keys {
        let required = required.then(|| "required".to_owned());
        let said: Vec<String> = [kind.clone()].into_iter().chain(required).chain(bounds.iter().cloned()).collect();
        output::text(&output::line(&format!("  {key}: {}", said.join(", "))))?;
        if !description.is_empty() {
            output::text(&output::line(&format!("      {description}")))?;
        }
    }
    Ok(())
}
