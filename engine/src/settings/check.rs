//! What settings must be together, beyond what each value is.

use super::sandbox::LARGEST_COMPONENT;
use super::{Secret, Settings, SettingsError, SmtpTls};
use crate::rules::budget::Limit;

impl Settings {
    /// Refuses what cannot be, and reads the password that the settings name.
    pub(super) fn check(&mut self) -> Result<(), SettingsError> {
        let fail = |text: &str| Err(SettingsError::new(text));
        if !["sqlite:", "postgres:", "postgresql:"].iter().any(|scheme| self.database.url.starts_with(scheme)) {
            return fail("`database.url` must be `sqlite:FILE` or `postgres://user:password@host/database`.");
        }
        // Whatever else is in it may be a password: no part of it is told.
        if !self.database.url.starts_with("sqlite:")
            && let Err(why) = url::Url::parse(&self.database.url)
        {
            return Err(SettingsError::new(format!(
                "`database.url` cannot be read ({why}): write `postgres://user:password@host:5432/database`, with `%40` for `@` in a password, and so on."
            )));
        }
        if self.smtp.host.is_empty() {
            return fail("`smtp.host` must name the relay, such as \"localhost\".");
        }
        if self.database.url.strip_prefix("sqlite:").is_some_and(|file| file.contains("://")) {
            return fail("`database.url` must be one of `sqlite:FILE` and `postgres://…`, and is both.");
        }
        if self.smtp.port == 0 {
            return fail("`smtp.port` must be between 1 and 65535.");
        }
        match (self.smtp.username.is_empty(), &self.smtp.password_file) {
            (true, Some(_)) => return fail("`smtp.password_file` is set without `smtp.username`; set both or none."),
            (false, None) => return fail("`smtp.username` is set without `smtp.password_file`; set both or none."),
            (true, None) => {}
            (false, Some(file)) => {
                if self.smtp.tls == SmtpTls::None && !is_this_machine(&self.smtp.host) {
                    return fail(
                        "`smtp.tls = \"none\"` would send the password readable through the network; set it to \"starttls\" or \"tls\".",
                    );
                }
                let text = super::read_some(file, super::LONGEST_PASSWORD).map_err(|e| {
                    SettingsError::new(format!("`smtp.password_file` ({}) cannot be read: {e}.", file.display()))
                })?;
                self.smtp.password = Some(Secret::new(text.trim_end_matches(['\r', '\n'])));
            }
        }
        let is_of_a_host = |c: char| c.is_ascii_alphanumeric() || "-._[]:".contains(c);
        if !self.smtp.hello_name.chars().all(is_of_a_host) {
            return fail("`smtp.hello_name` must be the name of a host, such as \"mail.example.org\".");
        }
        // One word, or tracing's directives such as `engine=debug,sqlx=warn`.
        let words = ["off", "error", "warn", "info", "debug", "trace"];
        if !self.log.level.contains('=') && !words.contains(&self.log.level.to_lowercase().as_str()) {
            return Err(SettingsError::new(format!(
                "`log.level` must be one of {}, and \"{}\" is none.",
                words.join(", "),
                self.log.level
            )));
        }
        let counts = [
            ("smtp.connections", self.smtp.connections, 1000),
            ("delivery.concurrency_per_tenant", self.delivery.concurrency_per_tenant, 10_000),
            ("delivery.concurrency_per_target", self.delivery.concurrency_per_target, 10_000),
            ("delivery.claim_batch", self.delivery.claim_batch, 1000),
            ("delivery.call_batch", self.delivery.call_batch, 1000),
            ("sandbox.instances", self.sandbox.instances as usize, 1000),
        ];
        for (key, value, most) in counts {
            if !(1..=most).contains(&value) {
                return Err(SettingsError::new(format!("`{key}` must be between 1 and {most}, and {value} is not.")));
            }
        }
        if self.smtp.timeout.is_zero() {
            return fail("`smtp.timeout` must be longer than nothing.");
        }
        for (key, amount, least, most) in [
            ("component", self.sandbox.component as u64, 1 << 20, LARGEST_COMPONENT),
            ("compile_memory", self.sandbox.compile_memory, 128 << 20, 1 << 40),
            ("compiled", self.sandbox.compiled, 64 << 10, 1 << 40),
        ] {
            if !(least..=most).contains(&amount) {
                let [least, most] = [least, most].map(|bytes| Limit::Memory.show(bytes));
                return fail(&format!("`sandbox.{key}` must be between {least} and {most}."));
            }
        }
        if !(1..=3600).contains(&self.sandbox.compile_time.as_secs()) {
            return fail("`sandbox.compile_time` must be between a second and an hour.");
        }
        let budget = self.sandbox.budget();
        for limit in Limit::ALL {
            limit
                .check(budget.amount(limit))
                .map_err(|why| SettingsError::new(format!("`sandbox.{}` cannot be used: {why}.", limit.name())))?;
        }
        Ok(())
    }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
