//! `[sandbox]`: what one call of a component may use, and what may be granted to the targets of tenants at all.

use super::TargetSettings;
use super::values::{duration, path, size};
use crate::rules::allowed::{Allowed, Sender};
use crate::rules::budget::{self, Budget, Limit, Said};
use crate::rules::origin::Origin;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// The largest component that an operator can allow, in bytes.
pub const LARGEST_COMPONENT: u64 = 256 << 20;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sandbox {
    #[serde(deserialize_with = "time")]
    cpu: u64,
    #[serde(deserialize_with = "time")]
    wall: u64,
    #[serde(deserialize_with = "size")]
    memory: u64,
    http_requests: u64,
    mails: u64,
    #[serde(deserialize_with = "size")]
    request: u64,
    #[serde(deserialize_with = "size")]
    answer: u64,
    #[serde(deserialize_with = "time")]
    http_connect: u64,
    #[serde(deserialize_with = "time")]
    http_time: u64,
    #[serde(deserialize_with = "size")]
    result: u64,
    #[serde(deserialize_with = "size")]
    log: u64,
    log_lines: u64,
    /// The most of each that is said of any one target.
    #[serde(skip)]
    raised: Said,
    /// The largest component, in bytes.
    #[serde(deserialize_with = "bytes")]
    pub component: usize,
    /// How long compiling one may take, and in how many bytes of memory.
    #[serde(deserialize_with = "duration")]
    pub compile_time: Duration,
    #[serde(deserialize_with = "size")]
    pub compile_memory: u64,
    /// How many bytes of compiled code of installed components are held at once.
    #[serde(deserialize_with = "size")]
    pub compiled: u64,
    pub instances: u32,
    #[serde(deserialize_with = "path")]
    pub cache: Option<PathBuf>,
    #[serde(deserialize_with = "plain_http")]
    plain_http: Vec<Origin>,
    #[serde(deserialize_with = "networks")]
    networks: Vec<ipnet::IpNet>,
    #[serde(deserialize_with = "senders")]
    senders: Vec<Sender>,
}

impl Sandbox {
    /// What one call may use, if nothing else is said of its target.
    pub fn budget(&self) -> Budget {
        Budget::of(|limit| match limit {
            Limit::Cpu => self.cpu,
            Limit::Wall => self.wall,
            Limit::Memory => self.memory,
            Limit::HttpRequests => self.http_requests,
            Limit::Mails => self.mails,
            Limit::Request => self.request,
            Limit::Answer => self.answer,
            Limit::HttpConnect => self.http_connect,
            Limit::HttpTime => self.http_time,
            Limit::Result => self.result,
            Limit::Log => self.log,
            Limit::LogLines => self.log_lines,
        })
    }

    /// The same, knowing what is said of single targets.
    pub(super) fn raised_by(mut self, targets: &BTreeMap<String, TargetSettings>) -> Self {
        for (limit, amount) in targets.values().flat_map(|said| &said.limits) {
            let most = self.raised.entry(*limit).or_default();
            *most = (*most).max(*amount);
        }
        self
    }

    /// The most that a call of any target may use.
    pub fn largest(&self) -> Budget {
        let budget = self.budget();
        Budget::of(|limit| budget.amount(limit).max(self.raised.get(&limit).copied().unwrap_or_default()))
    }

    /// What may be granted at all.
    pub fn allowed(&self) -> Allowed {
        Allowed { plain_http: self.plain_http.clone(), networks: self.networks.clone(), senders: self.senders.clone() }
    }
}

fn time<'de, D: Deserializer<'de>>(d: D) -> Result<u64, D::Error> {
    duration(d).map(budget::milliseconds)
}

fn bytes<'de, D: Deserializer<'de>>(d: D) -> Result<usize, D::Error> {
    size(d).map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX))
}

/// A list of texts, each of which `read` understands; its error is the end of a sentence.
fn list<'de, D: Deserializer<'de>, T>(
    d: D,
    key: &str,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, D::Error> {
    let texts = Vec::<String>::deserialize(d)?;
    let read = |text: &String| read(text).map_err(|why| serde::de::Error::custom(format!("`sandbox.{key}`: {why}")));
    texts.iter().map(read).collect()
}

fn plain_http<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<Origin>, D::Error> {
    list(d, "plain_http", |text| match Origin::parse(text) {
        Ok(origin) if origin.is_https() => Err(format!(
            "\"{text}\" is encrypted and needs no word of the operator's: leave it out, or write it with http://"
        )),
        read => read,
    })
}

fn networks<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<ipnet::IpNet>, D::Error> {
    list(d, "networks", |text| {
        let one = || text.parse::<std::net::IpAddr>().map(ipnet::IpNet::from);
        text.parse().or_else(|_| one()).map_err(|_| format!("\"{text}\" is not a network such as 10.0.0.0/8"))
    })
}

fn senders<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<Sender>, D::Error> {
    list(d, "senders", Sender::parse)
}

#[cfg(test)]
mod tests {
    use crate::settings::Settings;

    #[test]
    fn what_may_be_granted_is_read_and_checked() {
        let read = |text: &str, variables: &[(&str, &str)]| {
            let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            Settings::from_text("engine.toml", text, variables.collect::<Vec<_>>().into_iter())
                .map_err(|e| e.to_string())
        };
        let allowed = read("", &[]).unwrap().sandbox.allowed();
        assert_eq!(allowed, Default::default(), "closed by default");
        let text = "[sandbox]\nplain_http = ['http://inner.example:8080']\nnetworks = ['10.0.0.0/8', 'fd00::1']\nsenders = ['@example.org']";
        let allowed = read(text, &[]).unwrap().sandbox.allowed();
        assert_eq!((allowed.plain_http.len(), allowed.networks.len(), allowed.senders.len()), (1, 2, 1));
        let variables = [("ENGINE_SANDBOX__PLAIN_HTTP", "http://a.example:8080,http://b.example")];
        assert_eq!(read("", &variables).unwrap().sandbox.allowed().plain_http.len(), 2);
        for (text, part) in [
            ("plain_http = ['https://a.example']", "needs no word"),
            ("plain_http = ['a.example']", "does not say `https://`"),
            ("networks = ['10.0.0']", "is not a network such as"),
            ("senders = ['example.org']", "neither an address"),
        ] {
            let error = read(&format!("[sandbox]\n{text}"), &[]).unwrap_err();
            assert!(error.contains(part) && !error.contains('\n'), "{text}: {error}");
        }
    }
}
