//! The engine's own key: what it signs, such as compiled components, it alone can have written.

use super::SettingsError;
use crate::rules::sealed::SecretKey;
use ring::{hkdf, rand::SecureRandom};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

const LENGTH: usize = 32;
/// How much of a file is read that should hold a key.
const LONGEST: u64 = 1024;

/// 32 random bytes, kept as hexadecimal text in a file that only its owner can read.
#[derive(Clone)]
pub struct EngineKey([u8; LENGTH]);

impl std::fmt::Debug for EngineKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EngineKey(…)")
    }
}

impl EngineKey {
    /// Reads a key's file.
    pub fn read(file: &Path) -> Result<Self, SettingsError> {
        let mut text = String::new();
        // More than that is none, and could be without end.
        let read = std::fs::File::open(file).and_then(|file| file.take(LONGEST).read_to_string(&mut text));
        read.map_err(|e| SettingsError::new(format!(
                "The engine's key {} cannot be read: {e}. (Where no secret has been set yet, `openssl rand -hex 32` makes a key.)",
                file.display()
            )))?;
        decode(text.trim()).map(EngineKey).ok_or_else(|| {
            SettingsError::new(format!(
                "The engine's key {} must hold 64 hexadecimal digits, and does not: put the right file there. (Where no secret has been set yet, `openssl rand -hex 32` makes a key.)",
                file.display()
            ))
        })
    }

    /// Reads a key's file, or makes it. Two engines that start at once end with the same key.
    pub fn read_or_make(file: &Path) -> Result<Self, SettingsError> {
        let cannot = |e: &dyn std::fmt::Display| {
            SettingsError::new(format!("The engine's key {} cannot be made: {e}.", file.display()))
        };
        if file.exists() {
            warn_of_others(file);
            return Self::read(file);
        }
        let mut key = [0; LENGTH];
        ring::rand::SystemRandom::new().fill(&mut key).map_err(|e| cannot(&e))?;
        let text: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        // Written beside and linked into place, so that nobody ever reads half a key; the first to link wins.
        let folder = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut draft = tempfile::NamedTempFile::new_in(folder).map_err(|e| cannot(&e))?;
        draft.write_all(text.as_bytes()).and_then(|()| draft.as_file().sync_all()).map_err(|e| cannot(&e))?;
        match draft.persist_noclobber(file) {
            Ok(_) => {
                tracing::info!(file = %file.display(), "the engine's key is made: secrets can be read with it alone, so keep a copy");
                Ok(EngineKey(key))
            }
            Err(e) if e.error.kind() == ErrorKind::AlreadyExists => Self::read(file),
            Err(e) => Err(cannot(&e.error)),
        }
    }

    /// The key that encrypts secrets at rest, with an id by which it is known again.
    pub fn secret_key(&self) -> SecretKey {
        let id = self.derive("the id of the key for secrets");
        let id = id[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        SecretKey::new(id, self.derive("secrets at rest"))
    }

    /// A key for one purpose, from which this one cannot be told.
    pub fn derive(&self, purpose: &str) -> [u8; LENGTH] {
        let mut derived = [0; LENGTH];
        let info = [purpose.as_bytes()];
        let filled = hkdf::Salt::new(hkdf::HKDF_SHA256, b"notification-engine")
            .extract(&self.0)
            .expand(&info, hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(&mut derived));
        debug_assert!(filled.is_ok(), "HKDF refuses lengths over 255 blocks only");
        derived
    }
}

/// A key that others can read lets them read the secrets of a copied database.
#[cfg(unix)]
fn warn_of_others(file: &Path) {
    use std::os::unix::fs::PermissionsExt;
    if file.metadata().is_ok_and(|known| known.permissions().mode() & 0o077 != 0) {
        let file = file.display();
        tracing::warn!(%file, "the engine's key can be read by others than its owner: `chmod 600` it");
    }
}

#[cfg(not(unix))]
fn warn_of_others(_: &Path) {}

fn decode(text: &str) -> Option<[u8; LENGTH]> {
    if text.len() != 2 * LENGTH || !text.is_ascii() {
        return None;
    }
    let mut key = [0; LENGTH];
    for (i, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_is_made_once_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("engine.key");
        let first = EngineKey::read_or_make(&file).unwrap();
        let second = EngineKey::read_or_make(&file).unwrap();
        assert_eq!(first.0, second.0);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_ne!(first.derive("a"), first.derive("b"));
        assert_eq!(first.derive("a"), second.derive("a"));
    }

    #[test]
    fn a_file_that_is_no_key_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("engine.key");
        std::fs::write(&file, "hello").unwrap();
        assert!(EngineKey::read_or_make(&file).unwrap_err().to_string().contains("64 hexadecimal digits"));
        assert!(EngineKey::read(Path::new("/nonexistent")).unwrap_err().to_string().contains("cannot be read"));
        for endless in ["/dev/zero", "/dev/urandom"] {
            assert!(EngineKey::read(Path::new(endless)).is_err(), "{endless}");
        }
    }
}
