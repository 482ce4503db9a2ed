//! `wasi:http` as it is linked: the library's, which keeps a method, a path and an authority as long as a component writes them, and headers for as many requests
//! as it makes. Here they are refused where no request could go with them, and what the host keeps is a part of the call's memory.

use super::request::{LONGEST_METHOD, LONGEST_URL};
use crate::host::call::{CallState, MOST_FIELDS};
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi_http::p2::bindings::http::types::{HeaderError, HostFields as _, HostOutgoingRequest as _, Method};
use wasmtime_wasi_http::p2::types::HostOutgoingRequest as Request;
use wasmtime_wasi_http::{FieldMap, WasiHttpView, p2};

/// In the version that the library links it; a component's own may be any 0.2.
const TYPES: &str = "wasi:http/types@0.2.12";

/// The names of WASI's setters.
const SET_METHOD: &str = "[method]outgoing-request.set-method";
const SET_PATH: &str = "[method]outgoing-request.set-path-with-query";
const SET_AUTHORITY: &str = "[method]outgoing-request.set-authority";

/// And of what makes headers.
const FROM_LIST: &str = "[static]fields.from-list";
const SET: &str = "[method]fields.set";
const APPEND: &str = "[method]fields.append";
const CLONE: &str = "[method]fields.clone";

/// What keeping one header takes beside its letters.
const EACH: usize = 64;

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
        keep(&mut call, path.as_deref().map_or(0, str::len))?;
        Ok((if fits(&path) { call.data_mut().http().set_path_with_query(of, path)? } else { Err(()) },))
    })?;
    types.func_wrap(
        SET_AUTHORITY,
        |mut call: Call, (of, authority): (Resource<Request>, Option<String>)| -> Taken {
            keep(&mut call, authority.as_deref().map_or(0, str::len))?;
            Ok((if fits(&authority) { call.data_mut().http().set_authority(of, authority)? } else { Err(()) },))
        },
    )?;
    types.func_wrap(FROM_LIST, |mut call: Call, (entries,): (Vec<(String, Vec<u8>)>,)| -> Made {
        keep(&mut call, entries.iter().map(|(name, value)| name.len() + value.len() + EACH).sum())?;
        let made = call.data_mut().http().from_list(entries);
        said(&mut call, made)
    })?;
    types.func_wrap(SET, |mut call: Call, (of, name, values): (Resource<FieldMap>, String, Vec<Vec<u8>>)| -> Done {
        keep(&mut call, values.iter().map(|value| name.len() + value.len() + EACH).sum())?;
        let done = call.data_mut().http().set(of, name, values);
        said(&mut call, done)
    })?;
    types.func_wrap(APPEND, |mut call: Call, (of, name, value): (Resource<FieldMap>, String, Vec<u8>)| -> Done {
        keep(&mut call, name.len() + value.len() + EACH)?;
        let done = call.data_mut().http().append(of, name, value);
        said(&mut call, done)
    })?;
    types.func_wrap(
        CLONE,
        |mut call: Call, (of,): (Resource<FieldMap>,)| -> wasmtime::Result<(Resource<FieldMap>,)> {
            keep(&mut call, MOST_FIELDS)?;
            Ok((call.data_mut().http().clone(of)?,))
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

type Made = wasmtime::Result<(Result<Resource<FieldMap>, HeaderError>,)>;
type Done = wasmtime::Result<(Result<(), HeaderError>,)>;

/// The library's answer in the contract's words; what is none of these ends the call.
fn said<T>(call: &mut Call, answer: p2::HeaderResult<T>) -> wasmtime::Result<(Result<T, HeaderError>,)> {
    use wasmtime_wasi_http::p2::bindings::http::types::Host as _;
    match answer {
        Ok(answer) => Ok((Ok(answer),)),
        Err(error) => Ok((Err(call.data_mut().http().convert_header_error(error)?),)),
    }
}

/// So much more is kept until the call has ended: nobody knows what of it is dropped before.
fn keep(call: &mut Call, bytes: usize) -> wasmtime::Result<()> {
    if call.data_mut().meter.keep(bytes) { Ok(()) } else { Err(wasmtime::Error::msg("requests take too much memory")) }
}

/// Whether this may be a part of a URL.
fn fits(part: &Option<String>) -> bool {
    part.as_ref().is_none_or(|part| part.len() <= LONGEST_URL)
}
