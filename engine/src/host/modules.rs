//! From a component's bytes to a module that can be called: checked, compiled or taken from the cache, linked, described.

use super::bindings;
use super::cache::{Cache, Kept};
use super::call::CallState;
use super::compiler::Compiler;
use super::examine::{check_head, check_size};
use super::limits::TICK;
use super::module::{Fault, Module, OTHER_CONTRACT};
use super::places::Places;
use super::shelf::Shelf;
use super::stopwatch::Turns;
use super::{HostError, Network, Powers, http, sockets};
use crate::clock::Clock;
use crate::rules::budget::{Budget, Limit};
use crate::rules::limits::{cut, sentence};
use crate::rules::manifest::Manifest;
use crate::rules::sealed::SecretKey;
use crate::rules::spelling::shown;
use crate::settings::{EngineKey, Sandbox};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::Arc;
use wasmtime::component::{Component, HasSelf, Linker, types::ComponentItem};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, WasmBacktraceDetails};

/// What a component may be made of; what wit-component makes of one core module has about ten.
const CORE_INSTANCES: u32 = 64;
const MEMORIES: u32 = 4;
/// How many bytes a page of memory has, by which Wasm counts.
const PAGE: u64 = 64 << 10;
const TABLES: u32 = 16;
/// How many components are asked for their manifest at once, beside all other calls.
const DESCRIBED_AT_ONCE: u32 = 4;
const TABLE_ELEMENTS: usize = 100_000;
/// How much of an instance's memory and stack is wiped and kept instead of given back to the system. Memory only where the system says which
/// pages were written (Linux 6.7): what lies at its beginning is the part of a guest's stack that is used last, so that to wipe all of it
/// costs more than it saves.
const KEEP_MEMORY: usize = 256 * 1024;
const KEEP_STACK: usize = 64 * 1024;

/// Why a component cannot be a module. The text is one sentence that says what to do, without the module's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ModuleError(pub String);

/// Why a component could not be made a module.
#[derive(Debug)]
pub enum Unloaded<E> {
    /// It cannot be one.
    Module(ModuleError),
    /// Its bytes could not be read.
    Unread(E),
    /// This machine had no process or descriptor for it, which passes.
    Trouble(ModuleError),
}

/// Why it could not be compiled: the first or the last of these.
#[derive(Debug)]
pub(super) enum Uncompiled {
    Module(ModuleError),
    Trouble(ModuleError),
}

impl<E> From<Uncompiled> for Unloaded<E> {
    fn from(uncompiled: Uncompiled) -> Self {
        match uncompiled {
            Uncompiled::Module(error) => Unloaded::Module(error),
            Uncompiled::Trouble(error) => Unloaded::Trouble(error),
        }
    }
}

impl From<ModuleError> for Uncompiled {
    fn from(error: ModuleError) -> Self {
        Uncompiled::Module(error)
    }
}

impl<E> From<ModuleError> for Unloaded<E> {
    fn from(error: ModuleError) -> Self {
        Unloaded::Module(error)
    }
}

impl ModuleError {
    /// An installed component that is not what was installed.
    pub fn changed() -> Self {
        ModuleError("It is not in the database as it was: install it again.".to_owned())
    }
}

/// Reads a component's bytes, each time that they are needed.
pub type Read<'a, E> = dyn Fn() -> BoxFuture<'a, Result<Vec<u8>, Unloaded<E>>> + Send + Sync + 'a;

pub(super) fn refuse<T>(text: impl Into<String>) -> Result<T, ModuleError> {
    Err(ModuleError(text.into()))
}

/// The sandbox: one for a process, shared by all its modules.
pub struct Host {
    engine: Engine,
    linker: Linker<CallState>,
    compiler: Compiler,
    /// How many bytes a component may have.
    largest: usize,
    cache: Arc<Cache>,
    fingerprint: u64,
    budget: Budget,
    /// The most memory that any target may have.
    memory: u64,
    clock: Clock,
    places: Places,
    described: Places,
    secret_key: SecretKey,
    turns: Turns,
    network: Network,
}

impl Host {
    /// Sets the sandbox up and starts the thread that counts computing time; it ends with the host.
    pub fn new(settings: &Sandbox, cache: &Path, key: &EngineKey, clock: Clock) -> Result<Self, HostError> {
        let failed = |e: wasmtime::Error| HostError::new(format!("The sandbox cannot be set up: {e:#}"));
        let memory = settings.largest().amount(Limit::Memory);
        let engine =
            Engine::new(&config(settings.instances + DESCRIBED_AT_ONCE, usize::try_from(memory).unwrap_or(usize::MAX)))
                .map_err(failed)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).map_err(failed)?;
        http::link(&mut linker).map_err(failed)?;
        sockets::link(&mut linker).map_err(failed)?;
        bindings::Target::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state).map_err(failed)?;

        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        env!("CARGO_PKG_VERSION").hash(&mut hasher);

        let weak = engine.weak();
        std::thread::Builder::new()
            .name("epoch".to_owned())
            .spawn(move || {
                while let Some(engine) = weak.upgrade() {
                    engine.increment_epoch();
                    drop(engine);
                    std::thread::sleep(TICK);
                }
            })
            .map_err(|e| HostError::new(format!("The sandbox cannot start its thread: {e}")))?;

        Ok(Host {
            engine,
            linker,
            compiler: Compiler::here(settings),
            largest: settings.component,
            cache: Arc::new(Cache::new(cache, &key.derive("compiled components"), clock.clone())),
            fingerprint: hasher.finish(),
            budget: settings.budget(),
            memory,
            clock,
            places: Places::new(settings.instances as usize),
            described: Places::new(DESCRIBED_AT_ONCE as usize),
            secret_key: key.secret_key(),
            turns: Turns::of_this_machine(),
            network: Network::default(),
        })
    }

    /// The key that opens secrets at rest.
    pub(super) fn secret_key(&self) -> &SecretKey {
        &self.secret_key
    }

    /// In which its components are called.
    pub(super) fn places(&self) -> &Places {
        &self.places
    }

    /// How many bytes a component may have.
    pub(super) fn largest(&self) -> usize {
        self.largest
    }

    /// The same, with another way out.
    #[must_use]
    pub fn on(self, network: Network) -> Self {
        Host { network, ..self }
    }

    /// The same, with another compiler than itself.
    #[must_use]
    pub fn compiled_by(self, compiler: Compiler) -> Self {
        Host { compiler, ..self }
    }

    /// The way out, for the clients of its modules.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Makes a module of a component's bytes, which need not be trusted. `name` is the module's.
    pub async fn load(&self, name: &str, bytes: &[u8]) -> Result<Module, ModuleError> {
        match self.load_on::<Infallible>(None, name, &|| async { Ok(bytes.to_vec()) }.boxed()).await {
            Ok(module) => Ok(module),
            Err(Unloaded::Module(error) | Unloaded::Trouble(error)) => Err(error),
            Err(Unloaded::Unread(never)) => match never {},
        }
    }

    /// The same of the bytes that `read` gives, as soon as it is their turn on the shelf: whoever waits there holds none.
    pub(super) async fn load_on<E>(
        &self,
        shelf: Option<&Shelf>,
        name: &str,
        read: &Read<'_, E>,
    ) -> Result<Module, Unloaded<E>> {
        // Held until it is loaded. A closed semaphore, which none of these is, would only mean that nothing bounds how many.
        let mut turn = match shelf {
            Some(shelf) => shelf.reading.acquire().await.ok(),
            None => None,
        };
        let bytes = read().await?;
        let digest = self.digest(&bytes)?;
        let (cache, of, fingerprint) = (self.cache.clone(), digest.clone(), self.fingerprint);
        let kept = apart(move || cache.get(&of, fingerprint)).await?;
        let (code, known) = match kept {
            Some(Kept { code, manifest }) => (code, Some(manifest)),
            None => {
                let bytes = match shelf {
                    None => bytes,
                    Some(shelf) => {
                        drop((bytes, turn.take()));
                        turn = shelf.compiling.acquire().await.ok();
                        let bytes = read().await?;
                        if self.digest(&bytes)? != digest {
                            return Err(ModuleError::changed().into());
                        }
                        bytes
                    }
                };
                (self.compiler.compile(&self.engine, bytes).await?, None)
            }
        };
        let room = match shelf {
            Some(shelf) => shelf.take(code.len()).await,
            None => None,
        };
        let engine = self.engine.clone();
        let (component, code) = apart(move || (deserialize(&engine, &code), code)).await?;
        let component = component?;
        drop(turn);
        let memory = self.check_pool(&component)?;
        check_exports(&component, &self.engine)?;
        let kind = component.component_type();
        let imports: Vec<String> = kind.imports(&self.engine).map(|(name, _)| name.to_owned()).collect();
        let pre = self.linker.instantiate_pre(&component).map_err(|e| other_import(&imports, &e))?;
        let exports = bindings::TargetIndices::new(&pre).map_err(|e| other_contract(&e))?;
        let mut module = Module {
            name: name.to_owned(),
            digest: format!("sha256:{digest}"),
            manifest: Manifest::named(name),
            imports,
            memory,
            pre,
            exports,
            budget: self.budget,
            clock: self.clock.clone(),
            places: self.places.clone(),
            described: self.described.clone(),
            turns: self.turns.clone(),
            room,
        };
        let is_new = known.is_none();
        let text = match known {
            Some(text) => text,
            None => {
                let powers = Powers { module: name.to_owned(), ..Powers::default() };
                let described = module.describe(&Arc::new(powers)).await.result;
                described.map_err(|Fault { code, message }| match code {
                    OTHER_CONTRACT => ModuleError(message),
                    _ => ModuleError(format!("Its `describe` failed: {message}")),
                })?
            }
        };
        module.manifest =
            Manifest::parse(&text).map_err(|why| ModuleError(sentence(&format!("It cannot be used: {why}"))))?;
        // Only what can be used is worth keeping.
        if is_new {
            let (cache, kept) = (self.cache.clone(), Kept { code, manifest: text });
            apart(move || cache.put(&digest, fingerprint, &kept)).await?;
        }
        Ok(module)
    }

    /// The digest of a component, if its size and its head are those of one.
    fn digest(&self, bytes: &[u8]) -> Result<String, ModuleError> {
        check_size(bytes, self.largest)?;
        check_head(bytes)?;
        let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
        Ok(digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// What the pool cannot hold is said now, not at the first call. How many bytes the largest memory begins with.
    fn check_pool(&self, component: &Component) -> Result<u64, ModuleError> {
        let Some(required) = component.resources_required() else {
            return refuse(
                "It imports whole modules or components, which is not supported; compose it into one component.",
            );
        };
        let (memories, tables) = (required.num_memories, required.num_tables);
        if memories > MEMORIES || tables > TABLES {
            return refuse(format!(
                "It has {memories} memories and {tables} tables, and {MEMORIES} and {TABLES} are the most."
            ));
        }
        let memory = required.max_initial_memory_size.unwrap_or_default().saturating_mul(PAGE);
        if memory > self.memory {
            return refuse(format!(
                "It begins with {} MiB of memory, and `sandbox.memory` allows {} MiB.",
                memory >> 20,
                self.memory >> 20
            ));
        }
        let elements = required.max_initial_table_size.unwrap_or_default();
        if elements > TABLE_ELEMENTS as u64 {
            return refuse(format!("It begins with a table of {elements} elements, and {TABLE_ELEMENTS} is the most."));
        }
        Ok(memory)
    }
}

/// Does what takes long for a hundred megabytes where it holds up nothing else.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ModuleError> {
    tokio::task::spawn_blocking(work).await.or_else(|e| refuse(format!("It could not be loaded ({e}); try again.")))
}

/// Loads what this engine's own compiler has made, for this configuration.
fn deserialize(engine: &Engine, compiled: &[u8]) -> Result<Component, ModuleError> {
    // SAFETY: the caller has it from the compiler, or from the cache, whose MAC says that it came from there.
    #[expect(unsafe_code, reason = "what is loaded is this engine's own")]
    let component = unsafe { Component::deserialize(engine, compiled) };
    component.map_err(|e| {
        let why = root(&e);
        // What the pool cannot hold is found out here, in words of the library's.
        ModuleError(if why.contains("exceeds the") {
            format!("It wants more than this engine allows ({why}); build it to begin with less, or raise `[sandbox] memory`.")
        } else {
            format!("It is not a valid component ({why}); build it anew.")
        })
    })
}

pub(super) fn config(instances: u32, memory: usize) -> Config {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(CORE_INSTANCES))
        .total_memories(instances.saturating_mul(MEMORIES).min(1024))
        .total_tables(instances.saturating_mul(TABLES).min(4096))
        .total_stacks(instances)
        .max_core_instances_per_component(CORE_INSTANCES)
        .max_memories_per_component(MEMORIES)
        .max_tables_per_component(TABLES)
        .max_memory_size(memory)
        .table_elements(TABLE_ELEMENTS)
        .linear_memory_keep_resident(if PoolingAllocationConfig::is_pagemap_scan_available() { KEEP_MEMORY } else { 0 })
        .pagemap_scan(Enabled::Auto)
        .async_stack_keep_resident(KEEP_STACK)
        .table_keep_resident(16 * 1024);
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .epoch_interruption(true)
        // Guests export plain functions only (design: not every language has async yet), and this makes calls cheaper.
        .concurrency_support(false)
        .wasm_memory64(false)
        // The names in a backtrace are enough; what a component says of its sources is not read.
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .max_wasm_stack(512 * 1024)
        .async_stack_size(1024 * 1024);
    config
}

/// The usual mistake, a component of another world, gets a sentence of its own.
fn check_exports(component: &Component, engine: &Engine) -> Result<(), ModuleError> {
    const WANTED: &str = "notification:engine/notification-target@0.1.0";
    let kind = component.component_type();
    if let Some(ComponentItem::ComponentInstance(_)) = kind.get_export(engine, WANTED).map(|item| item.ty) {
        return Ok(());
    }
    let mut exports = kind.exports(engine).map(|(name, _)| name);
    match exports.find(|name| name.starts_with("notification:engine/notification-target")) {
        Some(other) => {
            refuse(format!("It exports {}, and this engine speaks {WANTED}; build it anew.", one_line(other)))
        }
        None => refuse(format!(
            "It does not export {WANTED}, so it is not a target; build it for the world `target`, in Rust with `guest_sdk::export_target!(YourType);` in its lib.rs."
        )),
    }
}

/// The contract that this engine speaks.
const CONTRACT: &str = "notification:engine@0.1.0";
const VERSION: &str = "@0.1.0";
/// How many bytes of a library's words are told that quote a component's names.
const MOST_SAID: usize = 400;

/// A component whose functions are named as the contract's and are others.
pub(super) fn other_contract(error: &wasmtime::Error) -> ModuleError {
    ModuleError(format!(
        "Its `notification-target` is not that of {CONTRACT} ({}); build it against the contract in `wit/`.",
        root(error)
    ))
}

/// A component that imports what the linker lacks, of which the library's words begin with the name.
fn other_import(imports: &[String], error: &wasmtime::Error) -> ModuleError {
    let told = one_line(&cut(&format!("{error:#}"), MOST_SAID));
    let why = told.split_once("in the linker: ").map_or(told.as_str(), |(_, why)| why);
    let is_other = |name: &str| name.starts_with("notification:engine/") && !name.ends_with(VERSION);
    ModuleError(match imports.iter().find(|name| told.contains(&format!("`{name}`"))) {
        Some(name) if is_other(name) => {
            format!("It imports {name}, and this engine speaks {CONTRACT}; build it against the contract in `wit/`.")
        }
        Some(name) => format!(
            "It imports {name}, which this engine does not have, or has otherwise ({why}); build it against the contract in `wit/`."
        ),
        None => format!("It imports what this engine does not have ({told}); build it against the contract in `wit/`."),
    })
}

/// The innermost cause on one line.
pub(super) fn root(error: &wasmtime::Error) -> String {
    one_line(&error.root_cause().to_string())
}

/// A library's words on one line, without what commands a terminal: they may quote names that the component chose.
pub(super) fn one_line(text: &str) -> String {
    shown(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}
