//! The scene of the demo: where its user is reached, and the settings that lead all targets to the stand-ins.

use super::inbox::Inbox;
use super::providers::Providers;
use crate::settings::Settings;
use std::path::Path;

/// The component of a target that somebody wrote on their own: the example `carrier_pigeon`.
const CARRIER_PIGEON: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/development/carrier_pigeon.wasm"));

/// Where the user is reached: by the targets' module names.
pub const ADDRESSES: [(&str, &str); 4] = [
    ("email", "ada@example.org"),
    ("twilio", "+15550100123"),
    ("expo", "ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]"),
    ("carrier_pigeon", "Loft 7, London"),
];

/// Everything in a folder that goes with the demo, and every provider on this machine.
pub fn settings(folder: &Path, inbox: &Inbox, providers: &Providers) -> anyhow::Result<Settings> {
    let targets = folder.join("targets");
    std::fs::create_dir(&targets)?;
    std::fs::write(targets.join("carrier_pigeon.wasm"), CARRIER_PIGEON)?;
    let (database, targets) = (folder.join("engine.db"), targets.display());
    let (port, origin) = (inbox.address.port(), format!("http://{}", providers.address));
    let text = format!(
        "[database]\nurl = 'sqlite:{}'\n[smtp]\nhost = '127.0.0.1'\nport = {port}\n[targets]\npaths = ['{targets}']\n\
         [target.email]\nfrom_email = '\"The Engine\" <engine@example.org>'\n\
         [target.twilio]\naccount_sid = 'AC00000000000000000000000000000000'\nsender = '+15550100999'\nbase_url = '{origin}'\n\
         [target.expo]\nbase_url = '{origin}'\n[target.carrier_pigeon]\nbase_url = '{origin}'\n",
        database.display(),
    );
    let secret = ("ENGINE_SECRET__TWILIO_AUTH_TOKEN".to_owned(), "demo".to_owned());
    Ok(Settings::from_text("the demo's settings", &text, std::iter::once(secret))?)
}
