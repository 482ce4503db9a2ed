//! What can be told of a component's bytes without compiling them: whether they are a component.
//!
//! To compile strangers' bytes is the dearest thing that is done with them, so it is done last.

use super::modules::{ModuleError, one_line, refuse};
use wasmparser::{BinaryReaderError, Parser, Payload, Validator, WasmFeatures};

/// The largest component.
pub(super) const LARGEST: usize = 32 * 1024 * 1024;

/// Examines bytes that need not be trusted, in time that grows with their number. The names of what the component imports; the error is a
/// sentence for its author. What this engine's own configuration excludes is found when it is compiled.
pub fn examine(bytes: &[u8]) -> Result<Vec<String>, ModuleError> {
    check_head(bytes)?;
    Validator::new_with_features(WasmFeatures::all()).validate_all(bytes).map_err(|e| invalid(&e))?;
    let (mut imports, mut depth) = (Vec::new(), 0_u32);
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(|e| invalid(&e))? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            // The end of the whole has no beginning that was counted.
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    imports.push(import.map_err(|e| invalid(&e))?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(imports)
}

/// What the first bytes tell, and how many there are.
pub(super) fn check_head(bytes: &[u8]) -> Result<(), ModuleError> {
    if bytes.len() > LARGEST {
        // How much more is not known: no more is read.
        return refuse(format!("It has more than {} MiB, the most; strip its debug information.", LARGEST >> 20));
    }
    match bytes {
        [0, b'a', b's', b'm', 0x0d, 0, 1, 0, ..] => Ok(()),
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => {
            refuse("It is a core module, not a component; build it for the target wasm32-wasip2.")
        }
        [0x7f, b'E', b'L', b'F', ..] => {
            refuse("It is compiled machine code, which is never loaded; give the engine the component itself.")
        }
        [] => refuse("It is empty; build it anew."),
        _ => refuse("It is not a WebAssembly component; build it for the target wasm32-wasip2."),
    }
}

fn invalid(error: &BinaryReaderError) -> ModuleError {
    ModuleError(format!("It is not a valid component ({}); build it anew.", one_line(&error.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_component_is_told_apart() {
        for (bytes, part) in [
            (&b""[..], "empty"),
            (b"\0asm\x01\0\0\0", "core module"),
            (b"\x7fELF....", "machine code"),
            (b"(component)", "not a WebAssembly component"),
            (b"\0asm\x0a\0\x01\0", "not a WebAssembly component"),
            (b"\0asm\x0d\0\x01\0\x01", "not a valid component"),
        ] {
            assert!(examine(bytes).unwrap_err().0.contains(part), "{part}");
        }
        assert!(examine(b"\0asm\x0d\0\x01\0").unwrap().is_empty());
        assert!(examine(&vec![0; LARGEST + 1]).unwrap_err().0.contains("strip its debug"));
    }
}
