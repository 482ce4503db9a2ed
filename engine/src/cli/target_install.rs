//! `engine target install`: a component is checked, kept in the database, and put behind a target.

use super::context::Context;
use super::exit::Code;
use super::output::{self, Format};
use super::target_grant::{not_in_force, tell, tell_of_pause};
use super::target_limit::read;
use super::target_set::pairs;
use super::target_show;
use crate::rules::budget::Said;
use crate::rules::grants::{self, Capability};
use crate::rules::limits::Invalid;
use crate::rules::target::Target;
use crate::rules::tenant::Tenant;
use crate::store::Upserted;
use crate::targets::{self, Wish};
use clap::Args;
use serde_json::json;
use std::io::Read;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub struct Install {
    /// The component; its name is the module's: `carrier_pigeon.wasm` is `carrier_pigeon`.
    file: PathBuf,
    /// As people read it, at most 15 characters: "Carrier Pigeon". As the component calls itself, if it is not said.
    #[arg(long)]
    name: Option<String>,
    /// An origin that it may talk to, if it asks for it: https://pigeons.example
    #[arg(long, value_name = "ORIGIN", alias = "http")]
    grant_http: Vec<String>,
    /// It may send mail from its own sender, if it asks for mail.
    #[arg(long)]
    grant_smtp: bool,
    /// It may send mail from this address.
    #[arg(long, value_name = "ADDRESS")]
    grant_smtp_from: Vec<String>,
    /// A secret that it may use, and towards which origin: loft_key=https://pigeons.example
    #[arg(long, value_name = "NAME=ORIGIN", alias = "secret")]
    grant_secret: Vec<String>,
    /// A limit on its calls, lower than the operator's: cpu=200ms
    #[arg(long, value_name = "LIMIT=AMOUNT")]
    limit: Vec<String>,
    /// A setting of its own; without a value it is taken away.
    #[arg(long, value_name = "KEY=VALUE")]
    setting: Vec<String>,
}

impl Install {
    pub async fn execute(self, context: &Context) -> anyhow::Result<Code> {
        let grants = super::target_grant::Options {
            http: self.grant_http,
            smtp: self.grant_smtp,
            smtp_from: self.grant_smtp_from,
            secret: self.grant_secret,
        };
        let grants: Vec<Capability> = grants.read()?;
        let settings = pairs(&self.setting)?;
        let limits = self.limit.iter().map(|text| match read(text)? {
            (limit, Some(amount)) => Ok((limit, amount)),
            (limit, None) => Err(Invalid::new("limit", format!("`{}` has no amount.", limit.name()))),
        });
        let limits = limits.collect::<Result<Said, Invalid>>()?;
        let bytes = component(&self.file, context.settings.sandbox.component)?;
        let module = module_name(&self.file)?;
        let says_more = !(grants.is_empty() && settings.is_empty() && limits.is_empty());
        let wish = Wish { name: self.name, module, bytes, grants: grants.clone(), settings, limits };
        let catalog = context.catalog()?;
        let (store, now) = (&context.store, context.clock.now());
        let before = store.list_targets(Tenant::DEFAULT).await?;
        let (change, target) = targets::install(store, &catalog, Tenant::DEFAULT, wish, context.new_id(), now).await?;
        let beside = beside(&before, &target);
        let in_folder = catalog.is_in_folders(&target.notification_module_name);
        let was_paused = before.iter().any(|before| before.id == target.id && before.pause.is_some());
        let found = target_show::found(store, &catalog, &target).await?;
        let digest = found.as_ref().map(|ready| ready.module.digest.clone()).ok();
        let mut behind = Vec::new();
        for other in before.iter().filter(|other| change == Upserted::Changed && beside.contains(&other.name)) {
            let component = store.target_setup(Tenant::DEFAULT, other.id).await?.component;
            if component.is_some() && component != digest {
                behind.push(other.name.clone());
            }
        }
        let waiting = found.as_ref().map(|ready| not_in_force(&ready.powers.grants, &grants)).unwrap_or_default();
        let lacks = target_show::problems(&found);
        let remarks = target_show::remarks(&found);
        let mut without = target_show::without(&found);
        without.retain(|why| waiting.iter().all(|waiting| waiting.why != *why));
        let example = match &found {
            Ok(ready) => targets::example_refused(ready).await,
            Err(_) => None,
        };
        match context.output {
            Format::Json => output::json(&json!({
                "change": change,
                "target": target,
                "not_in_force": waiting,
                "lacks": lacks,
                "without": without,
                "remarks": remarks,
                "example_refused": example,
                "beside": beside,
                "behind": behind,
            }))?,
            Format::Text => {
                let version = found.as_ref().map(|ready| ready.module.manifest.version.as_str()).unwrap_or_default();
                let what = match change {
                    Upserted::Added => "is installed".to_owned(),
                    Upserted::Changed if version.is_empty() => "has another component".to_owned(),
                    Upserted::Changed => format!("has another component: version {version}"),
                    Upserted::Unchanged if says_more => "has this component already, and what else was said".to_owned(),
                    Upserted::Unchanged => "has this component already".to_owned(),
                };
                let again = if was_paused && target.pause.is_none() { ", and is called again" } else { "" };
                output::text(&format!("The target {} {what}{again}.", target.name))?;
                if change == Upserted::Added && !beside.is_empty() {
                    output::text(&told_apart(&target, &beside))?;
                }
                for name in &behind {
                    let install = format!(
                        "`engine target install {} --name {}`",
                        grants::shell(&self.file.display().to_string()),
                        grants::quoted(name)
                    );
                    output::text(&output::line(&format!(
                        "{name} keeps the component that it has; {install} gives it this one."
                    )))?;
                }
                if in_folder {
                    output::text(&format!(
                        "It comes before the component {}.wasm in a folder of `[targets] paths`, which it does not use.",
                        target.notification_module_name
                    ))?;
                }
                target_show::tell_remarks(&remarks)?;
                tell(&waiting)?;
                target_show::tell_lacks(&lacks)?;
                without
                    .iter()
                    .try_for_each(|why| output::text(&output::line(&format!("It does without this: {why}"))))?;
                example.map_or(Ok(()), |told| output::text(&told))?;
                tell_of_pause(&target)?;
            }
        }
        Ok(Code::Done)
    }
}

/// The names of the other targets with this one's module.
fn beside(all: &[Target], target: &Target) -> Vec<String> {
    let is_beside =
        |other: &&Target| other.id != target.id && other.notification_module_name == target.notification_module_name;
    all.iter().filter(is_beside).map(|other| other.name.clone()).collect()
}

/// What follows from it that a module has several targets, which somebody may not have meant.
fn told_apart(target: &Target, beside: &[String]) -> String {
    let (name, module) = (&target.name, &target.notification_module_name);
    let names = beside.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    format!(
        "It is another target of the module {module}, beside {names}: commands now want `{name}`, not `{module}`, and `engine target remove {}` takes it away again.",
        grants::quoted(name)
    )
}

/// The module's name, which is the file's without its ending.
fn module_name(file: &Path) -> anyhow::Result<String> {
    let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    if crate::rules::target::check_module_name(stem).is_err() {
        anyhow::bail!(
            "The file's name is the module's, so it must be one such as carrier_pigeon.wasm, of small letters, digits and `_` beginning with a letter: rename {}.",
            file.display()
        );
    }
    Ok(stem.to_owned())
}

/// Its bytes; of one that is larger than this, enough to be refused.
fn component(file: &Path, largest: usize) -> anyhow::Result<Vec<u8>> {
    let cannot = |e: std::io::Error| anyhow::anyhow!("The component {} cannot be read: {e}.", file.display());
    // Asked before it is opened: opening a pipe would wait for somebody to write into it.
    if !std::fs::metadata(file).map_err(cannot)?.is_file() {
        anyhow::bail!("The component {} is no file: name the .wasm file itself.", file.display());
    }
    let mut bytes = Vec::new();
    std::fs::File::open(file).map_err(cannot)?.take(largest as u64 + 1).read_to_end(&mut bytes).map_err(cannot)?;
    Ok(bytes)
}
