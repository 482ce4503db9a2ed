//! apt's sources: reads the machine's own, keeps Debian's, and derives from them where another suite is to be found. That is how
//! the archive's address, or the mirror that somebody has chosen, comes to be known without being written anywhere in this project.

use std::fs;
use std::path::Path;

use anyhow::Context;

/// One source, as a stanza of a `.sources` file: fields and their values, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source(Vec<(String, String)>);

impl Source {
    fn field(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    fn words(&self, name: &str) -> Vec<&str> {
        self.field(name).unwrap_or_default().split_whitespace().collect()
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.0.retain(|(field, _)| !field.eq_ignore_ascii_case(name));
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Its text in a `.sources` file.
    pub fn stanza(&self) -> String {
        self.0.iter().map(|(field, value)| format!("{field}: {value}\n")).collect()
    }
}

/// All sources that apt uses on this machine.
pub fn of_this_machine() -> anyhow::Result<Vec<Source>> {
    let mut sources = Vec::new();
    let list = Path::new("/etc/apt/sources.list");
    if let Ok(text) = fs::read_to_string(list) {
        sources.extend(parse_list(&text));
    }
    let folder = Path::new("/etc/apt/sources.list.d");
    let Ok(entries) = fs::read_dir(folder) else { return Ok(sources) };
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read {}", folder.display()))?.path();
        let parse: fn(&str) -> Vec<Source> = match path.extension().and_then(|extension| extension.to_str()) {
            Some("list") => parse_list,
            Some("sources") => parse_stanzas,
            _ => continue,
        };
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        sources.extend(parse(&text));
    }
    Ok(sources)
}

/// Of these sources, those of the Debian with this codename. Others may be slow, broken, or meant for another codename only.
pub fn of_debian(sources: &[Source], codename: &str) -> Vec<Source> {
    let suites = [codename.to_owned(), format!("{codename}-updates"), format!("{codename}-security")];
    let is_debians = |source: &Source| {
        let names_a_foreign_key = source.field("Signed-By").is_some_and(|key| !key.contains("debian-archive"));
        !names_a_foreign_key
            && source.words("Types").contains(&"deb")
            && source.words("Components").contains(&"main")
            && source.words("Suites").iter().any(|suite| suites.iter().any(|known| suite == known))
            && source.field("Enabled").is_none_or(|value| value.trim() != "no")
    };
    sources.iter().filter(|source| is_debians(source)).map(|source| source.clone().with("Types", "deb")).collect()
}

/// The same archive's other suite, given the sources of the Debian with this codename. Updates and security updates have
/// addresses of their own, so only the plain suite's source is taken.
pub fn in_suite(sources: &[Source], codename: &str, suite: &str) -> Vec<Source> {
    let plain = sources.iter().filter(|source| source.words("Suites").contains(&codename));
    plain.map(|source| source.clone().with("Suites", suite).with("Components", "main")).collect()
}

/// Reads a `.list` file: `deb [option=value …] address suite component …`.
fn parse_list(text: &str) -> Vec<Source> {
    text.lines().filter_map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<Source> {
    let line = line.split('#').next()?.trim();
    let (kind, rest) = line.split_once(char::is_whitespace)?;
    let (options, rest) = match rest.trim_start().strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => ("", rest),
    };
    let mut words = rest.split_whitespace();
    let address = words.next()?;
    let suite = words.next()?;
    let components: Vec<_> = words.collect();

    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut fields = vec![
        field("Types", kind),
        field("URIs", address),
        field("Suites", suite),
        field("Components", &components.join(" ")),
    ];
    for (name, value) in options.split_whitespace().filter_map(|option| option.split_once('=')) {
        // Most options have the name of a field, which may be written in any case.
        let name = match name {
            "arch" => "Architectures",
            "lang" => "Languages",
            "target" => "Targets",
            other => other,
        };
        fields.push(field(name, &value.replace(',', " ")));
    }
    Some(Source(fields))
}

/// Reads a `.sources` file: stanzas of `Field: value`, with empty lines between them. A value goes on in lines that begin with a space.
fn parse_stanzas(text: &str) -> Vec<Source> {
    let mut sources = Vec::new();
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')).chain([""]) {
        if line.trim().is_empty() {
            if !fields.is_empty() {
                sources.push(Source(std::mem::take(&mut fields)));
            }
        } else if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push('\n');
                value.push_str(line);
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.trim().to_owned(), value.trim().to_owned()));
        }
    }
    sources
}

#[cfg(test)]
mod tests {
    use super::*;

    const STANZAS: &str = "# Debian
Types: deb deb-src
URIs: https://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
# a remark
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: https://mirror.example/debian-security
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: https://elsewhere.example/
Suites: bookworm
Components: main


Types: deb
URIs: https://vendor.example/
Suites: bookworm
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
";

    fn stanzas(sources: &[Source]) -> String {
        sources.iter().map(Source::stanza).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn debians_own_stanzas_are_kept_whole() {
        let expected = "URIs: https://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
Types: deb

URIs: https://mirror.example/debian-security
Suites: bookworm-security
Components: main
Types: deb
";
        assert_eq!(stanzas(&of_debian(&parse_stanzas(STANZAS), "bookworm")), expected);
    }

    #[test]
    fn another_suite_is_derived_from_the_plain_one() {
        let own = of_debian(&parse_stanzas(STANZAS), "bookworm");
        let expected = "URIs: https://mirror.example/debian
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
Types: deb
Suites: trixie
Components: main
";
        assert_eq!(stanzas(&in_suite(&own, "bookworm", "trixie")), expected);
    }

    #[test]
    fn a_value_of_several_lines_stays_one() {
        let sources = parse_stanzas(STANZAS);
        assert!(sources[3].stanza().ends_with("Signed-By: \n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n"));
    }

    #[test]
    fn lines_become_stanzas() {
        let list = "deb http://mirror.example/debian bookworm main non-free # the mirror
deb-src http://mirror.example/debian bookworm main
#deb http://mirror.example/debian bookworm-backports main
deb [ arch=amd64,arm64 signed-by=/keys/debian-archive.gpg ] http://mirror.example/security bookworm-security main

deb [arch=amd64 signed-by=/keys/debian-by-vendor.gpg] https://vendor.example bookworm main
";
        let expected = "URIs: http://mirror.example/debian
Suites: bookworm
Components: main non-free
Types: deb

URIs: http://mirror.example/security
Suites: bookworm-security
Components: main
Architectures: amd64 arm64
signed-by: /keys/debian-archive.gpg
Types: deb
";
        assert_eq!(stanzas(&of_debian(&parse_list(list), "bookworm")), expected);
    }

    #[test]
    fn nonsense_is_no_source() {
        assert_eq!(parse_list("deb\ndeb http://x\ndeb [arch=amd64 http://x y z\n"), []);
        assert_eq!(parse_stanzas("nonsense\n\n \n"), []);
    }
}
