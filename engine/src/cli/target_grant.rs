//! `engine target grant` and `revoke`.

use super::context::Context;
use super::exit::Code;
use super::output::{self, Format};
use crate::rules::grants::{self, Capability, Grants, Inspected};
use crate::rules::limits::Invalid;
use crate::rules::target::Target;
use crate::rules::tenant::Tenant;
use crate::targets;
use clap::Args;
use serde_json::json;

/// What is granted or taken away.
#[derive(Debug, Default, Args)]
#[group(required = true, multiple = true)]
pub struct Options {
    /// HTTP to this origin: https://pigeons.example, or `record_address` for the origin of each record's own address.
    #[arg(long, value_name = "ORIGIN")]
    pub http: Vec<String>,
    /// Mail from the target's own sender.
    #[arg(long)]
    pub smtp: bool,
    /// Mail from this address.
    #[arg(long, value_name = "ADDRESS")]
    pub smtp_from: Vec<String>,
    /// A secret towards an origin: loft_key=https://pigeons.example; the name alone is for signatures.
    #[arg(long, value_name = "NAME=ORIGIN")]
    pub secret: Vec<String>,
}

impl Options {
    /// As they are meant.
    pub fn read(&self) -> Result<Vec<Capability>, Invalid> {
        let http = self.http.iter().map(|text| Capability::http(text));
        let smtp = self.smtp.then_some(Ok(Capability::Smtp(None)));
        let smtp_from = self.smtp_from.iter().map(|text| Capability::smtp_from(text));
        let secret = self.secret.iter().map(|text| Capability::secret(text));
        http.chain(smtp).chain(smtp_from).chain(secret).collect()
    }

    /// Grants them to a target.
    pub async fn grant(&self, context: &Context, target: &Target) -> anyhow::Result<Code> {
        let wanted = self.read()?;
        context.store.grant(Tenant::DEFAULT, target.id, &wanted, context.clock.now()).await?;
        let scopes: Vec<String> = wanted.iter().map(ToString::to_string).collect();
        let revision = context.store.target_revision(Tenant::DEFAULT, target.id).await?;
        let target = Target { revision, ..target.clone() };
        let ready = targets::ready(&context.store, &context.catalog()?, Tenant::DEFAULT, &target).await;
        match (context.output, ready) {
            (Format::Json, ready) => {
                let waiting = ready.map(|ready| not_in_force(&ready.powers.grants, &wanted)).unwrap_or_default();
                output::json(&json!({ "granted": scopes, "target": target.name, "not_in_force": waiting }))?;
            }
            (Format::Text, Ok(ready)) => {
                output::text(&format!("The target {} is granted {}.", target.name, scopes.join(", ")))?;
                tell(&not_in_force(&ready.powers.grants, &wanted))?;
                tell_of_pause(&target)?;
            }
            // It is granted all the same, and may be of use when there is a component.
            (Format::Text, Err(why)) => output::text(&format!(
                "The target {} is granted {}, but cannot use it: {why}",
                target.name,
                scopes.join(", ")
            ))?,
        }
        Ok(Code::Done)
    }

    /// Takes them from a target.
    pub async fn revoke(&self, context: &Context, target: &Target) -> anyhow::Result<Code> {
        let wanted = self.read()?;
        let removed = context.store.revoke(Tenant::DEFAULT, target.id, &wanted, context.clock.now()).await?;
        let scopes: Vec<String> = wanted.iter().map(ToString::to_string).collect();
        if removed == 0 {
            let shown = format!("`engine target inspect {}` shows what it was granted", grants::quoted(&target.name));
            let opened = opened_by_operator(context, target, &wanted).await?;
            let opened = if opened.is_empty() {
                String::new()
            } else {
                let module = &target.notification_module_name;
                format!(", and what the operator says under [target.{module}] opens it")
            };
            anyhow::bail!("The target {} was not granted {}: {shown}{opened}.", target.name, scopes.join(", "));
        }
        match context.output {
            Format::Json => output::json(&json!({ "revoked": scopes, "target": target.name }))?,
            Format::Text => {
                output::text(&format!("The target {} is not granted {} any more.", target.name, scopes.join(", ")))?;
                for opened in opened_by_operator(context, target, &wanted).await? {
                    let module = &target.notification_module_name;
                    output::text(&format!(
                        "Still in force: {opened}, by what the operator says under [target.{module}]."
                    ))?;
                }
            }
        }
        Ok(Code::Done)
    }
}

/// What of it is in force all the same, which the tenant has not granted: the operator's word opens it.
async fn opened_by_operator(
    context: &Context,
    target: &Target,
    wanted: &[Capability],
) -> anyhow::Result<Vec<Capability>> {
    let revision = context.store.target_revision(Tenant::DEFAULT, target.id).await?;
    let target = Target { revision, ..target.clone() };
    let Ok(ready) = targets::ready(&context.store, &context.catalog()?, Tenant::DEFAULT, &target).await else {
        return Ok(Vec::new());
    };
    let in_force = |wanted: &&Capability| grants::decide(&ready.powers.grants, wanted).in_force();
    Ok(wanted.iter().filter(in_force).cloned().collect())
}

/// Says how a target that is paused delivers again, for whoever has just mended it.
pub fn tell_of_pause(target: &Target) -> anyhow::Result<()> {
    if target.pause.is_none() {
        return Ok(());
    }
    output::text(&format!(
        "{} is paused: `engine target resume {}` ends that.",
        target.name,
        grants::quoted(&target.name)
    ))
}

/// Says of what was granted what is not in force, and why.
pub fn tell(waiting: &[Inspected]) -> anyhow::Result<()> {
    waiting.iter().try_for_each(|waiting| output::text(&format!("Not in force yet: {}", waiting.why)))
}

/// What of it was granted and is not in force.
pub fn not_in_force(grants: &Grants, granted: &[Capability]) -> Vec<Inspected> {
    let waits = |inspected: &Inspected| granted.contains(&inspected.capability) && !inspected.in_force;
    grants::inspect(grants).into_iter().filter(waits).collect()
}
