//! Cannot deliver without a secret, which goes to its provider, and would read templates if there were any.

use guest_sdk::Secret;

fn manifest() -> guest_sdk::Manifest {
    test_guests::manifest("Needy")
        .origin("https://provider.example")
        .declare(Secret::new("loft_key", "Opens the loft."))
        .templates()
}

test_guests::guest!(manifest(), test_guests::delivered);
