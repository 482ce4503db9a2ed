//! Collects what the engine has to remember for it: `extra.pollables` of a clock that never come, or `extra.random` bytes from WASI in one go.

use guest_sdk::{Notification, Outcome};
use test_guests::extra;

#[allow(unsafe_code, unused_qualifications, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        inline: "
            package test:handles;

            package wasi:io@0.2.0 {
                interface poll { resource pollable { block: func(); } }
            }
            package wasi:clocks@0.2.0 {
                interface monotonic-clock {
                    use wasi:io/poll@0.2.0.{pollable};
                    type duration = u64;
                    subscribe-duration: func(when: duration) -> pollable;
                }
            }
            package wasi:random@0.2.0 {
                interface random { get-random-bytes: func(len: u64) -> list<u8>; }
            }
            world handles {
                import wasi:clocks/monotonic-clock@0.2.0;
                import wasi:random/random@0.2.0;
            }
        ",
        world: "test:handles/handles",
        generate_all,
    });
}

use bindings::wasi::clocks::monotonic_clock::subscribe_duration;
use bindings::wasi::random::random::get_random_bytes;

fn send(batch: Vec<Notification>) -> Vec<Outcome> {
    for wish in batch.iter().map(extra) {
        let pollables = wish["pollables"].as_u64().unwrap_or_default();
        let kept: Vec<_> = (0..pollables).map(|_| subscribe_duration(u64::MAX)).collect();
        std::mem::forget(kept);
        if let Some(count) = wish["random"].as_u64() {
            std::hint::black_box(get_random_bytes(count));
        }
    }
    test_guests::delivered(batch)
}

test_guests::guest!(test_guests::manifest("Handles"), send);
