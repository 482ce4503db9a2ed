//! What the target of a measured call has: as a delivery has it, limits, grants, secrets that are cut out, an HTTP client, a relay and all.

use engine::host::{Host, HttpClient, Mailer, Powers, Redactor, Relay};
use engine::rules::budget::{Said, in_force};
use engine::rules::grants::{Capability, Grants, OperatorWord};
use engine::rules::manifest::{Manifest, SecretFormat};
use engine::rules::origin::Origin;
use engine::settings::{Secret, Settings};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// As the values of providers' keys are.
const SECRETS: [(&str, &str); 2] =
    [("api_key", "sk_0123456789abcdefghijklmnopqrstuv"), ("hook", "https://hooks.example/T0/B0/x8Yz+/ü?")];

/// The powers of a target whose component asks for secrets and origins and was granted them; `base_url` is opened by the operator.
pub fn all(host: &Host, base_url: Option<&str>) -> Arc<Powers> {
    let manifest = Manifest::parse(
        r#"{"name":"Bench","version":"1.0.0","summary":"To measure.","address":{"title":"Anything","example":"anything"},"smtp":true,"http":{"origins":["https://a.example","https://*.b.example"]},
            "secrets":[{"name":"api_key","purpose":"A key."},{"name":"hook","purpose":"A URL."}]}"#,
    );
    let [https, wild] = ["https://a.example", "https://*.b.example"].map(|text| Origin::parse(text).unwrap());
    let granted = vec![
        Capability::Http(https.clone()),
        Capability::Http(wild),
        Capability::Secret("api_key".to_owned(), Some(https.clone())),
    ];
    let bound: BTreeMap<_, _> = SECRETS.iter().map(|(name, _)| ((*name).to_owned(), vec![https.clone()])).collect();
    let word = OperatorWord { base_url: base_url.map(|url| Origin::parse(url).unwrap()), ..OperatorWord::default() };
    let grants = Grants::new("Bench", "bench", &manifest.unwrap(), granted, word, bound);
    let settings = Settings::from_text("bench", "", std::iter::empty()).unwrap();
    let secrets = SECRETS.iter().map(|(name, value)| ((*name).to_owned(), (SecretFormat::Text, Secret::new(*value))));
    let redactor = Redactor::of(SECRETS.into_iter());
    Arc::new(Powers {
        module: "bench".to_owned(),
        http: Some(HttpClient::new(&grants, host.network(), Duration::from_secs(3)).unwrap()),
        grants,
        secrets: secrets.collect(),
        redactor,
        mailer: Some(Mailer::new(&Arc::new(Relay::new(&settings.smtp).unwrap()), false)),
        limits: Some(in_force(&settings.sandbox.budget(), &Said::new(), &Said::new())),
        sender: Some("Bench <bench@a.example>".parse().unwrap()),
        ..Powers::default()
    })
}
