use std::fs;

use guest_sdk::User;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::*;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, source) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, source).unwrap();
    }
    folder
}

fn ada() -> User {
    User {
        id: "u1".into(),
        username: "ada".into(),
        email: "ada@example.org".into(),
        first_name: "Ada".into(),
        last_name: "<Lovelace>".into(),
        time_zone: "Europe/London".into(),
        locale: "en-GB".into(),
        attributes: r#"{"team": {"name": "Engines"}}"#.into(),
    }
}

fn values(extra: Json) -> Value {
    variables("Tea & cake", &ada(), extra.as_object().unwrap()).unwrap()
}

fn rendered(files: &[(&str, &str)], name: &str, extra: Json) -> Result<Rendered, Failure> {
    render(folder(files).path(), name, &values(extra), true)
}

fn body(files: &[(&str, &str)], name: &str, extra: Json) -> String {
    rendered(files, name, extra).unwrap().body
}

fn refused(files: &[(&str, &str)], name: &str, extra: Json) -> (String, String) {
    let failure = rendered(files, name, extra).unwrap_err();
    assert!(failure.message.ends_with('.') && !failure.message.contains('\n'), "{}", failure.message);
    (failure.code, failure.message)
}

#[test]
fn variables_are_the_keys_of_extra_the_user_and_the_title() {
    let source = "{{ title }}|{{ user.id }}|{{ user.username }}|{{ user.email }}|{{ user.first_name }}|{{ user.last_name }}|{{ user.time_zone }}|{{ user.locale }}|{{ user.attributes.team.name }}|{{ order.items[0].price }}|{{ html }}";
    assert_eq!(
        body(
            &[("a.txt", source)],
            "a.txt",
            json!({ "order": { "items": [{ "price": 2.5 }] }, "html": false, "template_name": "a.txt" })
        ),
        "Tea & cake|u1|ada|ada@example.org|Ada|<Lovelace>|Europe/London|en-GB|Engines|2.5|False"
    );
    assert_eq!(
        refused(&[("a.txt", "{{ template_name }}")], "a.txt", json!({ "template_name": "a.txt" })).0,
        "template_error"
    );
}

#[test]
fn names_of_the_engine_cannot_be_taken() {
    for key in ["user", "title"] {
        let extra = json!({ key: "Eve" });
        assert_eq!(variables("T", &ada(), extra.as_object().unwrap()).unwrap_err().code, "reserved_variable");
    }
}

#[test]
fn html_is_escaped_and_text_is_not() {
    for (name, escaped) in [("a.html", true), ("a.htm", true), ("a.txt", false)] {
        let body = body(&[(name, "{{ x }}")], name, json!({ "x": "<b>'&" }));
        assert_eq!(body, if escaped { "&lt;b&gt;&#x27;&amp;" } else { "<b>'&" }, "{name}");
    }
    assert_eq!(body(&[("a.html", "{{ x|safe }}")], "a.html", json!({ "x": "<b>" })), "<b>");
}

#[test]
fn what_is_rendered_decides_about_escaping() {
    let files = [
        ("a.html", "{% include 'part.txt' %}{% include 'part.xml' %}"),
        ("a.txt", "{% include 'part.html' %}"),
        ("part.html", "{{ x }}"),
        ("part.txt", "{{ x }}"),
        ("part.xml", "{{ x }}"),
    ];
    let both = rendered(&files, "a.html", json!({ "x": "<b>" })).unwrap();
    assert_eq!(both, Rendered { body: "&lt;b&gt;&lt;b&gt;".into(), html: true, text: Some("<b>".into()) });
}

#[test]
fn templates_extend_include_and_import_each_other() {
    let files = [
        ("base.html", "<p>{% block greeting %}Hello{% endblock %}</p>{% include 'parts/footer.html' %}"),
        ("parts/footer.html", "<hr>{{ user.username }}"),
        ("parts/macros.html", "{% macro button(label) %}<b>{{ label }}</b>{% endmacro %}"),
        (
            "news/weekly.html",
            "{% extends 'base.html' %}{% from 'parts/macros.html' import button %}{% block greeting %}{{ super() }} {{ button(title) }}{% endblock %}",
        ),
    ];
    assert_eq!(body(&files, "news/weekly.html", json!({})), "<p>Hello <b>Tea &amp; cake</b></p><hr>ada");
}

#[test]
fn the_text_beside_is_rendered_too() {
    let files =
        [("a.html", "<p>{{ x }}</p>"), ("a.txt", "{{ x }}!"), ("b.html", "b"), ("c.txt", "c"), ("c.html", "{{ y }}")];
    let extra = json!({ "x": "<3" });
    let both = Rendered { body: "<p>&lt;3</p>".into(), html: true, text: Some("<3!".into()) };
    assert_eq!(rendered(&files, "a.html", extra.clone()), Ok(both));
    assert_eq!(rendered(&files, "b.html", extra.clone()), Ok(Rendered { body: "b".into(), html: true, text: None }));
    assert_eq!(rendered(&files, "c.txt", extra.clone()), Ok(Rendered { body: "c".into(), html: false, text: None }));
    let unwanted = render(folder(&files).path(), "a.html", &values(extra), false).unwrap();
    assert_eq!(unwanted.text, None);
}

#[test]
fn what_is_missing_is_told_with_file_and_line() {
    for (files, name, message) in [
        (
            &[("a.html", "one\n{{ nobody }}")][..],
            "a.html",
            "The template a.html cannot be rendered: `nobody` is undefined (a.html, line 2).",
        ),
        (
            &[("a.txt", "\n\n{{ user.nick }}")],
            "a.txt",
            "The template a.txt cannot be rendered: `user.nick` is undefined (a.txt, line 3).",
        ),
        (
            &[("a.html", "\n{% include 'b/c.html' %}"), ("b/c.html", "\n\n\n{{ nobody }}")],
            "a.html",
            "The template a.html cannot be rendered: `nobody` is undefined (b/c.html, line 4).",
        ),
        (
            &[
                ("a.html", "{% extends 'b.html' %}\n{% block x %}\n{{ nobody }}{% endblock %}"),
                ("b.html", "{% block x %}{% endblock %}"),
            ],
            "a.html",
            "The template a.html cannot be rendered: `nobody` is undefined (a.html, line 3).",
        ),
        (
            &[("a.html", "a"), ("a.txt", "{{ nobody }}")],
            "a.html",
            "The template a.txt cannot be rendered: `nobody` is undefined (a.txt, line 1).",
        ),
        (
            &[("a.txt", "{% if nobody %}{% endif %}x")],
            "a.txt",
            "The template a.txt cannot be rendered: `nobody` is undefined (a.txt, line 1).",
        ),
    ] {
        assert_eq!(refused(files, name, json!({})), ("template_error".to_owned(), message.to_owned()));
    }
    assert_eq!(body(&[("a.txt", "{{ x|default('y') }}{{ 1 if x is defined else 2 }}")], "a.txt", json!({})), "y2");
}

#[test]
fn mistakes_in_a_template_are_told() {
    for (source, code, part) in [
        ("\n{% if %}", "template_error", "(a.txt, line 2)."),
        ("{{ x", "template_error", "syntax error"),
        ("{{ 1|nope }}", "template_error", "nope"),
        ("{{ 1 + 'a' }}", "template_error", "invalid operation"),
        ("x\n{% include 'gone.txt' %}", "template_not_found", "'gone.txt' (a.txt, line 2)."),
        ("{% extends 'gone.txt' %}", "template_not_found", "\"gone.txt\""),
        ("\n{% include '../a.txt' %}", "invalid_template_name", "below it, as in news/weekly.txt (a.txt, line 2)."),
        ("{% include '/etc/motd.txt' ignore missing %}", "invalid_template_name", "(a.txt, line 1)."),
        ("{% include 'notes.md' %}", "invalid_template_name", ".xml or .txt"),
        ("{% include 'folder.txt' %}", "template_unreadable", "it is not a file (a.txt, line 1)."),
        ("{% include 'latin.txt' %}", "template_unreadable", "it is not UTF-8"),
        (" {% set x = 1 %}\n", "template_without_text", "a.txt makes no text"),
    ] {
        let folder = folder(&[("a.txt", source), ("notes.md", "x"), ("folder.txt/a.txt", "x")]);
        fs::write(folder.path().join("latin.txt"), b"Gr\xfc\xdfe").unwrap();
        let failure = render(folder.path(), "a.txt", &values(json!({})), true).unwrap_err();
        assert_eq!(failure.code, code, "{source}: {}", failure.message);
        assert!(failure.message.contains(part) && failure.message.ends_with('.'), "{source}: {}", failure.message);
    }
    assert_eq!(body(&[("a.txt", "x{% include 'gone.txt' ignore missing %}")], "a.txt", json!({})), "x");
}

#[test]
fn only_templates_of_the_folder_are_found() {
    let files = [("a.txt", "a"), ("b/logo.xml", "b"), (".hidden/a.txt", "x")];
    for (name, code) in [
        ("gone.html", "template_not_found"),
        ("b/gone/a.txt", "template_not_found"),
        ("a.txt/b.txt", "template_unreadable"),
        ("../a.txt", "invalid_template_name"),
        ("/a.txt", "invalid_template_name"),
        ("b\\logo.txt", "invalid_template_name"),
        ("a.txt\0", "invalid_template_name"),
        (".hidden/a.txt", "invalid_template_name"),
        ("a.md", "invalid_template_name"),
        ("b/logo.xml", "invalid_template_name"),
        ("", "invalid_template_name"),
    ] {
        assert_eq!(refused(&files, name, json!({})).0, code, "{name:?}");
    }
    let nowhere = render(Path::new("/nowhere"), "a.txt", &values(json!({})), true);
    assert_eq!(nowhere.unwrap_err().code, "no_templates");
}

#[test]
fn size_is_bounded() {
    let half = "x".repeat(folder::LARGEST / 2);
    let files = [("a.txt", "{% include 'b.txt' %}{% include 'b.txt' %}"), ("b.txt", half.as_str())];
    assert_eq!(body(&files, "a.txt", json!({})).len(), LARGEST);
    let more = format!("{half}x{{% include 'b.txt' %}}");
    assert_eq!(refused(&[("a.txt", &more), ("b.txt", &half)], "a.txt", json!({})).0, "template_too_large");
    let longer = "x{% include 'b.txt' %}{% include 'b.txt' %}";
    assert_eq!(refused(&[("a.txt", longer), ("b.txt", &half)], "a.txt", json!({})).0, "mail_too_large");
}

#[test]
fn computing_is_bounded() {
    for source in [
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}x",
        "{% set ns = namespace(x='xxxxxxxx') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}x",
        "{{ 'x' * 90000000 }}",
        "{{ range(99999)|list|sort|join(',')|replace('1', 'xxxxxxxxxxxxxxxxxxxxxxxx') }}{{ (range(99999)|list * 50)|sort }}",
    ] {
        assert_eq!(refused(&[("a.txt", source)], "a.txt", json!({})).0, "template_too_long", "{source}");
    }
    for source in [
        "{% include 'a.txt' %}",
        "{% extends 'a.txt' %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% for x in [[]] recursive %}{{ loop([x]) }}{% endfor %}",
    ] {
        assert_eq!(refused(&[("a.txt", source)], "a.txt", json!({})).0, "template_error", "{source}");
    }
    let brackets = format!("{{{{ {}{} }}}}", "(".repeat(100_000), ")".repeat(100_000));
    assert_eq!(refused(&[("a.txt", &brackets)], "a.txt", json!({})).0, "template_error");
}
