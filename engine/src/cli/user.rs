//! `engine user …`

use super::context::Context;
use super::exit::Code;
use super::import::Import;
use super::output::{self, Format};
use crate::rules::tenant::Tenant;
use crate::rules::user::{self, UserUpdate};
use clap::{Args, Subcommand};
use serde_json::{Map, json};

#[derive(Debug, Subcommand)]
pub enum User {
    /// Make a user known.
    Add(Add),
    /// Make a user known, or change what is given of one who is.
    Upsert(Upsert),
    /// Make users known, or bring them up to date, from a file: CSV with a first line of column names, or a JSON object per line.
    Import(Import),
    /// Give a user another name; everything else of them stays.
    Rename(Rename),
    /// All users.
    List,
    /// Remove a user with their records, notifications and history.
    Remove(Named),
}

#[derive(Debug, Args)]
pub struct Add {
    #[arg(long)]
    username: String,
    #[arg(long, default_value = "")]
    email: String,
    #[arg(long, default_value = "")]
    first_name: String,
    #[arg(long, default_value = "")]
    last_name: String,
    /// An IANA name such as Europe/Berlin.
    #[arg(long, default_value = "UTC")]
    time_zone: String,
    /// A language tag such as de-AT.
    #[arg(long, default_value = "")]
    locale: String,
}

#[derive(Debug, Args)]
pub struct Upsert {
    #[arg(long)]
    username: String,
    #[arg(long)]
    email: Option<String>,
    #[arg(long)]
    first_name: Option<String>,
    #[arg(long)]
    last_name: Option<String>,
    /// An IANA name such as Europe/Berlin.
    #[arg(long)]
    time_zone: Option<String>,
    /// A language tag such as de-AT.
    #[arg(long)]
    locale: Option<String>,
}

#[derive(Debug, Args)]
pub struct Rename {
    #[arg(value_name = "USERNAME")]
    from: String,
    #[arg(value_name = "NEW")]
    to: String,
}

/// A user by name, as an argument or as an option.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Named {
    #[arg(value_name = "USERNAME")]
    name: Option<String>,
    #[arg(long = "username", value_name = "USERNAME")]
    username: Option<String>,
}

impl User {
    pub async fn execute(self, context: &Context) -> anyhow::Result<Code> {
        match self {
            User::Add(add) => add.execute(context).await,
            User::Upsert(upsert) => upsert.execute(context).await,
            User::Import(import) => import.execute(context).await,
            User::Rename(Rename { from, to }) => {
                let user = context.store.find_user(Tenant::DEFAULT, &from).await?;
                context.store.rename_user(Tenant::DEFAULT, user.id, &to, context.clock.now()).await?;
                match context.output {
                    Format::Text => output::text(&format!("The user {from} is called {to} now."))?,
                    Format::Json => output::json(&user::User { username: to, ..user })?,
                }
                Ok(Code::Done)
            }
            User::List => list(context).await,
            User::Remove(named) => {
                let name = named.name.or(named.username).unwrap_or_default();
                let user = context.store.find_user(Tenant::DEFAULT, &name).await?;
                context.store.remove_user(Tenant::DEFAULT, user.id).await?;
                match context.output {
                    Format::Text => output::text(&format!("The user {name} is removed."))?,
                    Format::Json => output::json(&serde_json::json!({ "removed": name }))?,
                }
                Ok(Code::Done)
            }
        }
    }
}

impl Add {
    async fn execute(self, context: &Context) -> anyhow::Result<Code> {
        let user = user::User {
            id: context.new_id(),
            username: self.username,
            email: self.email,
            first_name: self.first_name,
            last_name: self.last_name,
            time_zone: self.time_zone,
            locale: self.locale,
            attributes: Map::new(),
        };
        context.store.add_user(Tenant::DEFAULT, &user, context.clock.now()).await?;
        match context.output {
            Format::Text => output::text(&format!("The user {} is added.", user.username))?,
            Format::Json => output::json(&user)?,
        }
        Ok(Code::Done)
    }
}

impl Upsert {
    async fn execute(self, context: &Context) -> anyhow::Result<Code> {
        let update = UserUpdate {
            username: self.username,
            email: self.email,
            first_name: self.first_name,
            last_name: self.last_name,
            time_zone: self.time_zone,
            locale: self.locale,
            attributes: None,
        };
        let batch = [(context.new_id(), update)];
        for (change, user) in context.store.upsert_users(Tenant::DEFAULT, &batch, context.clock.now()).await? {
            match context.output {
                Format::Text => output::text(&format!("{}: {}.", user.username, output::upserted(change)))?,
                Format::Json => output::json(&json!({ "change": change, "user": user }))?,
            }
        }
        Ok(Code::Done)
    }
}

async fn list(context: &Context) -> anyhow::Result<Code> {
    let users = context.store.list_users(Tenant::DEFAULT).await?;
    match context.output {
        Format::Json => output::json(&users)?,
        Format::Text => {
            let rows: Vec<_> = users
                .into_iter()
                .map(|u| {
                    vec![
                        u.username,
                        u.email,
                        format!("{} {}", u.first_name, u.last_name).trim().to_owned(),
                        u.time_zone,
                    ]
                })
                .collect();
            output::table(
                "There are no users; `engine user add` makes one.",
                &["username", "email", "name", "time zone"],
                &rows,
            )?;
        }
    }
    Ok(Code::Done)
}
