//! A proper component of another world.

#[allow(unsafe_code, unused_qualifications, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        inline: "
            package elsewhere:greetings@1.0.0;
            world greeter { export greet: func(name: string) -> string; }
        ",
    });
}

pub struct Greeter;

impl bindings::Guest for Greeter {
    fn greet(name: String) -> String {
        format!("Hello, {name}.")
    }
}

#[cfg(target_family = "wasm")]
#[allow(unsafe_code, reason = "generated")]
mod exported {
    use super::{Greeter, bindings};
    bindings::export!(Greeter with_types_in bindings);
}
