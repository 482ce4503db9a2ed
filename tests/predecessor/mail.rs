//! Mails: what the creator keeps and renders, and what arrives.

use super::notify;
use crate::delivery::templates::{engine, made};
use crate::support::engine::TestEngine;
use crate::support::program::Program;
use crate::support::smtp::SmtpServer;
use mail_parser::{MessageParser, MimeHeaders};
use serde_json::{Value, json};
use std::fs;

#[test]
fn email_creators_extra_is_kept() {
    let program = Program::new().with("ENGINE_TARGET__EMAIL__TEMPLATES", ".");
    program.ada();
    fs::write(program.folder.path().join("tea.txt"), "{{ tea }}").unwrap();
    let given = json!({"template_name": "tea.txt", "tea": "Darjeeling", "cc": "bob@example.org"});
    let arguments = ["notify", "--user", "ada", "--target", "email", "--title", "Tea", "--extra", &given.to_string()];
    program.ok(&arguments);
    let made = program.json(&["notification", "list"])[0].clone();
    assert_eq!(made["body"], "Darjeeling");
    for (key, value) in given.as_object().unwrap() {
        assert_eq!(&made["extra"][key], value, "{key}");
    }
    program.ok(&notify(&["--target", "email", "--extra", &given.to_string()]));
    assert_eq!(program.json(&["notification", "list"])[0]["extra"], given, "nor is it dropped beside a body");
}

#[tokio::test]
async fn template_rendered_at_creation() {
    let (server, folder) = (SmtpServer::start(&[]).await, tempfile::tempdir().unwrap());
    let engine = engine(&server, &folder).await;
    let templates = folder.path().join("templates");
    fs::write(templates.join("plain.txt"), "{{ user.first_name }}: {{ tea }}").unwrap();
    fs::write(templates.join("missing.html"), "<p>\n{{ tee }}").unwrap();
    let of = async |name: &str| made(&engine, json!({"template_name": name, "tea": "<Darjeeling>"})).await;
    assert_eq!(of("plain.txt").await.unwrap(), "Ada: <Darjeeling>", "a text is not escaped");
    assert_eq!(of("tea.html").await.unwrap(), "<h1>Ada: &lt;Darjeeling&gt;</h1>");
    let why = of("missing.html").await.unwrap_err();
    assert!(why.contains("missing.html") && why.contains("line 2") && why.contains("tee"), "{why}");
    let why = of("../secret.txt").await.unwrap_err();
    assert!(why.contains("../secret.txt") && !why.contains("operator's own"), "nothing beside the folder: {why}");

    // What is sent was made before: it needs no template any more.
    fs::remove_dir_all(templates).unwrap();
    engine.deliver().await;
    let mails = server.mails.lock().unwrap().clone();
    assert_eq!(mails.len(), 2);
    assert!(mails.iter().any(|mail| mail.contains("&lt;Darjeeling&gt;")), "{mails:?}");
}

#[tokio::test]
async fn text_part_of_an_html_mail_is_readable() {
    let server = SmtpServer::start(&[]).await;
    let engine = TestEngine::builder().relay(server.address).start().await;
    engine.record("email", "ada@example.org").await;
    // What the predecessor took for Markdown or for a tag.
    let plain = "1. Tea\r\n\r\n<not a tag> & *not* Markdown, at https://example.org/_x_";
    let html = "<!doctype html><h1>Tea</h1><ol><li>Pour &amp; wait<li>Drink</ol><p>Or <a href=\"https://example.org/\">read</a></p>";
    let cases: [(&str, Value, &[&str], Option<&str>); 3] = [
        (plain, json!({}), &[plain], None),
        (html, json!({}), &["Tea\n", "Pour & wait", "Drink", "https://example.org/"], Some(html)),
        (html, json!({"text": "Tea: pour, wait, drink."}), &["Tea: pour, wait, drink."], Some(html)),
    ];
    for (body, extra, texts, html) in cases {
        let mut request = engine.request("email", "Tea", extra);
        request.message.body = body.to_owned();
        engine.create(&request).await.unwrap();
        engine.deliver().await;
        let raw = server.mails.lock().unwrap().pop().unwrap();
        let mail = MessageParser::default().parse(raw.as_bytes()).unwrap();
        let kind = mail.content_type().unwrap();
        let kind = (kind.c_type.as_ref(), kind.c_subtype.as_deref());
        assert_eq!(kind == ("multipart", Some("alternative")), html.is_some(), "{raw}");
        let text = mail.body_text(0).unwrap().replace("\r\n", "\n");
        for part in texts {
            assert!(text.contains(&part.replace("\r\n", "\n")), "{part}: {text}");
        }
        assert!(!text.contains("<li>") && !text.contains("&amp;"), "{text}");
        if let Some(html) = html {
            assert_eq!(mail.body_html(0).unwrap().trim_end(), html);
        }
    }
}
