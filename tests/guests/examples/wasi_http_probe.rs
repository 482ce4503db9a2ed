//! Sends the HTTP request that `extra` describes by `wasi:http`, as languages do that have a client of their own, and reports what came:
//!
//! ```json
//! { "method": "POST", "scheme": "http", "authority": "127.0.0.1:1", "path": "/", "headers": [["accept", "text/plain"]], "body": "…",
//!   "body_of": 6000000, "first_byte": 500, "between_bytes": 500, "trailers": true, "body_is": "dropped", "times": 33,
//!   "together": true, "then": "trap", "in_create": true }
//! ```
//!
//! Nothing but the authority need be there; without a `path` it is `/`, and with `null` there is none. `body_of` makes a body of so many bytes; `first_byte` and `between_bytes` are milliseconds of patience;
//! `body_is` is how its body ends where that is not as it should: `dropped`, or `open` until the call is over. `times` sends the request more
//! than once, one after another or, if `together`, all before the first answer; the last answer is reported. `then` is what is done instead of waiting
//! for the answer (`unsent` makes so many large headers before, and keeps them): `return`, `trap`, `spin`, or `trap_at_the_end`, when
//! all have been answered; `beside` is another request that is begun before. With `in_create` the creator tries it, and refuses the request with its report. The report is `{"status", "headers", "length", "body"}`, the body cut to 300 characters, or
//! `{"error"}`, or `{"refused"}` where the request could not even be made.

use guest_sdk::{CreationRequest, Draft, Failure, Manifest, Notification, Outcome, Secret};
use serde_json::{Value, json};
use test_guests::{extra, report, text};
use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, Method, OutgoingBody, OutgoingRequest,
    RequestOptions, Scheme,
};
use wasip2::io::streams::StreamError;

fn manifest() -> Manifest {
    test_guests::manifest("WASI HTTP probe")
        .origin("https://provider.example")
        .record_address()
        .declare(Secret::new("token", "Goes wherever the test says.").optional())
        .largest_batch(100)
}

fn create(request: CreationRequest) -> Result<Vec<Draft>, Failure> {
    let wish: Value = serde_json::from_str(&request.extra).unwrap_or_default();
    if wish["in_create"] == true {
        return Err(Failure::new("tried", probe(&wish).to_string()));
    }
    test_guests::create(request)
}

fn send(batch: Vec<Notification>) -> Vec<Outcome> {
    batch.iter().map(|notification| report(&probe(&extra(notification)))).collect()
}

#[expect(clippy::panic, reason = "the test asked for it")]
fn probe(wish: &Value) -> Value {
    let unsent: Vec<Fields> = (0..wish["unsent"].as_u64().unwrap_or_default()).map(|_| large()).collect();
    let times = wish["times"].as_u64().unwrap_or(1);
    let (mut open, mut bodies) = (Vec::new(), Vec::new());
    let mut found = Value::Null;
    if wish["beside"].is_object() {
        match begin(&wish["beside"]) {
            Ok((future, _)) => open.push(future),
            Err(refusal) => return refusal,
        }
    }
    for _ in 0..times {
        match begin(wish) {
            Ok((future, body)) if wish["then"].is_string() || wish["together"] == true => {
                open.push(future);
                bodies.push(body);
            }
            Ok((future, _body)) => found = end(&future),
            Err(refusal) => found = refusal,
        }
    }
    match wish["then"].as_str() {
        Some("return") => return json!({ "open": open.len() }),
        Some("trap") => {
            // For long enough that it has left.
            wait(&open);
            panic!("The test wants a panic after the request has left.");
        }
        Some("spin") => loop {
            std::hint::black_box(());
        },
        _ => {}
    }
    drop(unsent);
    let found = open.iter().fold(found, |_, future| end(future));
    assert!(wish["then"] != "trap_at_the_end", "The test wants a panic after all have ended.");
    found
}

/// Headers of 24,000 bytes.
fn large() -> Fields {
    let fields = Fields::new();
    for name in ["x-a", "x-b", "x-c"] {
        let _ = fields.append(name, &[b'x'; 8000]);
    }
    fields
}

fn wait(open: &[FutureIncomingResponse]) {
    for future in open {
        future.subscribe().block();
    }
}

/// The answer to come, and the body if it is to stay open.
fn begin(wish: &Value) -> Result<(FutureIncomingResponse, Option<OutgoingBody>), Value> {
    let refused = |what: &str| json!({ "refused": what });
    let fields = Fields::new();
    for header in wish["headers"].as_array().into_iter().flatten() {
        let (name, value) = (header[0].as_str().unwrap_or_default(), header[1].as_str().unwrap_or_default());
        fields.append(name, value.as_bytes()).map_err(|e| refused(&format!("{name}: {e:?}")))?;
    }
    let request = OutgoingRequest::new(fields);
    let method = match text(wish, "method").as_str() {
        "" | "GET" => Method::Get,
        "POST" => Method::Post,
        other => Method::Other(other.to_owned()),
    };
    let scheme = match text(wish, "scheme").as_str() {
        "" => None,
        "http" => Some(Scheme::Http),
        "https" => Some(Scheme::Https),
        other => Some(Scheme::Other(other.to_owned())),
    };
    request.set_method(&method).map_err(|()| refused("method"))?;
    request.set_scheme(scheme.as_ref()).map_err(|()| refused("scheme"))?;
    request.set_authority(wish["authority"].as_str()).map_err(|()| refused("authority"))?;
    let path = wish.get("path").map_or(Some("/"), Value::as_str);
    request.set_path_with_query(path).map_err(|()| refused("path"))?;
    let options = RequestOptions::new();
    let milliseconds = |name: &str| wish[name].as_u64().map(|milliseconds| milliseconds * 1_000_000);
    let _ = options.set_first_byte_timeout(milliseconds("first_byte"));
    let _ = options.set_between_bytes_timeout(milliseconds("between_bytes"));

    let length = wish["body_of"].as_u64().and_then(|length| usize::try_from(length).ok());
    let bytes = length.map_or_else(|| text(wish, "body").into_bytes(), |length| vec![b'x'; length]);
    let body = if bytes.is_empty() { None } else { Some(request.body().map_err(|()| refused("body"))?) };
    let future = handle(request, Some(options)).map_err(|e| json!({ "error": format!("{e:?}") }))?;
    let Some(body) = body else { return Ok((future, None)) };
    // If not all of it is taken, the answer says why.
    let _ = write(&body, &bytes);
    match wish["body_is"].as_str() {
        Some("dropped") => drop(body),
        Some("open") => return Ok((future, Some(body))),
        _ => {
            let trailers = (wish["trailers"] == true).then(Fields::new);
            if let Some(trailers) = &trailers {
                let _ = trailers.append("x-trailer", b"yes");
            }
            let _ = OutgoingBody::finish(body, trailers);
        }
    }
    Ok((future, None))
}

fn write(body: &OutgoingBody, bytes: &[u8]) -> Result<(), StreamError> {
    let Ok(stream) = body.write() else { return Ok(()) };
    for part in bytes.chunks(4096) {
        stream.blocking_write_and_flush(part)?;
    }
    Ok(())
}

fn end(future: &FutureIncomingResponse) -> Value {
    future.subscribe().block();
    match future.get() {
        Some(Ok(Ok(response))) => answer(&response),
        Some(Ok(Err(error))) => failed(&error),
        Some(Err(())) | None => json!({ "error": "nothing" }),
    }
}

fn failed(error: &ErrorCode) -> Value {
    json!({ "error": format!("{error:?}") })
}

fn answer(response: &IncomingResponse) -> Value {
    let headers: Vec<(String, String)> = response
        .headers()
        .entries()
        .into_iter()
        .map(|(name, value)| (name, String::from_utf8_lossy(&value).into_owned()))
        .collect();
    let Ok(body) = response.consume() else { return json!({ "error": "no body" }) };
    let bytes = read(&body);
    let text: String = String::from_utf8_lossy(&bytes).chars().take(300).collect();
    json!({ "status": response.status(), "headers": headers, "length": bytes.len(), "body": text })
}

fn read(body: &IncomingBody) -> Vec<u8> {
    let mut all = Vec::new();
    let Ok(stream) = body.stream() else { return all };
    while let Ok(part) = stream.blocking_read(64 * 1024) {
        all.extend(part);
    }
    all
}

test_guests::guest!(manifest(), send, create);
