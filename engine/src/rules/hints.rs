//! What a component says where it misses what other programs have, and what its author is told then. By its words alone: that it looks for folders or variables
//! tells nothing, since languages do so of their own accord.

use super::grants::{self, Call, Grants};

/// The folder of templates; and what C, and with it Rust and Python, says of any file where no folder is open, and what Go does.
const OF_FILES: [&str; 3] = ["/templates", "No such file or directory", "file does not exist"];
/// What Rust says of a variable that there is not.
const OF_VARIABLES: [&str; 2] = ["environment variable not found", "NotPresent"];

/// What helps whoever fails with these words, if that is known.
pub fn hint(words: &str, grants: &Grants, call: Call) -> Option<String> {
    let is_of = |phrases: &[&str]| phrases.iter().any(|phrase| words.contains(phrase));
    if is_of(&OF_FILES) {
        // What it looked for is not known: another file than a template, perhaps.
        let denial = grants::no_templates(grants, call).map(|denial| denial.message);
        return match (call, words.contains(OF_FILES[0])) {
            (Call::Create, false) => {
                let why = denial.map_or_else(String::new, |denial| format!(" {denial}"));
                Some(format!("A component has no files but those in `/templates`.{why}"))
            }
            _ => denial,
        };
    }
    is_of(&OF_VARIABLES).then(|| {
        "A component has no environment: what it is to know are its settings (`runtime.setting`), and secrets are named in its requests.".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missed_is_known_by_what_is_said() {
        let hint = |words| hint(words, &Grants::default(), Call::Send);
        for words in [
            "The template cannot be read: No such file or directory (os error 44).",
            "open /templates/loft.txt: bad file descriptor",
        ] {
            assert!(hint(words).is_some_and(|hint| hint.contains("`create-notification`")), "{words}");
        }
        for words in ["environment variable not found", "called `Result::unwrap()` on an `Err` value: NotPresent"] {
            assert!(hint(words).is_some_and(|hint| hint.contains("`runtime.setting`")), "{words}");
        }
        assert_eq!(hint("The tower answered 503."), None);
    }
}
