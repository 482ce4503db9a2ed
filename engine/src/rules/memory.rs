//! How much memory what others wrote takes, about: what is held at once is bounded by that, since ten thousand short texts are less than one long one.

use super::notification::Notification;
use super::user::User;
use serde_json::{Map, Value};

/// Bytes of a notification with its texts.
pub fn of_notification(notification: &Notification) -> usize {
    let Notification { title, body, extra, .. } = notification;
    size_of::<Notification>() + title.len() + body.len() + of_object(extra)
}

/// Bytes of a user with what is known of them.
pub fn of_user(user: &User) -> usize {
    let User { username, email, first_name, last_name, attributes, .. } = user;
    let texts = [username, email, first_name, last_name];
    size_of::<User>() + texts.iter().map(|text| text.len()).sum::<usize>() + of_object(attributes)
}

/// A list of numbers takes many times as much as its text. What was parsed has a bounded depth, so that this recursion has one.
fn of_object(object: &Map<String, Value>) -> usize {
    let member = |(name, value): (&String, &Value)| size_of::<String>() + name.len() + of_value(value);
    object.iter().map(member).sum()
}

fn of_value(value: &Value) -> usize {
    let inside = match value {
        Value::Array(values) => values.iter().map(of_value).sum(),
        Value::Object(members) => of_object(members),
        Value::String(text) => text.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    };
    size_of::<Value>() + inside
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_list_takes_more_than_its_text() {
        let list = json!({ "list": vec![0; 1000] });
        let taken = of_object(list.as_object().unwrap());
        assert!(taken > 1000 * size_of::<Value>() && taken < 1100 * size_of::<Value>(), "{taken}");
        let text = json!({ "text": "x".repeat(1000) });
        let taken = of_object(text.as_object().unwrap());
        assert!((1000..1100).contains(&taken), "{taken}");
    }
}
