//! Generated code and nothing else: the contract as Rust sees it. The rest of the crate gives it names.
//!
//! The types and the imports are generated once, from the world `target`. What a target may export besides comes from
//! two small worlds of our own: the linker unites the worlds of all export macros that a component uses, so `target`
//! and `receipts` together are the contract's `target-with-receipts`.

#![allow(missing_docs, reason = "the contract documents its items; the generator carries most of that over, not all")]
#![allow(unsafe_code, reason = "the generated glue passes values through the component's linear memory")]

/// What every target imports and exports.
pub mod target {
    wit_bindgen::generate!({
        path: "../wit",
        world: "notification:engine/target",
        additional_derives: [PartialEq, Eq],
        export_macro_name: "export_notification_target",
        pub_export_macro: true,
        generate_all,
    });
}

/// The export `receipts` alone.
pub mod receipts {
    wit_bindgen::generate!({
        path: "../wit",
        inline: "
            package notification:sdk-receipts;
            world receipts-alone { export notification:engine/receipts@0.1.0; }
        ",
        world: "notification:sdk-receipts/receipts-alone",
        additional_derives: [PartialEq, Eq],
        export_macro_name: "export_receipts",
        pub_export_macro: true,
        with: {
            "notification:engine/types@0.1.0": crate::bindings::target::notification::engine::types,
            "notification:engine/fates@0.1.0": generate,
        },
    });
}

/// The export `callbacks` alone.
pub mod callbacks {
    wit_bindgen::generate!({
        path: "../wit",
        inline: "
            package notification:sdk-callbacks;
            world callbacks-alone { export notification:engine/callbacks@0.1.0; }
        ",
        world: "notification:sdk-callbacks/callbacks-alone",
        additional_derives: [PartialEq, Eq],
        export_macro_name: "export_callbacks",
        pub_export_macro: true,
        with: {
            "notification:engine/types@0.1.0": crate::bindings::target::notification::engine::types,
            "notification:engine/fates@0.1.0": crate::bindings::receipts::notification::engine::fates,
        },
    });
}
