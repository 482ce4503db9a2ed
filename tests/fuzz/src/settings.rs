//! A settings file: settings, or a sentence that says what to change; and what is shown of settings are the same settings.

use crate::assert_sentence;
use engine::rules::budget::Limit;
use engine::settings::Settings;

/// Takes a text as the settings file.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    // Some settings name files that are read, and the files of devices never end.
    if text.contains("/dev") || text.contains("/proc") {
        return;
    }
    let Some(settings) = read(text) else { return };
    assert!(settings.sandbox.budget().amount(Limit::Memory) > 0 && settings.delivery.claim_batch > 0);
    let _ = (settings.cache(), settings.folder(), settings.sandbox.allowed());
    if let Ok(url) = url::Url::parse(&settings.database.url)
        && let Some(password) = url.password().filter(|password| password.len() > 8)
    {
        // It may be the database's name as well.
        let mut without = url.clone();
        let is_elsewhere = without.set_password(None).is_ok() && without.as_str().contains(password);
        assert!(is_elsewhere || !settings.shown_database().contains(password), "{text:?}");
    }

    let shown = settings.to_toml();
    let again = read(&shown).unwrap_or_else(|| panic!("settings are shown that are none: {shown}"));
    assert_eq!(again.to_toml(), shown);
    assert_eq!(again.to_json(), settings.to_json());
    for module in settings.target.keys() {
        let (one, other) = (settings.of_target(module), again.of_target(module));
        assert_eq!((one.base_url, one.smtp, one.secrets), (other.base_url, other.smtp, other.secrets), "{module}");
        assert_eq!(one.limits, other.limits, "{module}");
    }
}

fn read(text: &str) -> Option<Settings> {
    match Settings::from_text("engine.toml", text, std::iter::empty()) {
        Ok(settings) => Some(settings),
        Err(why) => {
            assert_sentence(&why.to_string());
            None
        }
    }
}
