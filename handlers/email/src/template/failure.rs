//! What is told about a template that cannot be rendered: one sentence, with the file and line where it happened.

use std::error;
use std::fmt;

use guest_sdk::Failure;
use minijinja::{Error, ErrorKind};

/// A refusal of ours on its way through the template engine.
#[derive(Debug)]
struct Refusal(Failure);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl error::Error for Refusal {}

/// Makes an error of a refusal, which [`of`] will find again.
pub fn refusal(failure: Failure) -> Error {
    Error::from(ErrorKind::InvalidOperation).with_source(Refusal(failure))
}

/// The failure that an error of rendering `name` is. Errors of included templates come wrapped in those of the templates
/// that include them; the innermost says what is wrong, and where.
pub fn of(name: &str, error: &Error) -> Failure {
    let mut innermost = error;
    let mut cause = error::Error::source(error);
    while let Some(inner) = cause {
        if let Some(Refusal(failure)) = inner.downcast_ref() {
            return at(innermost, &failure.code, failure.message.trim_end_matches('.'));
        }
        if let Some(inner) = inner.downcast_ref() {
            innermost = inner;
        }
        cause = inner.source();
    }
    match (innermost.kind(), innermost.line()) {
        // No line asks for it, so it is the one that the application named.
        (ErrorKind::TemplateNotFound, None) => {
            Failure::new("template_not_found", format!("There is no template {name} in the folder of templates."))
        }
        (ErrorKind::TemplateNotFound, Some(_)) => at(innermost, "template_not_found", &sentence(name, innermost)),
        (ErrorKind::OutOfFuel, _) => {
            let sentence = format!("The template {name} computes too much for a mail: give it shorter loops or texts");
            at(innermost, "template_too_long", &sentence)
        }
        _ => at(innermost, "template_error", &sentence(name, innermost)),
    }
}

fn sentence(name: &str, error: &Error) -> String {
    let kind = error.kind().to_string();
    let what = match (error.kind(), error.detail()) {
        (_, None) => kind,
        // These say already what they are.
        (ErrorKind::TemplateNotFound | ErrorKind::UndefinedError, Some(detail)) => detail.to_owned(),
        (_, Some(detail)) => format!("{kind}: {detail}"),
    };
    format!("The template {name} cannot be rendered: {}", what.replace(char::is_control, " "))
}

/// Ends a sentence with the place in brackets, if it is known.
fn at(error: &Error, code: &str, sentence: &str) -> Failure {
    match (error.name(), error.line()) {
        (Some(file), Some(line)) => Failure::new(code, format!("{sentence} ({file}, line {line}).")),
        _ => Failure::new(code, format!("{sentence}.")),
    }
}
