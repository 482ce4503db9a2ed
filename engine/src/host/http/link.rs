//! `wasi:http` as it is linked: the library's, which keeps a method, a path and an authority as long as a component writes them. Here they are refused
//! where no request could go with them, so that the number of a call's resources bounds what the host keeps for it.

use super::request::{LONGEST_METHOD, LONGEST_URL};
use crate::host::call::CallState;
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi_http::p2::bindings::http::types::{HostOutgoingRequest as _, Method};
use wasmtime_wasi_http::p2::types::HostOutgoingRequest as Request;
use wasmtime_wasi_http::{WasiHttpView, p2};

/// In the version that the library links it; a component's own may be any 0.2.
const TYPES: &str = "wasi:http/types@0.2.12";

/// The names of WASI's setters.
const SET_METHOD: &str = "[method]outgoing-request.set-method";
const SET_PATH: &str = "[method]outgoing-request.set-path-with-query";
const SET_AUTHORITY: &str = "[method]outgoing-request.set-authority";

type Call<'a> = StoreContextMut<'a, CallState>;
/// Whether it was taken; why not, a setter cannot say.
type Taken = wasmtime::Result<(Result<(), ()>,)>;

/// Links `wasi:http`.
pub fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    p2::add_only_http_to_linker_async(linker)?;
    linker.allow_shadowing(true);
    let mut types = linker.instance(TYPES)?;
    types.func_wrap(SET_METHOD, |mut call: Call, (of, method): (Resource<Request>, Method)| -> Taken {
        let fits = !matches!(&method, Method::Other(method) if method.len() > LONGEST_METHOD);
        Ok((if fits { call.data_mut().http().set_method(of, method)? } else { Err(()) },))
    })?;
    types.func_wrap(SET_PATH, |mut call: Call, (of, path): (Resource<Request>, Option<String>)| -> Taken {
        Ok((if fits(&path) { call.data_mut().http().set_path_with_query(of, path)? } else { Err(()) },))
    })?;
    types.func_wrap(
        SET_AUTHORITY,
        |mut call: Call, (of, authority): (Resource<Request>, Option<String>)| -> Taken {
            Ok((if fits(&authority) { call.data_mut().http().set_authority(of, authority)? } else { Err(()) },))
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

/// Whether this may be a part of a URL.
fn fits(part: &Option<String>) -> bool {
    part.as_ref().is_none_or(|part| part.len() <= LONGEST_URL)
}
