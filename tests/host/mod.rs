//! The sandbox and its doors: one guest program, one test of its name.

mod doors;
mod grants;
mod guests;
mod modules;

/// A guest program that no test runs proves nothing.
#[test]
fn every_guest_has_a_test_of_its_name() {
    let tests = [include_str!("guests.rs"), include_str!("doors.rs"), include_str!("modules.rs")].concat();
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/guests/examples");
    let mut count = 0;
    for entry in std::fs::read_dir(examples).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(tests.contains(&format!("fn {name}()")), "the guest {name} has no test `{name}`");
        count += 1;
    }
    assert!(count > 10, "{examples} holds guest programs");
}
