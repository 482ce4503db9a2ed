//! The bytes of a component, as far as they are looked at before they are compiled: a component, or a sentence.

use crate::assert_sentence;
use engine::host::examine;
use engine::rules::imports::Import;

/// Takes bytes as a component's file.
pub fn check(bytes: &[u8]) {
    match examine(bytes) {
        Err(why) => assert_sentence(&why.to_string()),
        Ok(imports) => {
            assert!(bytes.starts_with(b"\0asm\x0d\0\x01\0"), "only a component is one");
            for name in imports {
                assert_sentence(&name);
                assert_sentence(Import::of(&name, true).words());
                // Sockets are refused, in whichever version and spelling.
                assert!(!name.starts_with("wasi:sockets/") || Import::of(&name, true) == Import::Refused, "{name}");
            }
        }
    }
}
