//! WASI's files as they are linked: the library's, of which there is the folder of templates at most. That a component looks for it where it is not
//! open is noted, as nobody else could say why it is not there.

use super::call::CallState;
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::filesystem::preopens::Host;

/// In the version that the library links it; a component's own may be any 0.2.
const PREOPENS: &str = "wasi:filesystem/preopens@0.2.12";

type Folders = Vec<(Resource<Descriptor>, String)>;

/// Links what says which folders there are, over the library's.
pub fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    linker.instance(PREOPENS)?.func_wrap(
        "get-directories",
        |mut call: StoreContextMut<'_, CallState>, (): ()| -> wasmtime::Result<(Folders,)> {
            call.data().exchanges.looks_for_files();
            Ok((call.data_mut().filesystem().get_directories()?,))
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}
