//! Mails from templates: one folder that the creator may read, and nothing beside it.

use crate::support::engine::TestEngine;
use crate::support::smtp::SmtpServer;
use serde_json::{Value, json};
use std::fs;

/// An engine with templates in a folder, and with what is none beside them.
pub async fn engine(server: &SmtpServer, folder: &tempfile::TempDir) -> TestEngine {
    let templates = folder.path().join("templates");
    fs::create_dir_all(&templates).unwrap();
    fs::write(folder.path().join("secret.txt"), "the operator's own").unwrap();
    fs::write(templates.join("base.html"), "<h1>{% block heading %}{% endblock %}</h1>").unwrap();
    fs::write(
        templates.join("tea.html"),
        "{% extends 'base.html' %}{% block heading %}{{ user.first_name }}: {{ tea }}{% endblock %}",
    )
    .unwrap();
    std::os::unix::fs::symlink(folder.path().join("secret.txt"), templates.join("link.txt")).unwrap();
    let section = format!("[target.email]\ntemplates = '{}'\n", templates.display());
    let engine = TestEngine::builder().relay(server.address).with(&section).start().await;
    engine.record("email", "ada@example.org").await;
    engine
}

/// The body that a request without one gets, or why it gets none.
pub async fn made(engine: &TestEngine, extra: Value) -> Result<String, String> {
    let mut request = engine.request("email", "Tea", extra);
    request.message.body = String::new();
    match engine.create(&request).await {
        Ok(ids) => Ok(engine.show(ids[0]).await.listed.notification.body),
        Err(error) => Err(error.to_string()),
    }
}

#[tokio::test]
async fn what_is_no_template_is_refused_and_nothing_is_stored() {
    let (server, folder) = (SmtpServer::start(&[]).await, tempfile::tempdir().unwrap());
    let engine = engine(&server, &folder).await;
    for (extra, part) in [
        (json!({"template_name": "none.html"}), "none.html"),
        (json!({"template_name": "../secret.txt"}), "../secret.txt"),
        (json!({"template_name": "link.txt"}), "link.txt"),
        (json!({"template_name": "/etc/passwd"}), "/etc/passwd"),
        (json!({"template_name": "tea.html"}), "tea.html"),
        (json!({}), "template_name"),
    ] {
        let why = made(&engine, extra.clone()).await.unwrap_err();
        assert!(why.contains(part) && !why.contains("operator's own"), "{extra}: {why}");
    }
    assert_eq!(
        engine.store.list_notifications(engine::rules::tenant::Tenant::DEFAULT, &Default::default()).await.unwrap(),
        []
    );
}
