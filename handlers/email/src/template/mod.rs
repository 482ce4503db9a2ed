//! Mails from templates, in Jinja's language: rendered when a notification is created, so that what was promised is what
//! is sent, whatever becomes of the template until then.
//!
//! `welcome.html` gives an HTML mail, with `welcome.txt` rendered beside it as its plain text if that exists;
//! `weekly.txt` alone gives plain text. Templates extend, include and import each other within their folder. What is
//! being rendered decides about escaping, not the file that an expression stands in: a part shared by both kinds is
//! escaped in the one and not in the other, and no text included into HTML is a way around escaping.

mod failure;
mod folder;
mod name;
mod variables;

use std::path::Path;

use guest_sdk::Failure;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};

use folder::Folder;
use name::Kind;
pub use name::LONGEST as LONGEST_NAME;
pub use variables::of as variables;

use crate::creator::LARGEST;

/// What one rendering may compute. One unit is an instruction or 64 bytes written, joined or taken apart: this is some
/// 6 MiB, far more than a mail needs. As a component, a template that uses up all of it took 20 ms where it was measured,
/// of the 500 ms that a call has.
const FUEL: u64 = 100_000;

/// How deep templates may be nested: an include takes 10, a macro 4, a block or a loop 1. All of it is on a component's
/// stack of 1 MiB, and to outgrow that would be a trap. The parser bounds brackets by itself, but not chains: an expression
/// with more than 2,000 operators in a row does trap, and costs nobody more than the request that named it.
const DEEPEST: usize = 200;

/// What came of a template.
#[derive(Debug, PartialEq)]
pub struct Rendered {
    pub body: String,
    /// Whether the body is HTML.
    pub html: bool,
    /// The plain text beside it, if there is a template for that.
    pub text: Option<String>,
}

/// Renders the template `name` of a folder, and the text beside it if `with_text`.
pub fn render(folder: &Path, name: &str, variables: &Value, with_text: bool) -> Result<Rendered, Failure> {
    let kind = name::check(name)?;
    if kind == Kind::Xml {
        return Err(Failure::new(
            "invalid_template_name",
            "A mail's template ends in .html, .htm or .txt; one that ends in .xml can only be included.",
        ));
    }
    let folder = Folder::open(folder)?;
    let html = kind == Kind::Html;
    let body = render_one(&folder, name, html, variables)?;
    let text = match name::text_beside(name) {
        Some(beside) if html && with_text && folder.has(&beside) => {
            Some(render_one(&folder, &beside, false, variables)?)
        }
        _ => None,
    };
    Ok(Rendered { body, html, text })
}

fn render_one(folder: &Folder, name: &str, html: bool, variables: &Value) -> Result<String, Failure> {
    let mut environment = Environment::new();
    environment.set_loader(folder.loader());
    environment.set_auto_escape_callback(move |_| if html { AutoEscape::Html } else { AutoEscape::None });
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // So that an error names what is undefined.
    environment.set_debug(true);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(DEEPEST);
    let rendered = environment
        .get_template(name)
        .and_then(|template| template.render(variables.clone()))
        .map_err(|error| failure::of(name, &error))?;
    if rendered.len() > LARGEST {
        return Err(Failure::new(
            "mail_too_large",
            format!(
                "The template {name} makes {} bytes, and a mail has room for {LARGEST}: shorten it.",
                rendered.len()
            ),
        ));
    }
    if rendered.trim().is_empty() {
        return Err(Failure::new(
            "template_without_text",
            format!("The template {name} makes no text of these variables, and an empty mail is not sent."),
        ));
    }
    Ok(rendered)
}

#[cfg(test)]
mod tests;
