//! Guest programs that no language would make: `guests/text/NAME.wat`, in WebAssembly's own text.
//!
//! A file that begins a `(component` is one as it stands. Any other holds the fields of a core module, which is completed to a
//! target that delivers, and made a component. `NAME.wit` beside it says of which world it is, if not of the contract's `target`.

use crate::named::texts;
use std::fs;
use std::path::Path;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{PackageId, Resolve};

/// What a core module needs to be a target, each with the word by which a file shows that it brings its own.
///
/// Values lie where memory begins: an outcome that is `delivered` without words is 32 bytes of zero, as is an empty draft list.
const USUAL: [(&str, &str); 7] = [
    (r#"(export "memory")"#, r#"(memory (export "memory") 4)"#),
    (
        "cabi_realloc",
        r#"(global $free (mut i32) (i32.const 65536))
           (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
             (local $at i32)
             (local.set $at (i32.and (i32.add (global.get $free) (i32.const 15)) (i32.const -16)))
             (global.set $free (i32.add (local.get $at) (local.get 3)))
             (local.get $at))"#,
    ),
    (
        r#"(data $manifest"#,
        r#"(data $manifest (i32.const 1024) "{\"name\":\"Text\",\"version\":\"1.0.0\",\"summary\":\"A program for tests.\",\"address\":{\"title\":\"Anything\",\"example\":\"anything\"}}")"#,
    ),
    (
        "\"notification:engine/notification-target@0.1.0#describe\"",
        r#"(data (i32.const 1000) "\00\04\00\00\76\00\00\00")
           (func (export "notification:engine/notification-target@0.1.0#describe") (result i32) (i32.const 1000))"#,
    ),
    (
        "\"notification:engine/notification-target@0.1.0#check-address\"",
        r#"(func (export "notification:engine/notification-target@0.1.0#check-address") (param i32 i32) (result i32)
             (i32.store (i32.const 900) (i32.const 0))
             (i32.store (i32.const 904) (local.get 0))
             (i32.store (i32.const 908) (local.get 1))
             (i32.const 900))"#,
    ),
    (
        "\"notification:engine/notification-target@0.1.0#create-notification\"",
        r#"(func (export "notification:engine/notification-target@0.1.0#create-notification") (param i32) (result i32)
             (unreachable))"#,
    ),
    (
        "\"notification:engine/notification-target@0.1.0#send-notifications\"",
        r#"(data (i32.const 800) "\00\00\00\00\01\00\00\00")
           (func (export "notification:engine/notification-target@0.1.0#send-notifications") (param i32 i32) (result i32)
             (i32.const 800))"#,
    ),
];

/// Makes a component of each file in `from`, into `folder`.
pub fn build(wit: &Path, from: &Path, folder: &Path) -> Result<(), String> {
    let mut contract = Resolve::default();
    let (package, _) = contract.push_dir(wit).map_err(|e| format!("{} cannot be read: {e:#}.", wit.display()))?;
    for (name, text) in texts(from, &["wat"])? {
        let world = fs::read_to_string(from.join(&name).with_extension("wit")).ok();
        let component = component(&contract, package, &text, world.as_deref())
            .map_err(|why| format!("tests/guests/text/{name}.wat cannot be made a component: {why}."))?;
        let file = folder.join(&name).with_extension("wasm");
        fs::write(&file, component).map_err(|e| format!("{} cannot be written: {e}.", file.display()))?;
    }
    Ok(())
}

fn component(contract: &Resolve, package: PackageId, text: &str, world: Option<&str>) -> Result<Vec<u8>, String> {
    let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with(";;")).collect();
    let code = code.join("\n");
    if code.trim_start().starts_with("(component") {
        return wat::parse_str(&code).map_err(|e| e.to_string());
    }
    let usual: Vec<&str> = USUAL.iter().filter(|(word, _)| !code.contains(word)).map(|(_, field)| *field).collect();
    let module = format!("(module\n{code}\n{}\n)", usual.join("\n"));

    let (mut resolve, mut package, mut named) = (contract.clone(), package, "target");
    if let Some(world) = world {
        package = resolve.push_str("world.wit", world).map_err(|e| format!("{e:#}"))?;
        named = "hostile";
    }
    let world = resolve.select_world(&[package], Some(named)).map_err(|e| format!("{e:#}"))?;
    let mut core = wat::parse_str(&module).map_err(|e| e.to_string())?;
    embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8).map_err(|e| format!("{e:#}"))?;
    let mut encoder = ComponentEncoder::default();
    encoder.module(&core).and_then(|encoder| encoder.encode()).map_err(|e| format!("{e:#}"))
}
