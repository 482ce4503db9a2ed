//! `engine opt-out …`

use super::context::Context;
use super::exit::Code;
use super::output::{self, Format};
use crate::rules::tenant::Tenant;
use clap::{Args, Subcommand};
use serde_json::json;

#[derive(Debug, Subcommand)]
pub enum OptOut {
    /// A user wants nothing any more: what waits for them ends as OPTED OUT, and nothing new is made.
    Add(Of),
    /// A user wants notifications again. What was ended stays so.
    Remove(Of),
    /// All who have opted out.
    List,
}

#[derive(Debug, Args)]
pub struct Of {
    /// The user's name.
    #[arg(long)]
    user: String,
}

impl OptOut {
    pub async fn execute(self, context: &Context) -> anyhow::Result<Code> {
        let (store, now) = (&context.store, context.clock.now());
        match self {
            OptOut::Add(Of { user }) => {
                let id = store.find_user(Tenant::DEFAULT, &user).await?.id;
                let ended = store.opt_out(Tenant::DEFAULT, id, now).await?;
                match context.output {
                    Format::Text => output::text(&format!(
                        "The user {user} has opted out; {ended} waiting {} ended.",
                        if ended == 1 { "notification has" } else { "notifications have" }
                    ))?,
                    Format::Json => output::json(&json!({ "username": user, "active": true, "ended": ended }))?,
                }
            }
            OptOut::Remove(Of { user }) => {
                let id = store.find_user(Tenant::DEFAULT, &user).await?.id;
                store.opt_in(Tenant::DEFAULT, id, now).await?;
                match context.output {
                    Format::Text => output::text(&format!("The user {user} gets notifications again."))?,
                    Format::Json => output::json(&json!({ "username": user, "active": false }))?,
                }
            }
            OptOut::List => {
                let mut opt_outs = store.list_opt_outs(Tenant::DEFAULT).await?;
                opt_outs.retain(|listed| listed.active);
                match context.output {
                    Format::Json => output::json(&opt_outs)?,
                    Format::Text => {
                        let rows: Vec<_> = opt_outs
                            .into_iter()
                            .map(|listed| vec![listed.username, listed.modified_date.to_string()])
                            .collect();
                        output::table("Nobody has opted out.", &["username", "since"], &rows)?;
                    }
                }
            }
        }
        Ok(Code::Done)
    }
}
