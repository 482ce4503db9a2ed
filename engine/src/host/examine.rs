//! What can be told of a component's bytes without compiling them: whether they are a component.
//!
//! To compile strangers' bytes is the dearest thing that is done with them, so it is done last.

use super::modules::{ModuleError, one_line, refuse};
use crate::rules::budget::Limit;
use wasmparser::{BinaryReaderError, Parser, Payload, Validator, WasmFeatures};

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

/// Refuses more than so many bytes. How many more is not known: no more is read.
pub(super) fn check_size(bytes: &[u8], largest: usize) -> Result<(), ModuleError> {
    if bytes.len() > largest {
        let most = Limit::Memory.show(largest as u64);
        return refuse(format!(
            "It has more than {most}, the most by `sandbox.component`; strip its debug information."
        ));
    }
    Ok(())
}

/// What the first bytes tell.
pub(super) fn check_head(bytes: &[u8]) -> Result<(), ModuleError> {
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
        assert!(check_size(&[0; 11], 10).unwrap_err().0.contains("more than 10, the most"));
        assert!(check_size(&[0; 10], 10).is_ok());
    }
}
