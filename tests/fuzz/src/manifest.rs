//! What `describe` answers: a manifest or a sentence, and schemas that are evaluated outside of the sandbox.

use crate::assert_sentence;
use engine::rules::manifest::Manifest;
use engine::rules::schema::{self, Schema};
use serde_json::{Map, Value, json};

/// Takes a text as a component's manifest, and checks settings and `extra` by its schemas as an engine does.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let manifest = match Manifest::parse(text) {
        Ok(manifest) => manifest,
        Err(why) => return assert_sentence(&why),
    };
    for shown in [&manifest.name, &manifest.version] {
        assert!(!shown.chars().any(char::is_control), "{shown:?}");
    }
    let written = serde_json::to_string(&manifest).unwrap();
    assert_eq!(Manifest::parse(&written).as_ref(), Ok(&manifest), "{written}");
    for origin in &manifest.http.origins {
        assert!(origin.covers(origin));
    }
    for asked in [&manifest.settings, &manifest.extra] {
        let known = Schema::requiring_nothing(asked);
        for object in objects() {
            if let Err(misfit) = known.check("settings", &object, &["smtp"]) {
                assert_sentence(&misfit.why);
            }
        }
        if let Some(lacking) = schema::lacking(&Map::new(), asked).next() {
            assert!(!lacking.is_empty() || asked.get("required").is_some());
        }
        let _ = schema::keys(asked);
    }
}

/// What somebody might set: nothing, and some of everything.
fn objects() -> [Map<String, Value>; 2] {
    let some = json!({
        "a": "a text", "b": [1, "two", { "c": null }], "count": 3, "html": true, "smtp": true, "\u{1b}[2J\n": "\u{1b}[2J\n",
    });
    let Value::Object(some) = some else { unreachable!() };
    [Map::new(), some]
}
