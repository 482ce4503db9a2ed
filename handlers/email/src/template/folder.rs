//! The folder of templates. It is read through the ordinary file system, which in a component holds nothing else.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use guest_sdk::Failure;
use minijinja::Error;

use super::{failure, name};

/// The most bytes of all templates that one rendering reads: it bounds the time that compiling them takes.
pub const LARGEST: usize = 256 * 1024;

/// A folder that is there.
pub struct Folder(PathBuf);

impl Folder {
    /// The folder at this path.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        if !path.is_dir() {
            return Err(Failure::new(
                "no_templates",
                "This target has no folder of templates: set `templates` under [target.email], or pass the text as `body`.",
            ));
        }
        Ok(Self(path.to_owned()))
    }

    /// Whether something has this name. One that cannot be read has it too, so that reading tells why.
    pub fn has(&self, name: &str) -> bool {
        fs::metadata(self.0.join(name)).map_or_else(|error| error.kind() != ErrorKind::NotFound, |_| true)
    }

    /// Reads templates for one rendering, which together have at most [`LARGEST`] bytes. A name that cannot be one's is
    /// an error even where a template says `ignore missing`.
    pub fn loader(&self) -> impl Fn(&str) -> Result<Option<String>, Error> + Send + Sync + 'static {
        let folder = self.0.clone();
        let room = AtomicUsize::new(LARGEST);
        move |name| {
            let read = name::check(name).and_then(|_| read(&folder.join(name), name, room.load(Ordering::Relaxed)));
            if let Ok(Some(source)) = &read {
                room.fetch_sub(source.len(), Ordering::Relaxed);
            }
            read.map_err(failure::refusal)
        }
    }
}

/// The text of a file of at most `room` bytes; `None` if there is none.
fn read(path: &Path, name: &str, room: usize) -> Result<Option<String>, Failure> {
    let unreadable =
        |why: &str| Failure::new("template_unreadable", format!("The template {name} cannot be read: {why}."));
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        metadata => metadata.map_err(|error| unreadable(&error.to_string()))?,
    };
    // To open a pipe would be to wait for its other end.
    if !metadata.is_file() {
        return Err(unreadable("it is not a file"));
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(room as u64 + 1).read_to_end(&mut bytes))
        .map_err(|error| unreadable(&error.to_string()))?;
    if bytes.len() > room {
        return Err(Failure::new(
            "template_too_large",
            format!(
                "With the template {name} this mail takes templates of more than {} KiB: shorten them.",
                LARGEST / 1024
            ),
        ));
    }
    String::from_utf8(bytes).map(Some).map_err(|_| unreadable("it is not UTF-8"))
}
