//! A target: a kind of place that can receive notifications, and the records of who is reached there, and where.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::rules::limits::{self, Invalid};

/// Characters in a target's `name`, as in the predecessor.
pub const MAX_NAME: usize = 15;
/// Characters in `notification_module_name`, as in the predecessor.
pub const MAX_MODULE_NAME: usize = 50;
/// Characters in `target_user_id`, as in the predecessor.
pub const MAX_TARGET_USER_ID: usize = 200;
/// Characters in a record's `description`, as in the predecessor.
pub const MAX_DESCRIPTION: usize = 200;
/// Bytes of the reason why a target is paused or a record is switched off; what is longer is cut.
pub const MAX_REASON: usize = 1000;

/// After so many calls in a row in which its component failed, a target is paused.
pub const MAX_FAULTS: u32 = 5;

/// A kind of place that can receive notifications; it names the module that delivers them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Made by whoever makes the target.
    pub id: Uuid,
    /// The name for people, unique within the tenant.
    pub name: String,
    /// The component's name: `carrier_pigeon` is found as `carrier_pigeon.wasm`.
    pub notification_module_name: String,
    /// Why nothing is sent there at the moment, if something stopped it until a person acts.
    pub pause: Option<Pause>,
    /// Nothing is sent there before this, because the provider asked for time.
    pub slowed_until: Option<Timestamp>,
    /// The calls in a row in which its component failed.
    pub faults: u32,
    /// Grows with each change of what its component is given: grants, settings, secrets, the component itself.
    pub revision: i64,
}

/// Why a target is paused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Whose fault, or wish, it is.
    pub kind: PauseKind,
    /// A sentence for people.
    pub reason: String,
    /// When it began.
    pub since: Timestamp,
}

impl Pause {
    /// The reason, with whose words it is in: those about a target's set-up are its component's.
    pub fn said(&self) -> String {
        match self.kind {
            PauseKind::Configuration => format!("its component said: {}", self.reason),
            PauseKind::Component | PauseKind::Operator => self.reason.clone(),
        }
    }
}

/// Whose fault, or wish, a pause is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseKind {
    /// The component is missing or broken, lacks a setting that it requires, or failed too often in a row (`MAX_FAULTS`).
    Component,
    /// The way the target is set up: credentials, sender, relay.
    Configuration,
    /// An operator said so.
    Operator,
}

impl PauseKind {
    /// All of them.
    pub const ALL: [PauseKind; 3] = [PauseKind::Component, PauseKind::Configuration, PauseKind::Operator];

    /// The stored spelling, which is also the one in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            PauseKind::Component => "component",
            PauseKind::Configuration => "configuration",
            PauseKind::Operator => "operator",
        }
    }
}

impl std::str::FromStr for PauseKind {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<PauseKind, Invalid> {
        PauseKind::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| Invalid::new("pause", format!("`{text}` is not a kind of pause that this engine knows.")))
    }
}

impl Target {
    /// Whether commands can tell it from the others, which they call by their names or their modules'.
    pub fn check_beside(&self, others: &[Target]) -> Result<(), Invalid> {
        let alike = |one: &str, other: &str| one.to_lowercase() == other.to_lowercase();
        let is_confused = |other: &&Target| {
            let of_modules = self.notification_module_name != other.notification_module_name
                && (alike(&self.name, &other.notification_module_name)
                    || alike(&self.notification_module_name, &other.name));
            other.id != self.id && (alike(&self.name, &other.name) || of_modules)
        };
        let Some(other) = others.iter().find(is_confused) else { return Ok(()) };
        let (name, module) = (&self.name, &self.notification_module_name);
        let (others, of) = (&other.name, &other.notification_module_name);
        let sentence = format!(
            "Commands could not tell `{name}` (module `{module}`) from the target `{others}` (module `{of}`): choose another name."
        );
        Err(Invalid::new("name", sentence))
    }

    /// Whether people mean this target by a name: its own, or its module's.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.notification_module_name == name
    }

    /// Whether it is paused for something that the engine looks at again by itself: its component cannot be used, or lacks a setting.
    pub fn is_unready(&self) -> bool {
        self.pause.as_ref().is_some_and(|pause| pause.kind == PauseKind::Component) && !self.has_failed_too_often()
    }

    /// Whether its component is not to be called any more until a person says so.
    pub fn has_failed_too_often(&self) -> bool {
        self.faults >= MAX_FAULTS
    }

    /// Whether it can be stored; the error says which field to change, and how.
    pub fn check(&self) -> Result<(), Invalid> {
        limits::name("name", &self.name, MAX_NAME)?;
        check_module_name(&self.notification_module_name)?;
        if let Some(time) = self.slowed_until {
            limits::moment("slowed_until", time)?;
        }
        Ok(())
    }
}

/// A module name is also the name of a file, a table in the settings and a variable: `[a-z][a-z0-9_]*`.
pub fn check_module_name(name: &str) -> Result<(), Invalid> {
    let field = "notification_module_name";
    limits::filled(field, name, MAX_MODULE_NAME)?;
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if name.starts_with(|first: char| first.is_ascii_lowercase()) && name.bytes().all(allowed) {
        return Ok(());
    }
    let sentence = format!(
        "`{name}` is not a module name: use small letters, digits and `_`, beginning with a letter, as in \
         `carrier_pigeon`."
    );
    Err(Invalid::new(field, sentence))
}

/// An address in a target, whatever that is there.
pub fn check_target_user_id(address: &str) -> Result<(), Invalid> {
    limits::filled("target_user_id", address, MAX_TARGET_USER_ID)?;
    limits::line("target_user_id", address, MAX_TARGET_USER_ID)
}

/// Where a user is reached in a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetUserRecord {
    /// Made by whoever makes the record.
    pub id: Uuid,
    /// The user's id.
    pub user: Uuid,
    /// The target's id.
    pub target: Uuid,
    /// The address: an e-mail address, a phone number, a push token. Unique for this user in this target.
    pub target_user_id: String,
    /// For people, such as "Bob's second phone".
    pub description: String,
    /// Whether anything is sent there.
    pub active: bool,
    /// Why not, if it was switched off for a reason.
    pub inactive_reason: Option<String>,
}

impl TargetUserRecord {
    /// Whether it can be stored; the error says which field to change, and how. Whether the address can be one in its
    /// target is for the component to say.
    pub fn check(&self) -> Result<(), Invalid> {
        check_target_user_id(&self.target_user_id)?;
        limits::text("description", &self.description, MAX_DESCRIPTION)?;
        match &self.inactive_reason {
            Some(_) if self.active => Err(Invalid::new(
                "inactive_reason",
                "inactive_reason is for records that are not active: leave it out.",
            )),
            Some(reason) => limits::bytes("inactive_reason", reason, MAX_REASON),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email() -> Target {
        Target {
            id: Uuid::from_u128(1),
            name: "Email".to_owned(),
            notification_module_name: "email".to_owned(),
            pause: None,
            slowed_until: None,
            faults: 0,
            revision: 0,
        }
    }

    fn record() -> TargetUserRecord {
        TargetUserRecord {
            id: Uuid::from_u128(2),
            user: Uuid::from_u128(3),
            target: Uuid::from_u128(1),
            target_user_id: "bob@example.org".to_owned(),
            description: String::new(),
            active: true,
            inactive_reason: None,
        }
    }

    #[test]
    fn names_have_the_predecessors_limits() {
        assert_eq!(email().check(), Ok(()));
        assert_eq!(Target { name: "n".repeat(15), ..email() }.check(), Ok(()));
        assert_eq!(Target { name: "n".repeat(16), ..email() }.check().unwrap_err().field, "name");
        assert_eq!(Target { name: " ".to_owned(), ..email() }.check().unwrap_err().field, "name");
    }

    #[test]
    fn module_names_can_be_file_names() {
        for name in ["email", "carrier_pigeon", "s3", "a"] {
            assert_eq!(check_module_name(name), Ok(()), "{name}");
        }
        for name in ["", "Email", "3s", "_a", "carrier-pigeon", "a/b", "..", "é", &"m".repeat(51)] {
            assert!(check_module_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn records_have_the_predecessors_limits() {
        assert_eq!(record().check(), Ok(()));
        let cases = [
            (TargetUserRecord { target_user_id: String::new(), ..record() }, "target_user_id"),
            (TargetUserRecord { target_user_id: "a".repeat(201), ..record() }, "target_user_id"),
            (TargetUserRecord { description: "d".repeat(201), ..record() }, "description"),
            (TargetUserRecord { inactive_reason: Some("x".to_owned()), ..record() }, "inactive_reason"),
        ];
        for (record, field) in cases {
            assert_eq!(record.check().unwrap_err().field, field);
        }
    }

    #[test]
    fn every_kind_of_pause_is_spelled_alike_in_the_database_and_in_json() {
        for kind in PauseKind::ALL {
            assert_eq!(kind.as_str().parse::<PauseKind>().unwrap(), kind);
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }
}
