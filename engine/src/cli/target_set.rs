//! `engine target set`: what the component of a target knows.

use super::context::Context;
use super::exit::Code;
use super::output::{self, Format};
use super::target_grant::tell_of_pause;
use super::target_show::{found, problems, remarks, tell_lacks, tell_remarks};
use crate::rules::target::Target;
use crate::rules::tenant::Tenant;
use crate::targets;
use anyhow::Context as _;
use clap::Args;
use serde_json::json;

#[derive(Debug, Args)]
pub struct Setting {
    /// The target's name or its module's.
    target: String,
    /// Such as sender=7; `sender=` takes it away.
    #[arg(required = true, value_name = "KEY=VALUE")]
    settings: Vec<String>,
}

impl Setting {
    pub async fn execute(self, context: &Context) -> anyhow::Result<Code> {
        let (store, catalog, now) = (&context.store, context.catalog()?, context.clock.now());
        let target = store.find_target(Tenant::DEFAULT, &self.target).await?;
        let set = targets::set(store, &catalog, Tenant::DEFAULT, &target, &pairs(&self.settings)?, now).await?;
        let revision = store.target_revision(Tenant::DEFAULT, target.id).await?;
        let target = Target { revision, ..target };
        let found = found(store, &catalog, &target).await?;
        let (lacks, remarks) = (problems(&found), remarks(&found));
        let goes_on = match &found {
            Ok(ready) => targets::go_on(store, Tenant::DEFAULT, &target, ready, now).await?,
            Err(_) => false,
        };
        match context.output {
            Format::Json => {
                output::json(&json!({ "target": target.name, "set": set, "lacks": lacks, "remarks": remarks }))?
            }
            Format::Text => {
                for (key, value) in &set {
                    let what = if value.is_null() { "is not set any more".to_owned() } else { format!("is {value}") };
                    output::text(&output::line(&format!("`{key}` of {} {what}.", target.name)))?;
                    let holds = found.as_ref().ok().and_then(|ready| ready.powers.settings.get(key));
                    if let Some(holds) = holds.filter(|holds| *holds != value) {
                        let module = &target.notification_module_name;
                        let told = format!("The operator's comes before it, under [target.{module}]: {holds}.");
                        output::text(&output::line(&told))?;
                    }
                }
                tell_remarks(&remarks)?;
                tell_lacks(&lacks)?;
                if goes_on {
                    output::text(&format!("{} was paused for want of it, and goes on.", target.name))?;
                } else {
                    tell_of_pause(&target)?;
                }
            }
        }
        Ok(Code::Done)
    }
}

/// Keys and values as they are typed.
pub fn pairs(typed: &[String]) -> anyhow::Result<Vec<(String, String)>> {
    let pair = |text: &String| text.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
    typed.iter().map(pair).collect::<Option<_>>().context("A setting needs a key and a value, such as sender=7.")
}
