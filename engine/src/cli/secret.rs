//! `engine secret …`: values come from standard input or a file, never from an argument, and never go out again.

use super::context::Context;
use super::exit::Code;
use super::output::{self, Format};
use super::target_grant::tell_of_pause;
use crate::host::is_as_asked;
use crate::rules::grants::{self, Capability, check_secret_name, quoted};
use crate::rules::limits::Invalid;
use crate::rules::origin::Origin;
use crate::rules::sealed::{GUESSABLE, MAX_VALUE, MIN_VALUE, SealedSecret};
use crate::rules::spelling::nearest;
use crate::rules::target::Target;
use crate::rules::tenant::Tenant;
use crate::settings::EngineKey;
use crate::store::{ListedSecret, StoreError, Thing};
use crate::targets;
use anyhow::Context as _;
use clap::{Args, Subcommand};
use ring::rand::SecureRandom;
use serde_json::json;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};
use uuid::Uuid;

#[derive(Debug, Subcommand)]
pub enum Secret {
    /// Set a secret, whose value is read from standard input; its last line break does not count. A terminal asks for one line and does not show it.
    Set(Set),
    /// All secrets, without their values.
    List,
    /// Remove a secret.
    Remove(Removal),
    /// Encrypt all secrets anew under this engine's key.
    Rotate(Rotate),
}

#[derive(Debug, Args)]
pub struct Set {
    /// As components name it: `loft_key`.
    name: String,
    /// Where it may be sent, and nowhere else: https://pigeons.example. May be repeated; what was said before does not count any more.
    #[arg(long, value_name = "ORIGIN", required = true)]
    origin: Vec<String>,
    /// Only for this target, by its name or its module's; without it for all.
    #[arg(long)]
    target: Option<String>,
    /// Read the value from this file instead.
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Removal {
    name: String,
    /// The one of this target.
    #[arg(long)]
    target: Option<String>,
}

#[derive(Debug, Args)]
pub struct Rotate {
    /// The key that they are encrypted under now.
    #[arg(long, value_name = "PATH")]
    old_key_file: PathBuf,
}

impl Secret {
    pub async fn execute(self, context: &Context) -> anyhow::Result<Code> {
        match self {
            Secret::Set(set) => set.execute(context).await,
            Secret::List => list(context).await,
            Secret::Remove(removal) => removal.execute(context).await,
            Secret::Rotate(rotate) => rotate.execute(context).await,
        }
    }
}

/// Refuses a value that the component of a target which it is for could not read. What nobody asks for may be asked for later: that is told. The targets
/// that ask for it.
async fn check_asked(
    context: &Context,
    name: &str,
    target: Option<Uuid>,
    value: &str,
    origins: &[Origin],
) -> anyhow::Result<(Option<String>, Vec<Target>)> {
    let mut nowhere: Vec<&Origin> = origins.iter().collect();
    let catalog = context.catalog()?;
    let (mut asked, mut asking): (Vec<String>, Vec<Target>) = Default::default();
    for known in context.store.list_targets(Tenant::DEFAULT).await? {
        if target.is_some_and(|target| target != known.id) {
            continue;
        }
        // What cannot be used now can be told nothing of its secrets.
        let Ok(ready) = targets::ready(&context.store, &catalog, Tenant::DEFAULT, &known).await else { continue };
        for wanted in &ready.module.manifest.secrets {
            if wanted.name == name && !is_as_asked(wanted, value) {
                let (target, words) = (&known.name, wanted.format.words());
                anyhow::bail!(
                    "The component of the target {target} wants the secret `{name}` as {words}, which this value is not: give it in that form, or set one for another target with --target."
                );
            }
            asked.push(wanted.name.clone());
        }
        if ready.module.manifest.secrets.iter().any(|wanted| wanted.name == name) {
            let towards = |origin: &Origin| Capability::Secret(name.to_owned(), Some(origin.clone()));
            nowhere.retain(|origin| !grants::decide(&ready.powers.grants, &towards(origin)).asked);
            // For signatures, which go nowhere.
            if !grants::goes_somewhere(&ready.powers.grants) {
                nowhere.clear();
            }
            asking.push(known);
        }
    }
    if !asking.is_empty() {
        let nowhere: Vec<String> = nowhere.into_iter().map(ToString::to_string).collect();
        let told = format!(
            "No component that asks for it asks for HTTP to {}, so that it does not go there.",
            nowhere.join(" and ")
        );
        return Ok(((!nowhere.is_empty()).then_some(told), asking));
    }
    let near = nearest(name, asked.iter().map(String::as_str));
    let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    Ok((Some(format!("No target's component asks for a secret `{name}` yet{near}")), asking))
}

/// The target that a secret is for.
async fn target(context: &Context, name: Option<&String>) -> anyhow::Result<Option<(Uuid, String)>> {
    let Some(name) = name else { return Ok(None) };
    let target = context.store.find_target(Tenant::DEFAULT, name).await?;
    Ok(Some((target.id, target.name)))
}

impl Set {
    async fn execute(self, context: &Context) -> anyhow::Result<Code> {
        check_secret_name(&self.name)?;
        let origin = |text: &String| {
            Origin::parse(text).map_err(|why| {
                Invalid::new("origin", format!("{why}: write an origin such as https://pigeons.example."))
            })
        };
        let origins = self.origin.iter().map(origin).collect::<Result<Vec<_>, _>>()?;
        let target = target(context, self.target.as_ref()).await?;
        let value = value(self.file.as_deref())?;
        if value.chars().count() < MIN_VALUE {
            anyhow::bail!(
                "The value has fewer than {MIN_VALUE} characters: where it is cut out of texts, these would lose other words. Use a longer one."
            );
        }
        let (unasked, asking) =
            check_asked(context, &self.name, target.as_ref().map(|(id, _)| *id), &value, &origins).await?;
        let (id, name) = (context.new_id(), self.name.clone());
        let (key_id, ciphertext) = (String::new(), Vec::new());
        let draft = SealedSecret { id, name, target: target.as_ref().map(|(id, _)| *id), key_id, ciphertext, origins };
        let before = context.store.list_secrets(Tenant::DEFAULT).await?.into_iter();
        let mut before = before.map(|listed| listed.secret);
        let before = before.find(|known| known.name == draft.name && known.target == draft.target);
        let secret = context.settings.engine_key()?.secret_key().seal(Tenant::DEFAULT, draft, &value, nonce()?)?;
        context.store.set_secret(Tenant::DEFAULT, &secret, context.clock.now()).await?;
        let texts = |origins: &[Origin]| origins.iter().map(ToString::to_string).collect::<Vec<String>>();
        let origins = texts(&secret.origins);
        let mut dropped = before.map_or_else(Vec::new, |before| before.origins);
        dropped.retain(|before| !secret.origins.iter().any(|now| now.covers(before)));
        let dropped = texts(&dropped);
        let guessable = value.chars().count() < GUESSABLE;
        match context.output {
            Format::Json => {
                let target = target.map(|(_, name)| name);
                let (name, asked) = (secret.name, !asking.is_empty());
                output::json(
                    &json!({ "set": name, "target": target, "origins": origins, "dropped": dropped, "asked": asked, "unasked": unasked, "guessable": guessable }),
                )?;
            }
            Format::Text => {
                output::text(&format!(
                    "The secret {} is set{}, and goes to {} only.",
                    secret.name,
                    target.map_or_else(String::new, |(_, name)| format!(" for the target {name}")),
                    origins.join(" and ")
                ))?;
                if !dropped.is_empty() {
                    output::text(&format!("It does not go to {} any more.", dropped.join(" and ")))?;
                }
                if guessable {
                    output::text(&format!(
                        "With fewer than {GUESSABLE} characters it can be guessed by a component that sends it to somebody who repeats what he is sent: use a longer one, if the provider gives any."
                    ))?;
                }
                unasked.map_or(Ok(()), |told| output::text(&told))?;
                asking.iter().try_for_each(tell_of_pause)?;
            }
        }
        Ok(Code::Done)
    }
}

/// The value, from a file, from standard input or, where that is a terminal, from whoever sits there.
fn value(file: Option<&Path>) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    let most = MAX_VALUE as u64 + 3;
    let (read, from) = match file {
        Some(file) => {
            let from = file.display().to_string();
            (std::fs::File::open(file).and_then(|file| file.take(most).read_to_end(&mut bytes)).map(drop), from)
        }
        None if std::io::stdin().is_terminal() => {
            let typed = rpassword::prompt_password("The value, which is not shown: ");
            (typed.map(|text| bytes.extend(text.into_bytes())), "the terminal".to_owned())
        }
        None => (std::io::stdin().lock().take(most).read_to_end(&mut bytes).map(drop), "standard input".to_owned()),
    };
    read.map_err(|e| anyhow::anyhow!("The secret's value cannot be read from {from}: {e}."))?;
    // What was read is not a part of the error, which may be logged.
    let text = String::from_utf8(bytes).map_err(|_| anyhow::anyhow!("The secret's value is not text in UTF-8."))?;
    let value = text.strip_suffix('\n').map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text));
    if value.trim().is_empty() {
        anyhow::bail!("The secret's value is empty: write it to standard input, or name its file with --file.");
    }
    if value.len() > MAX_VALUE {
        anyhow::bail!("The secret's value has more than {MAX_VALUE} bytes: shorten it.");
    }
    Ok(value.to_owned())
}

/// Random bytes that are used once.
fn nonce() -> anyhow::Result<[u8; ring::aead::NONCE_LEN]> {
    let mut nonce = [0; ring::aead::NONCE_LEN];
    ring::rand::SystemRandom::new()
        .fill(&mut nonce)
        .ok()
        .context("The system gives no random numbers, without which nothing can be encrypted.")?;
    Ok(nonce)
}

async fn list(context: &Context) -> anyhow::Result<Code> {
    let listed = context.store.list_secrets(Tenant::DEFAULT).await?;
    let origins =
        |listed: &ListedSecret| -> Vec<String> { listed.secret.origins.iter().map(ToString::to_string).collect() };
    match context.output {
        Format::Json => {
            let rows = listed.iter().map(|listed| {
                json!({
                    "name": listed.secret.name,
                    "target": listed.target_name,
                    "origins": origins(listed),
                    "key_id": listed.secret.key_id,
                    "modified_date": listed.modified_date,
                })
            });
            output::json(&rows.collect::<Vec<_>>())?;
        }
        Format::Text => {
            let row = |listed: &ListedSecret| {
                let target = listed.target_name.clone().unwrap_or_else(|| "all".to_owned());
                vec![listed.secret.name.clone(), target, origins(listed).join(" "), listed.modified_date.to_string()]
            };
            let rows: Vec<_> = listed.iter().map(row).collect();
            let none = "There are no secrets; `engine secret set` makes one.";
            output::table(none, &["name", "target", "origins", "set"], &rows)?;
        }
    }
    Ok(Code::Done)
}

impl Removal {
    async fn execute(self, context: &Context) -> anyhow::Result<Code> {
        let target = target(context, self.target.as_ref()).await?.map(|(id, _)| id);
        let removed = context.store.remove_secret(Tenant::DEFAULT, target, &self.name, context.clock.now()).await;
        if let Err(StoreError::NotFound { what: Thing::Secret, .. }) = &removed {
            let all = context.store.list_secrets(Tenant::DEFAULT).await?;
            let other = all.into_iter().find(|listed| listed.secret.name == self.name);
            match other.map(|listed| listed.target_name) {
                Some(Some(name)) => anyhow::bail!(
                    "The secret {} is for the target {name} alone: `--target {}` removes it.",
                    self.name,
                    quoted(&name)
                ),
                Some(None) => anyhow::bail!("The secret {} is for all targets: leave --target out.", self.name),
                None => {}
            }
        }
        removed?;
        match context.output {
            Format::Json => output::json(&json!({ "removed": self.name }))?,
            Format::Text => output::text(&format!("The secret {} is removed.", self.name))?,
        }
        Ok(Code::Done)
    }
}

impl Rotate {
    async fn execute(self, context: &Context) -> anyhow::Result<Code> {
        let old = EngineKey::read(&self.old_key_file)?.secret_key();
        let new = context.settings.engine_key()?.secret_key();
        let mut sealed = Vec::new();
        for ListedSecret { secret, .. } in context.store.list_secrets(Tenant::DEFAULT).await? {
            if secret.key_id == new.id() {
                continue;
            }
            if secret.key_id != old.id() {
                anyhow::bail!(
                    "The secret `{}` was encrypted with the key {}, and {} holds {}: give the file of that key to --old-key-file. Nothing was changed.",
                    secret.name,
                    secret.key_id,
                    self.old_key_file.display(),
                    old.id()
                );
            }
            let value = old.open(Tenant::DEFAULT, &secret)?;
            let replaced = secret.key_id.clone();
            sealed.push((replaced, new.seal(Tenant::DEFAULT, secret, &value, nonce()?)?));
        }
        let rotated = context.store.reseal_secrets(Tenant::DEFAULT, &sealed, context.clock.now()).await?;
        match context.output {
            Format::Json => output::json(&json!({ "rotated": rotated, "key_id": new.id() }))?,
            Format::Text if sealed.is_empty() => {
                output::text("There is no secret that is not encrypted under this engine's key.")?
            }
            Format::Text => {
                let again =
                    if rotated > 0 { " Start those engines again that run: they have the key before." } else { "" };
                output::text(&format!(
                    "{} encrypted under this engine's key now.{again}",
                    if rotated == 1 { "One secret is".to_owned() } else { format!("{rotated} secrets are") }
                ))?
            }
        }
        Ok(Code::Done)
    }
}
