//! Files that are no component, or no target, and compiled forms that this engine did not make.

use super::arena::{Arena, Cases, case};
use crate::support::engine::TestEngine;
use crate::support::program::{binary, compiler_after};
use crate::support::{folder_with, guest};
use engine::clock::Clock;
use engine::host::{Catalog, Compiler, Host};
use engine::rules::tenant::Tenant;
use engine::targets::{self, Wish};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// What a file that is put where a component is looked for must lead to.
async fn installed(put: impl FnOnce(&Path)) -> Arena {
    let folder = folder_with(&["noop"]);
    put(&folder.path().join("hostile.wasm"));
    // The folder has to be there as long as the engine looks.
    let folder = folder.keep();
    Arena::started("hostile", TestEngine::builder().targets_in(&folder)).await
}

#[tokio::test]
async fn files_that_are_no_component() {
    let noop = fs::read(guest("noop")).unwrap();
    let written = |bytes: &[u8]| {
        let bytes = bytes.to_vec();
        Box::new(move |path: &Path| fs::write(path, bytes).unwrap()) as Box<dyn FnOnce(&Path)>
    };
    let mut flipped = noop.clone();
    for at in (100..flipped.len()).step_by(97) {
        flipped[at] ^= 0x55;
    }
    let elf = fs::read(std::env::current_exe().unwrap()).unwrap()[..4096].to_vec();
    let compiled = precompiled().await;
    let huge = |path: &Path| fs::File::create(path).unwrap().set_len(10 << 30).unwrap();
    let mut cases = Cases::default();
    for (name, put, part) in [
        (case("a_core_module"), written(b"\0asm\x01\0\0\0"), "It is a core module"),
        (case("a_program"), written(&elf), "compiled machine code"),
        (case("a_precompiled_component"), written(&compiled), "compiled machine code"),
        (case("text"), written(b"(component)"), "not a WebAssembly component"),
        (case("nothing"), written(b""), "It is empty"),
        (case("a_script"), written(b"#!/bin/sh\nrm -rf /\n"), "not a WebAssembly component"),
        (case("a_head_alone"), written(b"\0asm\x0d\0\x01\0"), "it is not a target"),
        (case("half_a_component"), written(&noop[..noop.len() / 2]), "not a valid component"),
        (case("one_without_its_last_byte"), written(&noop[..noop.len() - 1]), "not a valid component"),
        (case("one_with_more_behind_it"), written(&[noop.as_slice(), &[0xff; 100]].concat()), "not a valid component"),
        (case("one_with_bytes_changed"), written(&flipped), ""),
        (case("another_layer"), written(b"\0asm\x0a\0\x01\0"), "not a WebAssembly component"),
        (case("zeros"), written(&[0; 4096]), "not a WebAssembly component"),
        (case("ten_gigabytes"), Box::new(huge) as Box<dyn FnOnce(&Path)>, "more than 32MiB"),
        (case("a_folder"), Box::new(|path: &Path| fs::create_dir(path).unwrap()), "it is no file"),
        (
            case("a_link_out_of_the_folder"),
            Box::new(|path: &Path| std::os::unix::fs::symlink("/etc/passwd", path).unwrap()),
            "cannot be read",
        ),
        (case("a_pipe"), Box::new(|path: &Path| assert!(make_pipe(path))), "it is no file"),
        (
            case("a_device"),
            Box::new(|path: &Path| std::os::unix::fs::symlink("/dev/zero", path).unwrap()),
            "cannot be read",
        ),
    ] {
        let arena = installed(put).await;
        let error = arena.engine.catalog.get("hostile").await.unwrap_err().to_string();
        cases.check(name, error.contains(part) && !error.contains('\n'), error);
        arena.serves().await;
    }
}

fn make_pipe(path: &Path) -> bool {
    std::process::Command::new("mkfifo").arg(path).status().is_ok_and(|status| status.success())
}

/// A compiled form as an engine keeps it, without what shows whose it is.
async fn precompiled() -> Vec<u8> {
    let arena = Arena::of("noop").await;
    arena.serves().await;
    let file = fs::read_dir(arena.engine.settings.cache()).unwrap().next().unwrap().unwrap().path();
    fs::read(file).unwrap().split_off(32)
}

/// A module's name leads to a file of a folder, and nowhere else.
#[tokio::test]
async fn names_that_lead_elsewhere() {
    let arena = Arena::of("noop").await;
    let mut cases = Cases::default();
    for (name, module) in [
        (case("a_path"), "../noop"),
        (case("an_absolute_path"), "/etc/passwd"),
        (case("a_null"), "noop\0"),
        (case("a_dot"), "."),
        (case("nothing"), ""),
        (case("capitals"), "NOOP"),
        (case("an_ending"), "noop.wasm"),
        (case("letters_without_end"), &"a".repeat(100_000)),
    ] {
        let error = arena.engine.catalog.get(module).await.unwrap_err().to_string();
        cases.check(name, error.len() < 1000 && !error.contains("root:"), error);
    }
    arena.serves().await;
}

#[tokio::test]
async fn other_version() {
    Arena::of("other_version").await.is_refused("notification-target@0.2.0, and this engine speaks").await;
}

#[tokio::test]
async fn empty_target() {
    Arena::of("empty_target").await.is_refused("is not that of notification:engine@0.1.0").await;
}

#[tokio::test]
async fn not_a_target() {
    Arena::of("not_a_target").await.is_refused("it is not a target").await;
}

/// What cannot be used takes no place on the disk, and drives nothing out that can.
#[tokio::test]
async fn to_fill_the_cache_with_what_is_refused() {
    let arena = Arena::of("not_a_target").await;
    arena.is_refused("it is not a target").await;
    let kept: Vec<_> = fs::read_dir(arena.engine.settings.cache()).unwrap().map(|entry| entry.unwrap()).collect();
    assert_eq!(kept.len(), 1, "the honest target's alone: {kept:?}");
}

#[tokio::test]
async fn import_of_another_world() {
    Arena::of("import_of_another_world").await.is_refused("which this engine does not have").await;
}

#[tokio::test]
async fn import_of_a_module() {
    Arena::of("import_of_a_module").await.is_refused("it is not a target").await;
}

#[tokio::test]
async fn coloured_import() {
    Arena::of("coloured_import").await.is_refused("not a valid component").await;
}

#[tokio::test]
async fn many_instances() {
    Arena::of("many_instances").await.is_refused("It wants more than this engine allows").await;
}

#[tokio::test]
async fn memory64() {
    Arena::of("memory64").await.is_refused("memory64").await;
}

#[tokio::test]
async fn shared_memory() {
    Arena::of("shared_memory").await.is_refused("not a valid component").await;
}

#[tokio::test]
async fn gc_types() {
    Arena::of("gc_types").await.is_refused("not a valid component").await;
}

/// What the compiler made is loaded only if this engine wrote it, for this component; anything else is compiled anew.
#[tokio::test]
async fn a_tampered_cache() {
    let arena = Arena::of("noop").await;
    arena.serves().await;
    let cache = arena.engine.settings.cache();
    let (key, component) = (arena.engine.settings.engine_key().unwrap(), fs::read(guest("noop")).unwrap());
    let file = fs::read_dir(&cache).unwrap().next().unwrap().unwrap().path();
    let good = fs::read(&file).unwrap();
    let other = {
        let other = Arena::of("outcome").await;
        other.serves().await;
        let newest = fs::read_dir(other.engine.settings.cache()).unwrap().next().unwrap().unwrap().path();
        fs::read(newest).unwrap()
    };
    let flipped = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    let mut cases = Cases::default();
    for (name, bytes) in [
        (case("in_its_mac"), flipped(0)),
        (case("at_its_beginning"), flipped(32)),
        (case("in_the_middle"), flipped(good.len() / 2)),
        (case("at_its_end"), flipped(good.len() - 1)),
        (case("cut_off"), good[..good.len() / 2].to_vec()),
        (case("longer"), [good.as_slice(), b"x"].concat()),
        (case("empty"), Vec::new()),
        (case("without_a_mac"), good[32..].to_vec()),
        (case("of_another_engine"), other),
    ] {
        fs::write(&file, &bytes).unwrap();
        let host = Host::new(&arena.engine.settings.sandbox, &cache, &key, Clock::system()).unwrap();
        let loaded = host.load("noop", &component).await;
        cases.check(name, loaded.is_ok() && fs::read(&file).unwrap() != bytes, loaded);
    }
    arena.serves().await;
}

/// A component of one function, which repeats these instructions.
fn long_function(instructions: &[u8], times: usize) -> Vec<u8> {
    let body = [&[0], instructions.repeat(times).as_slice(), b"\x20\x00\x0b"].concat();
    let functions = [&[1], leb(body.len()).as_slice(), &body].concat();
    let of_i32 = b"\x01\x60\x01\x7f\x01\x7f";
    let module = [b"\0asm\x01\0\0\0".to_vec(), section(1, of_i32), section(3, b"\x01\0"), section(10, &functions)];
    [b"\0asm\x0d\0\x01\0".to_vec(), section(1, &module.concat())].concat()
}

fn section(id: u8, content: &[u8]) -> Vec<u8> {
    [&[id], leb(content.len()).as_slice(), content].concat()
}

fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// `block (br_if 0 (local.get 0)) (local.set 0 (i32.add (local.get 0) (i32.const 1))) end`
const BLOCK: &[u8] = b"\x02\x40\x20\0\x0d\0\x20\0\x41\x01\x6a\x21\0\x0b";
/// `(local.set 0 (call 0 (local.get 0)))`
const CALL: &[u8] = b"\x20\0\x10\0\x21\0";

/// What an engine says of a component that it has compiled by this.
async fn compiled(program: PathBuf, settings: &str, bytes: &[u8]) -> String {
    let arena = Arena::with("noop", settings).await;
    let compiler = Compiler::apart(&arena.engine.settings.sandbox, program);
    let key = arena.engine.settings.engine_key().unwrap();
    let host =
        Host::new(&arena.engine.settings.sandbox, &arena.engine.settings.cache(), &key, Clock::system()).unwrap();
    let loaded = host.compiled_by(compiler).load("hostile", bytes).await;
    arena.serves().await;
    loaded.unwrap_err().to_string()
}

/// Four megabytes that take the compiler minutes.
#[tokio::test]
async fn compiling_without_end() {
    let folder = tempfile::tempdir().unwrap();
    let number = folder.path().join("number");
    let program = compiler_after(folder.path(), &format!("echo $$ > {}", number.display()));
    let began = Instant::now();
    let error = compiled(program, "[sandbox]\ncompile_time = '1500ms'\n", &long_function(BLOCK, 300_000)).await;
    assert!(error.contains("It took more than 1.5s to compile"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    let process = Path::new("/proc").join(fs::read_to_string(number).unwrap().trim());
    for _ in 0..100 {
        if !process.exists() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{} still compiles", process.display());
}

/// Four megabytes for which the compiler wants gigabytes.
#[tokio::test]
async fn compiling_in_all_memory() {
    let error = compiled(binary(), "", &long_function(CALL, 700_000)).await;
    assert!(error.contains("It took more than 2048 MiB of memory to compile"), "{error}");
}

/// Should the compiler do what a component wants, there is nothing around it that is worth having.
#[tokio::test]
async fn what_compiles_knows_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let seen = folder.path().join("seen");
    let script = format!("(env; echo in $(pwd); ls -l /proc/$$/fd) > {}", seen.display());
    let program = compiler_after(folder.path(), &script);
    compiled(program, "", &long_function(CALL, 1)).await;
    let seen = fs::read_to_string(seen).unwrap();
    let variables = seen.lines().take_while(|line| !line.starts_with("in "));
    // Those that the shell itself makes.
    let strange: Vec<&str> =
        variables.filter(|line| !["PWD=", "OLDPWD=", "SHLVL=", "_="].iter().any(|own| line.starts_with(own))).collect();
    assert!(strange.is_empty(), "{strange:?}");
    assert!(seen.contains("in /\n") && seen.contains("pipe:") && !seen.contains("engine."), "{seen}");
}

/// A machine that has no process for the compiler, as when descriptors have run out: that passes, and is not held against the component.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compiling_where_there_is_no_process() {
    let (folder, empty) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let program = folder.path().join("compiler");
    let mut engine = TestEngine::builder().start().await;
    let bytes = fs::read(guest("noop")).unwrap();
    let (grants, settings, limits) = Default::default();
    let wish = Wish { name: Some("Pigeon".to_owned()), module: "pigeon".to_owned(), bytes, grants, settings, limits };
    let now = engine.clock.now();
    targets::install(&engine.store, &engine.catalog, Tenant::DEFAULT, wish, Uuid::now_v7(), now).await.unwrap();
    engine.record("Pigeon", "anything").await;
    let id = engine.notify("Pigeon", "Title", json!({})).await;
    // Another engine, which has not compiled it.
    let apart = Compiler::apart(&engine.settings.sandbox, program.clone());
    let key = engine.settings.engine_key().unwrap();
    let host =
        Host::new(&engine.settings.sandbox, empty.path(), &key, engine.clock.clone()).unwrap().compiled_by(apart);
    engine.catalog = Arc::new(Catalog::new(host, engine.settings.clone()).unwrap());
    let later = async {
        // Longer than it is tried at once.
        tokio::time::sleep(Duration::from_secs(9)).await;
        std::os::unix::fs::symlink(binary(), &program).unwrap();
        let began = Instant::now();
        while engine.show(id).await.attempts.is_empty() {
            assert!(began.elapsed() < Duration::from_secs(20), "{:#?}", engine.show(id).await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    engine.beside(later).await;
}

/// An engine that is killed, which cannot end its compilers, does not leave them behind.
#[tokio::test]
async fn compiling_for_an_engine_that_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let (component, number) = (folder.path().join("long.wasm"), folder.path().join("number"));
    fs::write(&component, long_function(BLOCK, 300_000)).unwrap();
    let script = format!(
        "{} compile-component --memory 2147483648 --seconds 60 < {} > {} & echo $! > {}; wait",
        binary().display(),
        component.display(),
        folder.path().join("compiled").display(),
        number.display()
    );
    let mut parent = std::process::Command::new("sh").args(["-c", &script]).spawn().unwrap();
    tokio::time::sleep(Duration::from_millis(1000)).await;
    let process = Path::new("/proc").join(fs::read_to_string(number).unwrap().trim());
    // One that nobody has asked how it ended is no more, but still there.
    let is_at_work = || fs::read_to_string(process.join("stat")).is_ok_and(|stat| !stat.contains(") Z "));
    assert!(is_at_work(), "it compiles for longer than that");
    parent.kill().unwrap();
    parent.wait().unwrap();
    for _ in 0..100 {
        if !is_at_work() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{} still compiles", process.display());
}
