//! The macro that makes a component of a type.

/// Exports a type that implements [`Target`](crate::Target) as this component's target, and, if so marked, its
/// [`Receipts`](crate::receipts::Receipts) and [`Callbacks`](crate::callbacks::Callbacks). Once in a component, in its
/// root.
///
/// It exports nothing unless the code is compiled to WebAssembly, as a component's export names are not names that a
/// native linker takes. So `cargo test` runs a target's own functions natively.
///
/// ```
/// # use guest_sdk::{CreationRequest, Draft, Failure, Manifest, Notification, Outcome, Target};
/// # struct Pigeon;
/// # impl Target for Pigeon {
/// #     fn describe() -> Manifest { Manifest::new("Carrier Pigeon", "1.0.0").summary("Sends a pigeon.").address("A loft", "Loft 7") }
/// #     fn check_address(loft: String) -> Result<String, Failure> { Ok(loft) }
/// #     fn create_notification(request: CreationRequest) -> Result<Vec<Draft>, Failure> { Ok(Draft::for_each_record(request)) }
/// #     fn send_notifications(batch: Vec<Notification>) -> Vec<Outcome> { vec![] }
/// # }
/// guest_sdk::export_target!(Pigeon);
/// // or: guest_sdk::export_target!(Pigeon with receipts);
/// // or: guest_sdk::export_target!(Pigeon with callbacks);
/// // or: guest_sdk::export_target!(Pigeon with receipts, callbacks);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! export_target {
    ($target:ident) => {
        // Counts as a use, so that a native build does not call all of the target's functions dead.
        #[cfg(not(target_family = "wasm"))]
        const _: fn() -> $crate::Manifest = <$target as $crate::Target>::describe;
        #[cfg(target_family = "wasm")]
        $crate::bindings::target::export_notification_target!($target with_types_in $crate::bindings::target);
    };
    ($target:ident with receipts) => {
        $crate::export_target!($target);
        #[cfg(target_family = "wasm")]
        $crate::bindings::receipts::export_receipts!($target with_types_in $crate::bindings::receipts);
    };
    ($target:ident with callbacks) => {
        $crate::export_target!($target);
        #[cfg(target_family = "wasm")]
        $crate::bindings::callbacks::export_callbacks!($target with_types_in $crate::bindings::callbacks);
    };
    ($target:ident with receipts, callbacks) => {
        $crate::export_target!($target with receipts);
        #[cfg(target_family = "wasm")]
        $crate::bindings::callbacks::export_callbacks!($target with_types_in $crate::bindings::callbacks);
    };
}
