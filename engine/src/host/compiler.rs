//! Strangers' components are compiled in a process of their own, as a few bytes can take the compiler any time and memory: the system bounds both,
//! and what is killed leaves nothing behind.
//!
//! The process is this program once more, as `engine compile-component`: the component on its standard input, and on its standard output what it was
//! compiled to, or why it cannot be.

use super::examine::examine;
use super::modules::{ModuleError, Uncompiled, config, refuse, root};
use crate::settings::{LARGEST_COMPONENT, Sandbox};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::sync::Semaphore;
use wasmtime::Engine;

/// The command that does it.
pub const COMMAND: &str = "compile-component";
/// The largest that a component may be compiled to: it is held in memory.
const LARGEST_COMPILED: u64 = 128 << 20;
/// How many are compiled at once.
const AT_ONCE: usize = 2;
/// How long to wait before it is tried again where the system gives no process or descriptor: that passes, and is not the component's fault.
const AGAIN: [Duration; 4] =
    [Duration::from_millis(100), Duration::from_millis(500), Duration::from_secs(2), Duration::from_secs(5)];
/// How the process ends when the component is to blame.
const REFUSED: i32 = 3;

/// Who compiles components.
pub struct Compiler {
    program: Option<PathBuf>,
    time: Duration,
    memory: u64,
    places: Semaphore,
}

impl Compiler {
    /// This process itself, where nothing bounds the memory. For programs that are not the engine and compile their own.
    pub fn here(settings: &Sandbox) -> Self {
        let Sandbox { compile_time, compile_memory, .. } = settings;
        Compiler { program: None, time: *compile_time, memory: *compile_memory, places: Semaphore::new(AT_ONCE) }
    }

    /// This program, an engine.
    pub fn apart(settings: &Sandbox, program: PathBuf) -> Self {
        Compiler { program: Some(program), ..Compiler::here(settings) }
    }

    /// The program that is running, even if another has taken its place on the disk.
    pub fn own_program() -> io::Result<PathBuf> {
        let running = Path::new("/proc/self/exe");
        if running.exists() { Ok(running.to_owned()) } else { std::env::current_exe() }
    }

    /// Compiles a component that need not be trusted.
    pub(super) async fn compile(&self, engine: &Engine, bytes: Vec<u8>) -> Result<Vec<u8>, Uncompiled> {
        // A closed semaphore, which this never is, would only mean that nothing bounds how many.
        let _place = self.places.acquire().await;
        let late = || ModuleError(format!("It took more than {:?} to compile; make it smaller.", self.time));
        let compiled = match &self.program {
            Some(program) => tokio::time::timeout(self.time, self.run(program, bytes)).await,
            None => {
                let engine = engine.clone();
                let compiling = tokio::task::spawn_blocking(move || compile(&engine, &bytes));
                tokio::time::timeout(self.time, async {
                    Ok(compiling.await.unwrap_or_else(|e| refuse(format!("It could not be compiled: {e}.")))?)
                })
                .await
            }
        };
        compiled.map_err(|_| Uncompiled::Module(late()))?
    }

    async fn run(&self, program: &Path, bytes: Vec<u8>) -> Result<Vec<u8>, Uncompiled> {
        let cannot =
            |e: io::Error| Uncompiled::Trouble(ModuleError(format!("The compiler could not be run ({e}); try again.")));
        // Nothing of this process is there: no variable, in which there may be a secret, no folder, no log.
        let mut command = Command::new(program);
        command
            .arg(COMMAND)
            .args(["--memory", &self.memory.to_string(), "--seconds", &self.time.as_secs().max(1).to_string()])
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let mut waits = AGAIN.into_iter();
        let mut child = loop {
            match (command.spawn(), waits.next()) {
                (Ok(child), _) => break child,
                (Err(_), Some(wait)) => tokio::time::sleep(wait).await,
                (Err(e), None) => return Err(cannot(e)),
            }
        };
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let given = async {
            if let Some(mut input) = input {
                // One that has ended already says why.
                let _ = input.write_all(&bytes).await;
            }
        };
        let taken = async {
            let mut compiled = Vec::new();
            if let Some(output) = output {
                output.take(LARGEST_COMPILED + 1).read_to_end(&mut compiled).await?;
            }
            Ok(compiled)
        };
        let ((), taken) = tokio::join!(given, taken);
        let taken: Vec<u8> = taken.map_err(cannot)?;
        if taken.len() as u64 > LARGEST_COMPILED {
            return Ok(refuse(format!("It compiles to more than {} MiB; make it smaller.", LARGEST_COMPILED >> 20))?);
        }
        let ended = child.wait().await.map_err(cannot)?;
        match ended.code() {
            Some(0) => Ok(taken),
            Some(REFUSED) => Ok(refuse(String::from_utf8_lossy(&taken))?),
            _ => Ok(refuse(format!(
                "It took more than {} MiB of memory to compile, or the compiler failed ({}): make it smaller.",
                self.memory >> 20,
                ended
            ))?),
        }
    }
}

/// Examines and compiles.
fn compile(engine: &Engine, bytes: &[u8]) -> Result<Vec<u8>, ModuleError> {
    examine(bytes)?;
    engine
        .precompile_component(bytes)
        .map_err(|e| ModuleError(format!("It is not a valid component ({}); build it anew.", root(&e))))
}

/// What the process of its own does: it bounds itself, compiles its input, and answers with the code that it is to end with.
pub fn compile_input(time: Duration, memory: u64) -> io::Result<u8> {
    bound(time, memory)?;
    end_with_parent()?;
    let mut bytes = Vec::new();
    io::stdin().lock().take(LARGEST_COMPONENT).read_to_end(&mut bytes)?;
    let engine = Engine::new(&config(1, 1 << 20)).map_err(io::Error::other)?;
    let (answer, code) = match compile(&engine, &bytes) {
        Ok(compiled) => (compiled, 0),
        Err(ModuleError(why)) => (why.into_bytes(), REFUSED as u8),
    };
    io::stdout().lock().write_all(&answer)?;
    Ok(code)
}

/// Memory that can be written counts, which address space does not have to be.
#[cfg(unix)]
fn bound(time: Duration, memory: u64) -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let most = |amount| Rlimit { current: Some(amount), maximum: Some(amount) };
    setrlimit(Resource::Data, most(memory))?;
    setrlimit(Resource::Core, most(0))?;
    let processors = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    setrlimit(Resource::Cpu, most(time.as_secs() * processors))?;
    Ok(())
}

/// An engine that is killed cannot end its compilers: they see that they have another parent.
#[cfg(unix)]
fn end_with_parent() -> io::Result<()> {
    use rustix::process::getppid;
    let parent = getppid();
    let watch = move || {
        while getppid() == parent {
            std::thread::sleep(Duration::from_millis(200));
        }
        std::process::exit(i32::from(u8::MAX));
    };
    std::thread::Builder::new().name("parent".to_owned()).spawn(watch).map(drop)
}

#[cfg(not(unix))]
fn end_with_parent() -> io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
fn bound(_: Duration, _: u64) -> io::Result<()> {
    Ok(())
}
