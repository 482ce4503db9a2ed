//! From what was written to one table: the default file, then the user's file, then the variables.
//!
//! The default file is also the schema: a key that it does not hold does not exist, and a value must be of its kind.
//! Variables carry text only, so the default's kind decides what the text is read as; below `target.NAME`, where any key
//! may stand, text stays text (`+15550100` is a phone number).

use super::SettingsError;
use crate::rules::spelling::nearest;
use std::collections::{BTreeMap, BTreeSet};
use toml::{Table, Value};

/// What stands before each variable's name.
pub const PREFIX: &str = "ENGINE_";
/// How many tables and lists may be within each other under one target: what is shown must be read again, and the parser takes only so many.
const DEEPEST: usize = 16;
/// What somebody writes who means a setting of a target, with one underscore.
const TARGET_PREFIX: &str = "ENGINE_TARGET_";
/// What stands before a variable's name where it is the origin of a layer.
const OF_VARIABLE: &str = "The variable ";
/// What stands before the variables that hold secrets instead of settings.
pub const SECRET_PREFIX: &str = "ENGINE_SECRET__";

/// Parses a settings file; `name` is what the user called it.
pub fn parse(name: &str, text: &str) -> Result<Table, SettingsError> {
    text.parse::<Table>().map_err(|e| {
        let line = e.span().map_or(1, |span| text[..span.start.min(text.len())].lines().count().max(1));
        SettingsError::new(format!("{name}, line {line}, is not valid TOML: {}", e.message().replace('\n', " ")))
    })
}

/// Lays `upper` over `lower`, refusing what `schema` does not know. `origin` names the upper layer in messages.
pub fn overlay(lower: &mut Table, upper: Table, schema: &Table, origin: &str) -> Result<(), SettingsError> {
    overlay_at(lower, upper, schema, schema, "", origin)
}

fn overlay_at(
    lower: &mut Table,
    upper: Table,
    schema: &Table,
    root: &Table,
    path: &str,
    origin: &str,
) -> Result<(), SettingsError> {
    for (key, value) in upper {
        let full = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        if path == "target" {
            let Value::Table(keys) = value else {
                return Err(match variable_of(origin) {
                    Some(name) => no_setting_of_a_target(name),
                    None => SettingsError::new(format!("{origin}: `{full}` must be a table; write it as [{full}].")),
                });
            };
            if depth(keys.values()) > DEEPEST {
                return Err(SettingsError::new(format!(
                    "{origin}: `{full}` has more than {DEEPEST} tables or lists within each other: write fewer."
                )));
            }
            let Value::Table(below) = lower.entry(key).or_insert_with(|| Value::Table(Table::new())) else { continue };
            below.extend(keys);
            continue;
        }
        let Some(known) = schema.get(&key) else {
            return Err(unknown(origin, &full, root));
        };
        match (known, value) {
            (Value::Table(known), Value::Table(upper)) => {
                let Value::Table(below) = lower.entry(key).or_insert_with(|| Value::Table(Table::new())) else {
                    continue;
                };
                overlay_at(below, upper, known, root, &full, origin)?;
            }
            (known, value) if same_kind(known, &value) => {
                lower.insert(key, value);
            }
            (known, value) => {
                return Err(SettingsError::new(format!(
                    "{origin}: `{full}` must be {}, and {} is {}.",
                    wanted(known),
                    unless_secret(&value.to_string()),
                    kind(&value)
                )));
            }
        }
    }
    Ok(())
}

/// How many tables and lists are within each other, this one included. The parser bounds how deep it looks, so that this ends too.
fn depth<'a>(values: impl Iterator<Item = &'a Value>) -> usize {
    let within = |value: &'a Value| match value {
        Value::Table(table) => depth(table.values()),
        Value::Array(items) => depth(items.iter()),
        Value::String(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => 0,
    };
    1 + values.map(within).max().unwrap_or_default()
}

/// A value as it is repeated: not if it may be an address, in which there may be a password.
fn unless_secret(value: &str) -> &str {
    if value.contains("://") { "what stands there" } else { value }
}

/// Durations and sizes are text in the default file and may be whole numbers too.
fn same_kind(known: &Value, value: &Value) -> bool {
    known.same_type(value) || matches!((known, value), (Value::String(text), Value::Integer(_)) if is_quantity(text))
}

fn is_quantity(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

/// What may stand where the default file has this.
fn wanted(known: &Value) -> &'static str {
    match known {
        Value::String(text) if is_quantity(text) => "a whole number, or text with a unit",
        other => kind(other),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "text",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
    }
}

fn unknown(origin: &str, full: &str, root: &Table) -> SettingsError {
    let first = full.split('.').next().unwrap_or_default();
    if first == "secret" || first == "secrets" {
        return SettingsError::new(format!(
            "{origin}: there is no setting `{full}`; a secret is the variable {SECRET_PREFIX}NAME, or set by `engine secret set NAME`."
        ));
    }
    if let Some(name) = variable_of(origin).filter(|_| first.starts_with("target_")) {
        return no_setting_of_a_target(name);
    }
    let all = keys(root, "");
    if let Some(module) = full.strip_prefix("targets.") {
        return SettingsError::new(format!(
            "{origin}: there is no setting `{full}`; what the operator says of one target stands under [target.{module}]."
        ));
    }
    match nearest(full, all.iter().map(String::as_str)) {
        Some(near) => SettingsError::new(format!("{origin}: there is no setting `{full}`; did you mean `{near}`?")),
        None => SettingsError::new(format!(
            "{origin}: there is no setting `{full}`; `engine settings show --defaults` lists those there are."
        )),
    }
}

/// Every key of a table, written with dots.
fn keys(table: &Table, path: &str) -> Vec<String> {
    let mut all = Vec::new();
    for (key, value) in table {
        let full = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match value {
            Value::Table(below) => {
                all.extend(keys(below, &full));
                all.push(full);
            }
            _ => all.push(full),
        }
    }
    all
}

/// The layer that the variables make. Those which are not ours, or hold secrets or the key file's name, are left alone.
pub fn variables(
    variables: impl Iterator<Item = (String, String)>,
    schema: &Table,
) -> Result<Vec<(String, Table)>, SettingsError> {
    let mut layers = Vec::new();
    for (name, text) in variables {
        let Some(rest) = name.strip_prefix(PREFIX) else { continue };
        if name.starts_with(SECRET_PREFIX) {
            continue;
        }
        let path: Vec<String> = rest.split("__").map(str::to_lowercase).collect();
        if path.len() < 2 {
            refuse_single_underscores(&name, schema)?;
            continue;
        }
        let known = path.iter().try_fold(schema, |table, key| match table.get(key) {
            Some(Value::Table(below)) => Ok(below),
            leaf => Err(leaf),
        });
        let value = match known {
            Err(Some(known)) if path[0] != "target" => read_as(known, &path, &text).map_err(|wanted| {
                let text = unless_secret(&format!("\"{text}\"")).to_owned();
                SettingsError::new(format!("The variable {name} must be {wanted}, and {text} is not."))
            })?,
            _ => Value::String(text),
        };
        let layer = path.iter().rev().fold(value, |value, key| {
            let mut table = Table::new();
            table.insert(key.clone(), value);
            Value::Table(table)
        });
        if let Value::Table(layer) = layer {
            layers.push((format!("{OF_VARIABLE}{name}"), layer));
        }
    }
    Ok(layers)
}

/// The name of the variable that a layer comes from, if it comes from one.
fn variable_of(origin: &str) -> Option<&str> {
    origin.strip_prefix(OF_VARIABLE)
}

fn no_setting_of_a_target(name: &str) -> SettingsError {
    SettingsError::new(format!(
        "The variable {name} is no setting; one of a target is ENGINE_TARGET__NAME__KEY, with two underscores before its name and two before the key."
    ))
}

/// The keys of each target that come from variables, and those below them, with dots.
pub fn keys_of_targets<'a>(names: impl Iterator<Item = &'a str>) -> BTreeMap<String, BTreeSet<String>> {
    let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for name in names {
        let path: Vec<String> =
            name.strip_prefix(PREFIX).unwrap_or_default().split("__").map(str::to_lowercase).collect();
        if let [target, module, key, below @ ..] = &path[..]
            && target == "target"
        {
            let keys = keys.entry(module.clone()).or_default();
            keys.insert(key.clone());
            if !below.is_empty() {
                keys.insert(path[2..].join("."));
            }
        }
    }
    keys
}

/// `ENGINE_SMTP_PORT` would be passed over in silence, which nobody who writes it wants.
fn refuse_single_underscores(name: &str, schema: &Table) -> Result<(), SettingsError> {
    let bare = |text: &str| text.to_lowercase().replace(['_', '.'], "");
    let word = bare(&name[PREFIX.len()..]);
    if word.starts_with("secret") {
        let sentence =
            format!("The variable {name} is no setting; a secret is {SECRET_PREFIX}NAME, with two underscores.");
        return Err(SettingsError::new(sentence));
    }
    if name.starts_with(TARGET_PREFIX) {
        return Err(no_setting_of_a_target(name));
    }
    let table = name[PREFIX.len()..].to_lowercase();
    if schema.get(&table).is_some_and(Value::is_table) {
        let sentence = format!(
            "The variable {name} is no setting; those of [{table}] are {name}__KEY, with two underscores before the key."
        );
        return Err(SettingsError::new(sentence));
    }
    match keys(schema, "").iter().find(|key| bare(key) == word && key.contains('.')) {
        Some(key) => Err(SettingsError::new(format!(
            "The variable {name} is no setting; did you mean {PREFIX}{}?",
            key.to_uppercase().replace('.', "__")
        ))),
        None => Ok(()),
    }
}

fn read_as(known: &Value, path: &[String], text: &str) -> Result<Value, &'static str> {
    match known {
        Value::String(_) => Ok(Value::String(text.to_owned())),
        Value::Integer(_) => text.parse().map(Value::Integer).map_err(|_| kind(known)),
        Value::Float(_) => text.parse().map(Value::Float).map_err(|_| kind(known)),
        Value::Boolean(_) => text.parse().map(Value::Boolean).map_err(|_| kind(known)),
        Value::Array(_) => {
            // Paths as in PATH; a colon in anything else is a part of it.
            let between = if path.last().is_some_and(|key| key == "paths") { ':' } else { ',' };
            let items = text.split(between).map(str::trim).filter(|item| !item.is_empty());
            Ok(Value::Array(items.map(|item| Value::String(item.to_owned())).collect()))
        }
        Value::Datetime(_) | Value::Table(_) => Err("a setting inside that table"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Table {
        parse(
            "defaults",
            "[smtp]\nhost='h'\nport=25\nidle='60s'\n[targets]\npaths=[]\n[target.email]\nfrom_email='a@b'",
        )
        .unwrap()
    }

    fn merged(file: &str, env: &[(&str, &str)]) -> Result<Table, String> {
        let mut all = schema();
        let mut run = || -> Result<(), SettingsError> {
            overlay(&mut all, parse("engine.toml", file)?, &schema(), "engine.toml")?;
            let env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
            for (origin, layer) in variables(env, &schema())? {
                overlay(&mut all, layer, &schema(), &origin)?;
            }
            Ok(())
        };
        run().map_err(|e| e.to_string())?;
        Ok(all)
    }

    #[test]
    fn variables_win_over_the_file_and_are_read_as_the_default_is() {
        let all =
            merged("[smtp]\nport = 26", &[("ENGINE_SMTP__PORT", "2525"), ("ENGINE_TARGETS__PATHS", "/a:/b")]).unwrap();
        assert_eq!(all["smtp"]["port"], Value::Integer(2525));
        assert_eq!(all["targets"]["paths"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn text_of_a_target_stays_text() {
        let all = merged("", &[("ENGINE_TARGET__TWILIO__SENDER", "+15550100")]).unwrap();
        assert_eq!(all["target"]["twilio"]["sender"], Value::String("+15550100".into()));
    }

    #[test]
    fn an_unknown_key_names_the_nearest() {
        assert_eq!(
            merged("[smtp]\nprot = 1", &[]).unwrap_err(),
            "engine.toml: there is no setting `smtp.prot`; did you mean `smtp.port`?"
        );
        assert_eq!(
            merged("", &[("ENGINE_SMTP__PROT", "1")]).unwrap_err(),
            "The variable ENGINE_SMTP__PROT: there is no setting `smtp.prot`; did you mean `smtp.port`?"
        );
        assert_eq!(
            merged("", &[("ENGINE_SMTP_PORT", "1")]).unwrap_err(),
            "The variable ENGINE_SMTP_PORT is no setting; did you mean ENGINE_SMTP__PORT?"
        );
        for name in ["ENGINE_SECRET_TOKEN", "ENGINE_SECRETS__TOKEN"] {
            let error = merged("", &[(name, "x")]).unwrap_err();
            assert!(error.contains(name) && error.contains("ENGINE_SECRET__NAME"), "{error}");
        }
        let error = merged("[secret]\ntoken = 'x'", &[]).unwrap_err();
        assert!(error.contains("`engine secret set NAME`") && !error.contains("server"), "{error}");
        for name in ["ENGINE_TARGET_COURIER_API", "ENGINE_TARGET__COURIER_API", "ENGINE_TARGET_COURIER__API"] {
            let error = merged("", &[(name, "x")]).unwrap_err();
            assert!(error.contains(name) && error.contains("ENGINE_TARGET__NAME__KEY"), "{error}");
        }
        let error = merged("", &[("ENGINE_SMTP", "h")]).unwrap_err();
        assert!(error.contains("those of [smtp] are ENGINE_SMTP__KEY"), "{error}");
        assert!(merged("", &[("ENGINE_HOME", "/x"), ("ENGINE_SECRET__A", "x"), ("PATH", "/bin")]).is_ok());
    }

    #[test]
    fn a_wrong_kind_is_said_with_both_kinds() {
        assert_eq!(
            merged("[smtp]\nport = 'x'", &[]).unwrap_err(),
            "engine.toml: `smtp.port` must be a whole number, and \"x\" is text."
        );
        assert_eq!(
            merged("", &[("ENGINE_SMTP__PORT", "x")]).unwrap_err(),
            "The variable ENGINE_SMTP__PORT must be a whole number, and \"x\" is not."
        );
        for (file, variable) in [("smtp = 'smtp://ada:hush@h'", "ENGINE_HOME"), ("", "ENGINE_SMTP__PORT")] {
            let error = merged(file, &[(variable, "smtp://ada:hush@h")]).unwrap_err();
            assert!(error.contains("what stands there is") && !error.contains("hush"), "{error}");
        }
        assert!(merged("[smtp]\nidle = 60", &[]).is_ok(), "a quantity may be a bare number");
        assert!(merged("target = 3", &[]).is_err());
        let within = |tables: usize| format!("[target.x]\na{} = [1]", ".a".repeat(tables));
        assert!(merged(&within(14), &[]).is_ok(), "itself, 14 tables and a list");
        let error = merged(&within(15), &[]).unwrap_err();
        assert!(error.contains("`target.x` has more than 16 tables or lists within each other"), "{error}");
        assert!(merged("[smtp", &[]).unwrap_err().starts_with("engine.toml, line 1, is not valid TOML"));
    }
}
