//! `engine target limit`: less for a target's calls than the operator allows.

use super::context::Context;
use super::exit::Code;
use super::output::{self, Format};
use super::target_show::{found, problems, tell_lacks};
use crate::rules::budget::{self, Limit, Said};
use crate::rules::limits::Invalid;
use crate::rules::spelling::nearest;
use crate::rules::target::Target;
use crate::rules::tenant::Tenant;
use clap::Args;
use serde_json::json;

#[derive(Debug, Args)]
pub struct Limits {
    /// The target's name or its module's.
    target: String,
    /// What one call may use at most, such as cpu=200ms or memory=32MiB; `cpu=` leaves it to the operator again.
    #[arg(required = true, value_name = "LIMIT=AMOUNT")]
    limits: Vec<String>,
}

impl Limits {
    pub async fn execute(self, context: &Context) -> anyhow::Result<Code> {
        let target = context.store.find_target(Tenant::DEFAULT, &self.target).await?;
        let mut lower = Said::new();
        let mut removed = Vec::new();
        for text in &self.limits {
            let (limit, amount) = read(text)?;
            if lower.contains_key(&limit) || removed.contains(&limit) {
                let sentence = format!("`{}` is said twice: say it once.", limit.name());
                return Err(Invalid::new("limit", sentence).into());
            }
            match (limit, amount) {
                (limit, Some(amount)) => drop(lower.insert(limit, amount)),
                (limit, None) => removed.push(limit),
            }
        }
        let sandbox = &context.settings.sandbox;
        let of_target = context.settings.of_target(&target.notification_module_name).limits;
        budget::check_tenant(&sandbox.budget(), &of_target, &lower)?;
        context.store.limit_target(Tenant::DEFAULT, target.id, &lower, &removed, context.clock.now()).await?;
        match context.output {
            Format::Json => {
                let lower: serde_json::Map<_, _> =
                    lower.iter().map(|(limit, amount)| (limit.name().to_owned(), (*amount).into())).collect();
                let removed: Vec<_> = removed.iter().map(|limit| limit.name()).collect();
                output::json(&json!({ "target": target.name, "limits": lower, "removed": removed }))?;
            }
            Format::Text => {
                for (limit, amount) in &lower {
                    let (name, most) = (limit.name(), limit.show(*amount));
                    output::text(&format!("A call of {} may use at most {name}={most}.", target.name))?;
                }
                for limit in &removed {
                    output::text(&format!("`{}` of {} is the operator's again.", limit.name(), target.name))?;
                }
                let revision = context.store.target_revision(Tenant::DEFAULT, target.id).await?;
                let found = found(&context.store, &context.catalog()?, &Target { revision, ..target }).await?;
                tell_lacks(&problems(&found))?;
            }
        }
        Ok(Code::Done)
    }
}

/// `cpu=200ms`; `cpu=` is a limit without an amount.
pub fn read(text: &str) -> Result<(Limit, Option<u64>), Invalid> {
    let names = || Limit::ALL.map(Limit::name).join(", ");
    let Some((name, amount)) = text.split_once('=') else {
        let sentence = format!("`{text}` has no amount: write it like cpu=200ms; there are {}.", names());
        return Err(Invalid::new("limit", sentence));
    };
    let Some(limit) = Limit::named(name.trim()) else {
        let near = nearest(name.trim(), Limit::ALL.map(Limit::name).into_iter());
        let near = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
        return Err(Invalid::new("limit", format!("`{name}` is no limit: {near}There are {}.", names())));
    };
    if amount.is_empty() {
        return Ok((limit, None));
    }
    let amount = limit.read(amount);
    amount
        .map(|amount| (limit, Some(amount)))
        .map_err(|why| Invalid::new("limit", format!("`{name}` cannot be so: {why}.")))
}
