//! Compiled components, kept on disk under a MAC.
//!
//! To load one runs what it holds, so only bytes that this engine wrote are taken: each file begins with an HMAC over the
//! component's digest, the compiler's fingerprint (version, settings, CPU features) and what follows: the compiled bytes, the manifest, and the manifest's
//! length. A component is asked for its manifest once, and is what it said then: its digest stands for that too.

use crate::clock::Clock;
use ring::hmac;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

const MAC: usize = 32;
/// How many bytes the manifest's length takes, at the end.
const LENGTH: usize = 4;
/// What is signed with every file, so that one of another form is not read.
const FORM: &[u8] = b"code, manifest, length";
const ENDING: &str = "cwasm";
/// The ending of one that is being written, and for how long it may be: who died then left it.
const DRAFT: &str = "draft";
const LONGEST_DRAFT: Duration = Duration::from_secs(3600);
/// How many are kept, and how many bytes of them.
const MOST_KEPT: usize = 256;
const MOST_BYTES: u64 = 2 << 30;

/// A component as it is kept.
#[derive(Debug, PartialEq, Eq)]
pub struct Kept {
    /// What it was compiled to.
    pub code: Vec<u8>,
    /// What it said of itself.
    pub manifest: String,
}

/// The folder of compiled components.
pub struct Cache {
    folder: PathBuf,
    key: hmac::Key,
    clock: Clock,
}

impl Cache {
    /// A cache in `folder`, which is made when it is first needed.
    pub fn new(folder: &Path, key: &[u8; 32], clock: Clock) -> Self {
        Cache { folder: folder.to_owned(), key: hmac::Key::new(hmac::HMAC_SHA256, key), clock }
    }

    fn file(&self, digest: &str, fingerprint: u64) -> PathBuf {
        self.folder.join(format!("{digest}-{fingerprint:016x}.{ENDING}"))
    }

    /// What is signed: all that the bytes depend on, and their digest.
    fn signed(digest: &str, fingerprint: u64, parts: &[&[u8]]) -> Vec<u8> {
        let mut of_parts = ring::digest::Context::new(&ring::digest::SHA256);
        parts.iter().for_each(|part| of_parts.update(part));
        [digest.as_bytes(), &fingerprint.to_be_bytes(), of_parts.finish().as_ref(), FORM].concat()
    }

    /// The component, if it is there and this engine's own; a file that is not is said and passed over.
    pub fn get(&self, digest: &str, fingerprint: u64) -> Option<Kept> {
        let file = self.file(digest, fingerprint);
        let bytes = match std::fs::read(&file) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == ErrorKind::NotFound => return None,
            Err(e) => {
                tracing::warn!(file = %file.display(), "a compiled component cannot be read, and is compiled anew: {e}");
                return None;
            }
        };
        let kept = self.read(digest, fingerprint, bytes);
        match &kept {
            // So that it is not among those that are forgotten. That this cannot be written changes nothing now.
            Some(_) => drop(std::fs::File::open(&file).and_then(|file| file.set_modified(self.clock.now().into()))),
            None => {
                tracing::warn!(file = %file.display(), "a compiled component was not written by this engine, and is compiled anew")
            }
        }
        kept
    }

    fn read(&self, digest: &str, fingerprint: u64, mut bytes: Vec<u8>) -> Option<Kept> {
        if bytes.len() < MAC + LENGTH {
            return None;
        }
        let mut code = bytes.split_off(MAC);
        hmac::verify(&self.key, &Self::signed(digest, fingerprint, &[&code]), &bytes).ok()?;
        let length = u32::from_le_bytes(code.split_off(code.len() - LENGTH).try_into().ok()?);
        let begin = code.len().checked_sub(usize::try_from(length).ok()?)?;
        let manifest = String::from_utf8(code.split_off(begin)).ok()?;
        Some(Kept { code, manifest })
    }

    /// Keeps a component. That it cannot be kept costs time at the next start and nothing else.
    pub fn put(&self, digest: &str, fingerprint: u64, Kept { code, manifest }: &Kept) {
        let write = || -> std::io::Result<()> {
            std::fs::create_dir_all(&self.folder)?;
            let length = u32::try_from(manifest.len()).map_err(std::io::Error::other)?.to_le_bytes();
            let parts = [code.as_slice(), manifest.as_bytes(), &length];
            let mut draft = tempfile::Builder::new().suffix(&format!(".{DRAFT}")).tempfile_in(&self.folder)?;
            draft.write_all(hmac::sign(&self.key, &Self::signed(digest, fingerprint, &parts)).as_ref())?;
            parts.iter().try_for_each(|part| draft.write_all(part))?;
            draft.persist(self.file(digest, fingerprint))?;
            self.forget()
        };
        if let Err(e) = write() {
            tracing::warn!(folder = %self.folder.display(), "a compiled component cannot be kept: {e}");
        }
    }

    /// Whether nobody writes a draft any more.
    fn is_left(&self, draft: &Path) -> bool {
        let written = draft.metadata().and_then(|known| known.modified());
        let age = |written| SystemTime::from(self.clock.now()).duration_since(written);
        written.is_ok_and(|written| age(written).is_ok_and(|age| age > LONGEST_DRAFT))
    }

    /// Takes those away that were not used for longest, where there are too many: what is installed again and again would fill the disk.
    fn forget(&self) -> std::io::Result<()> {
        let mut kept = Vec::new();
        for entry in std::fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == DRAFT) && self.is_left(&path) {
                std::fs::remove_file(path)?;
                continue;
            }
            if path.extension().is_some_and(|ending| ending == ENDING) {
                // Another engine may have taken it away meanwhile.
                kept.extend(path.metadata().and_then(|known| Ok((known.modified()?, known.len(), path))).ok());
            }
        }
        kept.sort_unstable_by(|one, other| other.cmp(one));
        let mut bytes = 0;
        for (place, (_, size, path)) in kept.into_iter().enumerate() {
            bytes += size;
            if place > 0 && (place >= MOST_KEPT || bytes > MOST_BYTES) {
                std::fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Kept {
        Kept { code: b"code".to_vec(), manifest: "{}".to_owned() }
    }

    #[test]
    fn those_not_used_for_longest_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path(), &[1; 32], Clock::system());
        std::fs::write(folder.path().join("another's"), "").unwrap();
        let drafts = ["old", "new"].map(|name| folder.path().join(format!("{name}.{DRAFT}")));
        drafts.iter().for_each(|draft| std::fs::write(draft, "").unwrap());
        let long_ago = SystemTime::from(cache.clock.now()) - 2 * LONGEST_DRAFT;
        std::fs::File::open(&drafts[0]).unwrap().set_modified(long_ago).unwrap();
        for number in 0..MOST_KEPT {
            cache.put(&format!("{number}"), 7, &some());
            let age = Duration::from_secs((MOST_KEPT - number) as u64);
            let file = std::fs::File::open(cache.file(&format!("{number}"), 7)).unwrap();
            file.set_modified(SystemTime::from(cache.clock.now()) - age).unwrap();
        }
        assert!(cache.get("0", 7).is_some(), "which makes it the newest");
        cache.put("new", 7, &some());
        let is_there = ["0", "1", "2", "new"].map(|digest| cache.get(digest, 7).is_some());
        assert_eq!(is_there, [true, false, true, true]);
        assert!(folder.path().join("another's").exists());
        assert_eq!(drafts.map(|draft| draft.exists()), [false, true], "what an engine was writing when it died goes");
    }

    #[test]
    fn only_its_own_bytes_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path(), &[1; 32], Clock::system());
        cache.put("digest", 7, &some());
        assert_eq!(cache.get("digest", 7), Some(some()));
        assert_eq!(cache.get("digest", 8), None);
        assert_eq!(Cache::new(folder.path(), &[2; 32], Clock::system()).get("digest", 7), None, "another engine's key");

        let file = cache.file("digest", 7);
        std::fs::copy(&file, cache.file("digest", 8)).unwrap();
        assert_eq!(cache.get("digest", 8), None, "moved to another name");
        let mut bytes = std::fs::read(&file).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&file, &bytes).unwrap();
        assert_eq!(cache.get("digest", 7), None, "tampered with");
        std::fs::write(&file, b"short").unwrap();
        assert_eq!(cache.get("digest", 7), None, "truncated");
    }
}
