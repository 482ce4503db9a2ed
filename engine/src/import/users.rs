//! Users from a file: CSV with a first line of column names, or a JSON object per line. Both are UTF-8.

use crate::rules::spelling::nearest;
use crate::rules::tenant::Tenant;
use crate::rules::user::UserUpdate;
use crate::store::{Store, StoreError, Upserted};
use csv::{ByteRecord, ReaderBuilder};
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::sync::Arc;
use uuid::Uuid;

/// The columns, and the members of each object. All but the first may be missing.
const COLUMNS: [&str; 7] = ["username", "email", "first_name", "last_name", "time_zone", "locale", "attributes"];
/// Users that are stored in one transaction.
const BATCH: usize = 500;

/// How the users are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Csv,
    JsonLines,
}

/// A line that no user can be made of, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// The first is 1; in a CSV file that is the line of column names.
    pub number: u64,
    pub why: String,
}

/// What came of an import.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub added: u64,
    pub changed: u64,
    pub unchanged: u64,
}

/// Told how many users have been stored.
pub type Progress<'a> = &'a mut dyn FnMut(u64);

type Lines = Box<dyn Iterator<Item = Result<UserUpdate, BadLine>>>;
/// With the number of the line.
type Numbered = Result<(u64, UserUpdate), BadLine>;

/// The users of a file, line by line; a name that an earlier line has is a bad line. An error concerns the file as a whole: it cannot be read, or its columns are not those of users.
pub fn read_users(file: impl Read + 'static, format: Format) -> Result<Lines, String> {
    match format {
        Format::Csv => Ok(Box::new(each_once(csv_lines(file)?))),
        Format::JsonLines => Ok(Box::new(each_once(json_lines(file)))),
    }
}

fn each_once(lines: impl Iterator<Item = Numbered>) -> impl Iterator<Item = Result<UserUpdate, BadLine>> {
    let mut first_lines = HashMap::new();
    lines.map(move |line| {
        let (number, user) = line?;
        match first_lines.entry(user.username.clone()) {
            Entry::Vacant(entry) => {
                entry.insert(number);
                Ok(user)
            }
            Entry::Occupied(first) => {
                let why = format!("{} is in line {} already: leave one of them out", user.username, first.get());
                Err(BadLine { number, why })
            }
        }
    })
}

/// Stores users, some hundred at a time, or all at once or none; those who are known are brought up to date.
pub async fn import_users(
    store: &Store,
    tenant: Tenant,
    users: Vec<UserUpdate>,
    all_or_nothing: bool,
    now: Timestamp,
    new_id: impl Fn() -> Uuid,
    progress: Progress<'_>,
) -> Result<Tally, StoreError> {
    let mut tally = Tally::default();
    let size = if all_or_nothing { users.len().max(1) } else { BATCH };
    let mut done = 0;
    let mut users = users.into_iter().map(|user| (new_id(), user)).peekable();
    while users.peek().is_some() {
        let batch: Vec<_> = users.by_ref().take(size).collect();
        for (upserted, _) in store.upsert_users(tenant, &batch, now).await? {
            match upserted {
                Upserted::Added => tally.added += 1,
                Upserted::Changed => tally.changed += 1,
                Upserted::Unchanged => tally.unchanged += 1,
            }
        }
        done += batch.len() as u64;
        progress(done);
    }
    Ok(tally)
}

fn csv_lines(mut file: impl Read) -> Result<impl Iterator<Item = Numbered>, String> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(|e| format!("The file cannot be read: {e}."))?;
    let bytes: Arc<[u8]> = bytes.into();
    let mut reader = ReaderBuilder::new().flexible(true).from_reader(Cursor::new(bytes.clone()));
    let names = reader.byte_headers().map_err(|e| format!("The file cannot be read: {e}."))?;
    let names: Vec<String> = names
        .iter()
        .map(|name| std::str::from_utf8(name).map(|name| name.trim().to_owned()))
        .collect::<Result<_, _>>()
        .map_err(|_| not_utf8())?;
    for (place, name) in names.iter().enumerate() {
        if !COLUMNS.contains(&name.as_str()) {
            return Err(unknown("column", name));
        }
        if names.iter().take(place).any(|earlier| earlier == name) {
            return Err(format!("The column `{name}` is there twice: leave one of them out."));
        }
    }
    if !names.iter().any(|name| name == "username") {
        return Err("There is no column `username`: the first line must name the columns, such as username,email,first_name,last_name,time_zone.".to_owned());
    }
    let mut lines = LineNumbers { bytes, place: 0, line: 1 };
    Ok(std::iter::from_fn(move || {
        let mut record = ByteRecord::new();
        let read = match reader.read_byte_record(&mut record) {
            Ok(false) => return None,
            Ok(true) => csv_user(&names, &record),
            Err(e) => Err(format!("it cannot be read ({e})")),
        };
        let number = lines.of(record.position().map_or(0, csv::Position::byte));
        Some(read.map(|user| (number, user)).map_err(|why| BadLine { number, why: why + &goes_on(&record, number) }))
    }))
}

/// The numbers of a file's lines as people count them; those of the reader are others where a line ends in CR and LF, or is empty.
struct LineNumbers {
    bytes: Arc<[u8]>,
    place: usize,
    /// Of `place`.
    line: u64,
}

impl LineNumbers {
    /// The line of what begins at or after a place, which is not before the last one.
    fn of(&mut self, place: u64) -> u64 {
        let place = usize::try_from(place).unwrap_or(usize::MAX).min(self.bytes.len());
        let breaks = self.bytes[place..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let begin = place + breaks;
        let passed = self.bytes.get(self.place..begin).unwrap_or_default();
        self.line += passed.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.place = self.place.max(begin);
        self.line
    }
}

/// A quote that is not closed takes the lines below into its field, and they must not be lost unseen.
fn goes_on(record: &ByteRecord, number: u64) -> String {
    match record.iter().flatten().filter(|byte| **byte == b'\n').count() {
        0 => String::new(),
        breaks => format!("; its quoted text goes on to line {}", number + breaks as u64),
    }
}

fn csv_user(names: &[String], record: &ByteRecord) -> Result<UserUpdate, String> {
    if record.len() != names.len() {
        return Err(format!("it has {} fields, and the first line names {}", record.len(), names.len()));
    }
    let mut members = Map::new();
    for (name, field) in names.iter().zip(record) {
        let text =
            std::str::from_utf8(field).map_err(|_| format!("its {name} is not UTF-8: save the file as UTF-8"))?;
        if name != "attributes" && text.contains(['\r', '\n']) {
            return Err(format!("its {name} holds a line break; write it on one line"));
        }
        let value = match name.as_str() {
            "attributes" if text.trim().is_empty() => continue,
            "attributes" => serde_json::from_str(text).map_err(|e| format!("its attributes are not JSON ({e})"))?,
            _ => Value::from(text.trim()),
        };
        members.insert(name.clone(), value);
    }
    user(members)
}

fn json_lines(file: impl Read + 'static) -> impl Iterator<Item = Numbered> {
    let mut is_broken = false;
    // A file that cannot be read any more gives the same error for ever.
    let lines =
        BufReader::new(file).split(b'\n').take_while(move |line| !std::mem::replace(&mut is_broken, line.is_err()));
    lines.zip(1..).filter_map(|(line, number)| {
        let read = line.map_err(|e| format!("it cannot be read ({e})")).and_then(|line| {
            let text = std::str::from_utf8(&line).map_err(|_| "it is not UTF-8: save the file as UTF-8".to_owned())?;
            let text = text.trim_start_matches('\u{feff}').trim();
            if text.is_empty() {
                return Ok(None);
            }
            match serde_json::from_str(text) {
                Ok(Value::Object(members)) => user(members).map(|user| Some((number, user))),
                Ok(_) => Err("it is not a JSON object".to_owned()),
                Err(e) => Err(format!("it is not JSON ({e})")),
            }
        });
        read.map_err(|why| BadLine { number, why }).transpose()
    })
}

/// A user as they would be if they were new, which is when most is asked of them.
fn user(mut members: Map<String, Value>) -> Result<UserUpdate, String> {
    let mut text = |name: &str| match members.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.trim().to_owned())),
        Some(_) => Err(format!("its {name} must be a text")),
    };
    let update = UserUpdate {
        username: text("username")?.unwrap_or_default(),
        email: text("email")?,
        first_name: text("first_name")?,
        last_name: text("last_name")?,
        time_zone: text("time_zone")?,
        locale: text("locale")?,
        attributes: match members.remove("attributes") {
            None | Some(Value::Null) => None,
            Some(Value::Object(attributes)) => Some(attributes),
            Some(_) => return Err("its attributes must be a JSON object".to_owned()),
        },
    };
    if let Some(name) = members.keys().next() {
        return Err(unknown("member", name));
    }
    update.apply(None, Uuid::nil()).check().map_err(|invalid| invalid.to_string())?;
    Ok(update)
}

fn unknown(kind: &str, name: &str) -> String {
    match nearest(name, COLUMNS.into_iter()) {
        Some(near) => format!("There is no {kind} `{name}` of users; did you mean `{near}`?"),
        None => format!("There is no {kind} `{name}` of users; there are {}.", COLUMNS.join(", ")),
    }
}

fn not_utf8() -> String {
    "The file is not UTF-8: save it as UTF-8.".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    type Read = (Vec<UserUpdate>, Vec<BadLine>);

    fn read(text: &[u8], format: Format) -> Result<Read, String> {
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        for line in read_users(Cursor::new(text.to_vec()), format)? {
            match line {
                Ok(user) => good.push(user),
                Err(line) => bad.push(line),
            }
        }
        Ok((good, bad))
    }

    fn csv(text: &str) -> Read {
        read(text.as_bytes(), Format::Csv).unwrap()
    }

    #[test]
    fn columns_in_any_order_and_quoted_fields() {
        let (good, bad) = csv(
            "\u{feff}email,username,attributes\r\nada@example.org,ada,\"{\"\"team\"\": \"\"x,y\"\"}\"\r\n,bob,\r\n",
        );
        assert_eq!(bad, []);
        assert_eq!(good[0].email.as_deref(), Some("ada@example.org"));
        assert_eq!(good[0].attributes.as_ref().unwrap()["team"], "x,y");
        assert_eq!(
            (good[1].username.as_str(), good[1].email.as_deref(), &good[1].attributes),
            ("bob", Some(""), &None)
        );
        assert_eq!(good[1].first_name, None, "a column that is not there changes nothing");
    }

    #[test]
    fn bad_lines_are_told_by_number_and_the_others_are_kept() {
        let (good, bad) = csv("username,time_zone\nada,Europe/London\n,UTC\nbob,Mars\ncy,UTC,x\ndee,\n");
        assert_eq!(good.iter().map(|user| user.username.as_str()).collect::<Vec<_>>(), ["ada", "dee"]);
        assert_eq!(bad.iter().map(|line| line.number).collect::<Vec<_>>(), [3, 4, 5]);
        assert!(bad[1].why.contains("`Mars` is not a time zone"), "{}", bad[1].why);
        assert!(bad[2].why.contains("3 fields"), "{}", bad[2].why);
    }

    #[test]
    fn a_quote_that_is_not_closed_is_told_with_all_that_it_takes() {
        let (good, bad) = csv("username,email\nada,ada@example.org\nbob,\"bob@example.org\ncy,cy@example.org\n");
        assert_eq!((good.len(), bad.len(), bad[0].number), (1, 1, 3));
        assert!(bad[0].why.contains("its quoted text goes on to line 5"), "{}", bad[0].why);
        let (good, bad) = csv("username,first_name\nbob,\"\ncy,Cy\n");
        assert_eq!((good.len(), bad.len()), (0, 1));
        // Closed by a later line's quote: the field holds line breaks.
        let (good, bad) = csv("username,email\nbob,\"b\ncy,c\ndee,\"\neva,e@example.org\n");
        assert_eq!((good.len(), bad.len(), bad[0].number), (1, 1, 2));
        assert!(bad[0].why.contains("line break") && bad[0].why.contains("to line 4"), "{}", bad[0].why);
    }

    #[test]
    fn lines_are_counted_as_people_do() {
        for text in
            ["username,email\nok,\n\nb1,xx\n\n\nb2,xx\n", "username,email\r\nok,\r\n\r\nb1,xx\r\n\r\n\r\nb2,xx\r\n"]
        {
            let (good, bad) = csv(text);
            assert_eq!(
                (good.len(), bad.iter().map(|line| line.number).collect::<Vec<_>>()),
                (1, vec![4, 7]),
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_name_is_taken_once() {
        let (good, bad) = csv("username,first_name\nada,Ada\nbob,Bob\nada,Eve\n");
        assert_eq!((good.len(), good[0].first_name.as_deref(), bad[0].number), (2, Some("Ada"), 4));
        assert!(bad[0].why.contains("in line 2 already"), "{}", bad[0].why);
    }

    #[test]
    fn files_that_are_none() {
        for (text, part) in [
            (&b"user_name,email\nada,x\n"[..], "did you mean `username`"),
            (b"email\nx\n", "no column `username`"),
            (b"username,username\n", "twice"),
            (b"", "no column `username`"),
            (b"username,n\xe4me\n", "not UTF-8"),
            ("username\nada\n".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>().as_slice(), ""),
        ] {
            let why = read(text, Format::Csv).unwrap_err();
            assert!(why.contains(part), "{why}");
        }
        let (good, bad) = read(b"username,first_name\nada,Ad\xe4\nbob,Bob\n", Format::Csv).unwrap();
        assert_eq!((good.len(), bad[0].number), (1, 2));
        assert!(bad[0].why.contains("save the file as UTF-8"), "{}", bad[0].why);
    }

    #[test]
    fn json_lines_say_the_same() {
        let text = "\u{feff}{\"username\": \"ada\", \"attributes\": {\"a\": 1}}\n\n{\"username\": 7}\n[]\n{\n{\"username\": \"bob\", \"mail\": \"x\"}\n";
        let (good, bad) = read(text.as_bytes(), Format::JsonLines).unwrap();
        assert_eq!(good.len(), 1);
        assert_eq!(bad.iter().map(|line| line.number).collect::<Vec<_>>(), [3, 4, 5, 6]);
        assert!(bad[3].why.contains("did you mean `email`"), "{}", bad[3].why);
    }
}
