//! `engine target inspect`: what a component asks for, what it is granted, what the operator allows, what of that is in force, and the limits on
//! its calls.

use super::context::Context;
use super::exit::Code;
use super::output::{self, Format};
use crate::host::Ready;
use crate::rules::budget::InForce;
use crate::rules::grants::{self, Capability, Inspected};
use crate::rules::imports::Import;
use crate::rules::target::Target;
use crate::rules::tenant::Tenant;
use crate::targets;
use serde_json::json;

pub async fn execute(context: &Context, target: &Target) -> anyhow::Result<Code> {
    super::target_show::tell_stray_sections(context).await?;
    let ready = targets::ready(&context.store, &context.catalog()?, Tenant::DEFAULT, target).await?;
    let mut capabilities = grants::inspect(&ready.powers.grants);
    for Inspected { capability, removed_by, why, .. } in &mut capabilities {
        // The decision knows where it may go; that it cannot be read, those know who have the key.
        if let (Capability::Secret(name, _), Some("binding")) = (capability, *removed_by)
            && let Err(unreadable) = ready.powers.has_secret(name)
        {
            *why = unreadable;
        }
    }
    match context.output {
        Format::Json => output::json(&as_json(target, &ready, &capabilities))?,
        Format::Text => text(target, &ready, &capabilities)?,
    }
    Ok(Code::Done)
}

/// The imports of WASI, and what each is worth to a component that may do this.
fn imports<'a>(ready: &'a Ready, capabilities: &[Inspected]) -> impl Iterator<Item = (&'a str, Import)> {
    let is_http = |capability: &Capability| matches!(capability, Capability::Http(_) | Capability::RecordAddress);
    let may_http = capabilities.iter().any(|inspected| inspected.in_force && is_http(&inspected.capability));
    let names = ready.module.imports.iter().map(String::as_str).filter(|name| name.starts_with("wasi:"));
    names.map(move |name| (name, Import::of(name, may_http)))
}

fn as_json(target: &Target, ready: &Ready, capabilities: &[Inspected]) -> serde_json::Value {
    let imports: Vec<_> =
        imports(ready, capabilities).map(|(name, import)| json!({ "name": name, "state": import })).collect();
    json!({
        "target": target.name,
        "module": ready.module.name,
        "component": { "digest": ready.module.digest, "source": ready.source },
        "capabilities": capabilities,
        "settings": ready.powers.settings,
        "imports": imports,
        "limits": ready.powers.limits.iter().flatten().collect::<Vec<_>>(),
    })
}

fn text(target: &Target, ready: &Ready, capabilities: &[Inspected]) -> anyhow::Result<()> {
    let heading = format!("{}: {}, {}", target.name, ready.module.digest, ready.source.words());
    output::text(&heading)?;
    output::text("")?;
    let answer = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    let rows: Vec<_> = capabilities
        .iter()
        .map(|Inspected { capability, decision, granted_by, in_force, removed_by, .. }| {
            let granted = match granted_by {
                None | Some("tenant") => answer(decision.granted),
                Some(other) => (*other).to_owned(),
            };
            vec![
                capability.to_string(),
                answer(decision.asked),
                granted,
                answer(decision.allowed),
                answer(*in_force),
                removed_by.unwrap_or_default().to_owned(),
            ]
        })
        .collect();
    let headings = ["capability", "asked", "granted", "allowed", "in force", "removed by"];
    output::table("Its component asks for nothing, and nothing is granted to it.", &headings, &rows)?;
    for Inspected { why, .. } in capabilities.iter().filter(|inspected| !inspected.in_force) {
        output::text(why)?;
    }
    // What the operator says under [target.NAME] comes before what was set at the installation.
    let settings: Vec<_> = ready
        .powers
        .settings
        .iter()
        .map(|(key, value)| vec![output::line(key), output::line(&value.to_string())])
        .collect();
    if !settings.is_empty() {
        output::text("")?;
        output::table("", &["setting", "value"], &settings)?;
    }
    super::target_show::tell_remarks(&ready.remarks())?;
    let limits: Vec<_> = ready
        .powers
        .limits
        .iter()
        .flatten()
        .map(|InForce { limit, amount, set_by }| {
            vec![limit.name().to_owned(), limit.show(*amount), set_by.words().to_owned()]
        })
        .collect();
    output::text("")?;
    output::table("", &["limit on a call", "at most", "set by"], &limits)?;
    let idle: Vec<_> = imports(ready, capabilities).filter(|(_, import)| *import != Import::Works).collect();
    if !idle.is_empty() {
        output::text("\nImports of WASI that lead nowhere:")?;
    }
    for (name, import) in idle {
        output::text(&format!("  {name} {}", import.words()))?;
    }
    Ok(())
}
