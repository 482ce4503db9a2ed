//! WASI's sockets as they are linked: refused before there is one. The library would refuse them too, and its error says nothing of what to do instead.

use super::call::CallState;
use super::exchanges::NO_SOCKETS;
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, IpAddressFamily};
use wasmtime_wasi::p2::{Network, TcpSocket, UdpSocket, bindings};
use wasmtime_wasi::sockets::WasiSocketsView;

/// In the version that the library links them; a component's own may be any 0.2.
const TCP: &str = "wasi:sockets/tcp-create-socket@0.2.12";
const UDP: &str = "wasi:sockets/udp-create-socket@0.2.12";
const NETWORK: &str = "wasi:sockets/instance-network@0.2.12";

type Refused<T> = (Result<Resource<T>, ErrorCode>,);

/// Links what makes sockets, and what comes before names are looked up, over the library's.
pub fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    linker.instance(TCP)?.func_wrap("create-tcp-socket", refuse::<TcpSocket>)?;
    linker.instance(UDP)?.func_wrap("create-udp-socket", refuse::<UdpSocket>)?;
    linker.instance(NETWORK)?.func_wrap(
        "instance-network",
        |mut call: StoreContextMut<'_, CallState>, (): ()| -> wasmtime::Result<(Resource<Network>,)> {
            call.data().exchanges.misses(NO_SOCKETS);
            let network = bindings::sockets::instance_network::Host::instance_network(&mut call.data_mut().sockets());
            Ok((network?,))
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

fn refuse<T: 'static>(call: StoreContextMut<'_, CallState>, (_,): (IpAddressFamily,)) -> wasmtime::Result<Refused<T>> {
    call.data().exchanges.misses(NO_SOCKETS);
    Ok((Err(ErrorCode::AccessDenied),))
}
