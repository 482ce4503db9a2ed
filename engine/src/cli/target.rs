//! `engine target …`

use super::context::Context;
use super::exit::Code;
use super::output::{self, Format};
use super::target_grant::{Options, tell_of_pause};
use super::target_install::Install;
use super::target_limit::Limits;
use super::target_set::Setting;
use super::{target_inspect, target_show};
use crate::host::ModuleError;
use crate::rules::grants;
use crate::rules::limits;
use crate::rules::target::{self, PauseKind};
use crate::rules::tenant::Tenant;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub enum Target {
    /// Make a target of a component.
    Add(Add),
    /// All targets, and whether anything stops them.
    List,
    /// One target: whether it delivers, and what its component says of its settings and of `extra`.
    Show(Named),
    /// Install a component: keep it in the database for all engines, and put it behind a target.
    Install(Install),
    /// Let a target's component do something that it asks for.
    Grant(Granting),
    /// Take a grant away, as it was given.
    Revoke(Granting),
    /// Set what the component of a target knows; an empty value takes a setting away.
    Set(Setting),
    /// Let the calls of a target use less than the operator allows.
    Limit(Limits),
    /// What a target's component asks for, what is granted and allowed, what of that is in force, and which limits hold.
    Inspect(Named),
    /// Stop delivering to a target until it is resumed.
    Pause(Pausing),
    /// Deliver again to a target that was paused or slowed down.
    Resume(Named),
    /// Remove a target that nothing uses, with its grants, settings and secrets.
    Remove(Named),
}

#[derive(Debug, Args)]
pub struct Add {
    /// As people read it, at most 15 characters: "Carrier Pigeon".
    #[arg(long)]
    name: String,
    /// The component's name: `carrier_pigeon` is carrier_pigeon.wasm in a folder of `[targets] paths`.
    #[arg(long)]
    module: String,
}

#[derive(Debug, Args)]
pub struct Granting {
    /// The target's name or its module's.
    target: String,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Args)]
pub struct Pausing {
    /// The target's name or its module's.
    target: String,
    /// For whoever wonders, shown by `engine target list`.
    #[arg(long, value_name = "TEXT", default_value = "Somebody has paused it by hand.")]
    reason: String,
}

/// A target by its name or its module's, as an argument or as an option.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Named {
    #[arg(value_name = "TARGET")]
    target: Option<String>,
    #[arg(long, value_name = "TARGET")]
    name: Option<String>,
}

impl Target {
    pub async fn execute(self, context: &Context) -> anyhow::Result<Code> {
        match self {
            Target::Add(add) => add.execute(context).await,
            Target::List => list(context).await,
            Target::Show(named) => target_show::execute(context, &named.find(context).await?).await,
            Target::Install(install) => install.execute(context).await,
            Target::Grant(Granting { target, options }) => {
                options.grant(context, &context.store.find_target(Tenant::DEFAULT, &target).await?).await
            }
            Target::Revoke(Granting { target, options }) => {
                options.revoke(context, &context.store.find_target(Tenant::DEFAULT, &target).await?).await
            }
            Target::Set(setting) => setting.execute(context).await,
            Target::Limit(limits) => limits.execute(context).await,
            Target::Inspect(named) => target_inspect::execute(context, &named.find(context).await?).await,
            Target::Pause(pausing) => pausing.execute(context).await,
            Target::Resume(named) => {
                let target = named.find(context).await?;
                context.store.resume_target(Tenant::DEFAULT, target.id, context.clock.now()).await?;
                let was_stopped = target.pause.is_some() || target.slowed_until.is_some();
                let code = if was_stopped || context.output == Format::Json {
                    said(context, "resumed", &target)?
                } else {
                    output::text(&format!("The target {} was neither paused nor slowed down.", target.name))?;
                    Code::Done
                };
                if context.output == Format::Text
                    && let Ok(catalog) = context.catalog()
                {
                    let found = target_show::found(&context.store, &catalog, &target).await?;
                    target_show::tell_lacks(&target_show::problems(&found))?;
                }
                Ok(code)
            }
            Target::Remove(named) => {
                let target = named.find(context).await?;
                context.store.remove_target(Tenant::DEFAULT, target.id).await?;
                said(context, "removed", &target)
            }
        }
    }
}

impl Named {
    async fn find(self, context: &Context) -> anyhow::Result<target::Target> {
        let name = self.target.or(self.name).unwrap_or_default();
        Ok(context.store.find_target(Tenant::DEFAULT, &name).await?)
    }
}

fn said(context: &Context, done: &str, target: &target::Target) -> anyhow::Result<Code> {
    match context.output {
        Format::Text => output::text(&format!("The target {} is {done}.", target.name))?,
        Format::Json => output::json(&json!({ done: target.name }))?,
    }
    Ok(Code::Done)
}

impl Add {
    async fn execute(self, context: &Context) -> anyhow::Result<Code> {
        let target = target::Target {
            id: context.new_id(),
            name: self.name,
            notification_module_name: self.module,
            pause: None,
            slowed_until: None,
            faults: 0,
            revision: 0,
        };
        target.check()?;
        // A target whose component cannot be used is better refused now than paused later.
        let all = context.store.list_targets(Tenant::DEFAULT).await?;
        if let Err(why) = context.catalog()?.get(&target.notification_module_name).await {
            return Err(installed_for(context, &all, &target).await?.unwrap_or(why.into()));
        }
        target.check_beside(&all)?;
        context.store.add_target(Tenant::DEFAULT, &target, context.clock.now()).await?;
        match context.output {
            Format::Text => output::text(&format!("The target {} is added.", target.name))?,
            Format::Json => output::json(&target)?,
        }
        Ok(Code::Done)
    }
}

/// What to do where a component was installed for another target of the module, and is nowhere else.
async fn installed_for(
    context: &Context,
    all: &[target::Target],
    wanted: &target::Target,
) -> anyhow::Result<Option<anyhow::Error>> {
    let module = &wanted.notification_module_name;
    for other in all.iter().filter(|other| other.notification_module_name == *module) {
        if context.store.target_setup(Tenant::DEFAULT, other.id).await?.component.is_some() {
            let (other, name) = (&other.name, grants::quoted(&wanted.name));
            return Ok(Some(anyhow::anyhow!(
                "The component of {module} was installed for {other}: `engine target install {module}.wasm --name {name}` makes another target of it."
            )));
        }
    }
    Ok(None)
}

impl Pausing {
    async fn execute(self, context: &Context) -> anyhow::Result<Code> {
        let target = context.store.find_target(Tenant::DEFAULT, &self.target).await?;
        if let Some(pause) = &target.pause {
            anyhow::bail!("The target {} is paused already: {}", target.name, pause.reason);
        }
        limits::filled("reason", &self.reason, target::MAX_REASON)?;
        let pause = target::Pause { kind: PauseKind::Operator, reason: self.reason, since: context.clock.now() };
        context.store.pause_target(Tenant::DEFAULT, target.id, &pause).await?;
        said(context, "paused", &target)
    }
}

async fn list(context: &Context) -> anyhow::Result<Code> {
    target_show::tell_stray_sections(context).await?;
    let catalog = context.catalog().map_err(|error| ModuleError(error.to_string()));
    let store = &context.store;
    let (mut targets, now) = (Vec::new(), context.clock.now());
    for target in context.store.list_targets(Tenant::DEFAULT).await? {
        let found = match &catalog {
            Ok(catalog) => target_show::found(store, catalog, &target).await?,
            Err(error) => Err(error.clone()),
        };
        // The component itself is let go: there may be no room for it and the next one.
        let (state, problems) = (target_show::state(&target, &found, now), target_show::problems(&found));
        targets.push((target, state, problems));
    }
    match context.output {
        Format::Json => {
            let listed: Result<Vec<Value>, _> = targets
                .iter()
                .map(|(target, _, problems)| {
                    let mut value = serde_json::to_value(target)?;
                    value["problem"] = problems.first().cloned().into();
                    value["problems"] = problems.clone().into();
                    Ok::<_, serde_json::Error>(value)
                })
                .collect();
            output::json(&listed?)?;
        }
        Format::Text => {
            let rows = targets.iter().map(|(target, state, problems)| {
                let others = match problems.len() {
                    0 | 1 => String::new(),
                    many => format!(" (and {} more: `engine target show {}`)", many - 1, grants::quoted(&target.name)),
                };
                vec![target.name.clone(), target.notification_module_name.clone(), format!("{state}{others}")]
            });
            let rows: Vec<_> = rows.collect();
            output::table("There are no targets; `engine target add` makes one.", &["name", "module", "state"], &rows)?;
            for (target, ..) in &targets {
                tell_of_pause(target)?;
            }
        }
    }
    Ok(Code::Done)
}
