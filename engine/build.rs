//! Builds the components that come with the engine, out of `handlers/`, and lists them in `$OUT_DIR/bundled.rs`; the one that the demo
//! shows as somebody's own, out of `examples/`; and the one that `engine bench` calls.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, error, fs};

use guest_build::Guest;

const BUNDLED: &[Guest] = &[
    Guest::Library { package: "target-email", folder: "handlers/email", lib: "email" },
    Guest::Library { package: "target-expo", folder: "handlers/expo", lib: "expo" },
    Guest::Library { package: "target-twilio", folder: "handlers/twilio", lib: "twilio" },
];

const FOR_DEVELOPMENT: &[Guest] = &[
    Guest::Library { package: "carrier-pigeon", folder: "examples/carrier_pigeon", lib: "carrier_pigeon" },
    Guest::Library { package: "noop", folder: "bench/noop", lib: "noop" },
];

fn main() -> ExitCode {
    match bundle() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo::error={error}");
            ExitCode::FAILURE
        }
    }
}

fn bundle() -> Result<(), Box<dyn error::Error>> {
    let workspace = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("..").canonicalize()?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    guest_build::print_watched(&workspace, BUNDLED);
    guest_build::print_watched(&workspace, FOR_DEVELOPMENT);

    guest_build::copy_to(&out.join("development"), &guest_build::build(&workspace, FOR_DEVELOPMENT)?)?;
    let built = guest_build::build(&workspace, BUNDLED)?;
    guest_build::copy_to(&out.join("bundled"), &built)?;
    let mut list =
        String::from("/// The bundled components: name and bytes.\npub const BUNDLED: &[(&str, &[u8])] = &[\n");
    for component in built {
        let name = component.name;
        list += &format!("    ({name:?}, include_bytes!(concat!(env!(\"OUT_DIR\"), \"/bundled/{name}.wasm\"))),\n");
    }
    list += "];\n";
    fs::write(out.join("bundled.rs"), list)?;
    Ok(())
}
