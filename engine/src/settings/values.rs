//! How single values of the settings are read, for serde.

use crate::rules::notification::OnUnknown;
use crate::rules::quantities::{parse_duration, parse_size};
use crate::rules::retry::Backoff;
use serde::{Deserialize, Deserializer};
use std::path::PathBuf;
use std::time::Duration;

fn quantity<'de, D: Deserializer<'de>, T>(d: D, read: fn(&str) -> Result<T, String>) -> Result<T, D::Error> {
    let text = match toml::Value::deserialize(d)? {
        toml::Value::String(text) => text,
        other => other.to_string(),
    };
    read(&text).map_err(serde::de::Error::custom)
}

pub fn duration<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
    quantity(d, parse_duration)
}

pub fn maybe_duration<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Duration>, D::Error> {
    match String::deserialize(d)?.as_str() {
        "" => Ok(None),
        // Seconds, where nobody means them, would be the end of what was kept.
        text if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            Err(serde::de::Error::custom(format!("`retention.ended` needs a unit, such as \"{text}d\" for days")))
        }
        text => parse_duration(text).map(Some).map_err(serde::de::Error::custom),
    }
}

pub fn size<'de, D: Deserializer<'de>>(d: D) -> Result<u64, D::Error> {
    quantity(d, parse_size)
}

pub fn path<'de, D: Deserializer<'de>>(d: D) -> Result<Option<PathBuf>, D::Error> {
    let text = String::deserialize(d)?;
    Ok((!text.is_empty()).then(|| text.into()))
}

pub fn backoff<'de, D: Deserializer<'de>>(d: D) -> Result<Backoff, D::Error> {
    match String::deserialize(d)?.as_str() {
        "exponential" => Ok(Backoff::Exponential),
        "fixed" => Ok(Backoff::Fixed),
        other => Err(serde::de::Error::custom(format!(
            "`delivery.backoff` must be \"exponential\" or \"fixed\", and \"{other}\" is neither"
        ))),
    }
}

pub fn on_unknown<'de, D: Deserializer<'de>>(d: D) -> Result<Option<OnUnknown>, D::Error> {
    match String::deserialize(d)?.as_str() {
        "" => Ok(None),
        "resend" => Ok(Some(OnUnknown::Resend)),
        "hold" => Ok(Some(OnUnknown::Hold)),
        other => Err(serde::de::Error::custom(format!(
            "`delivery.on_unknown` must be \"resend\", \"hold\" or empty, and \"{other}\" is neither"
        ))),
    }
}

pub fn listen<'de, D: Deserializer<'de>>(d: D) -> Result<Option<std::net::SocketAddr>, D::Error> {
    let text = String::deserialize(d)?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| {
        serde::de::Error::custom(format!(
            "`server.listen` must be an address and a port such as 127.0.0.1:8025, and \"{text}\" is not"
        ))
    })
}
