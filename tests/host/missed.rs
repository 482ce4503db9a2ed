//! What a component lacks, or looks for in vain, is told with what to do.

use crate::support::engine::TestEngine;
use crate::support::guests;
use serde_json::json;

/// What it lacks is told with the place to which it is to go.
#[tokio::test]
async fn needy() {
    let engine = TestEngine::builder().targets_in(guests()).start().await;
    let lack = engine.catalog.get("needy").await.unwrap().lacks().remove(0);
    assert!(lack.contains("`engine target grant \"needy\" --secret loft_key=https://provider.example`"), "{lack}");
}

/// What a creator says of a file that it does not find is told with why there is none; what it fails for otherwise is not.
#[tokio::test]
async fn a_folder_that_is_not_open_is_told_where_it_is_missed() {
    let engine = TestEngine::builder().targets_in(guests()).start().await;
    engine.record("needy", "anything").await;
    let made = async |extra| engine.create(&engine.request("needy", "Title", extra)).await.map_err(|e| e.to_string());
    let why = made(json!({ "template": "loft.txt" })).await.unwrap_err();
    let parts = [
        "The template cannot be read: ",
        ". The target needy may not read the folder of templates: the operator names none; `templates = \"FOLDER\"` under [target.needy] does.",
    ];
    assert!(parts.iter().all(|part| why.contains(part)), "{why}");
    assert!(made(json!({})).await.is_ok());

    let folder = tempfile::tempdir().unwrap();
    let section = format!("[target.needy]\ntemplates = '{}'\n", folder.path().display());
    let engine = TestEngine::builder().targets_in(guests()).with(&section).start().await;
    engine.record("needy", "anything").await;
    let made = async |extra| engine.create(&engine.request("needy", "Title", extra)).await.map_err(|e| e.to_string());
    let why = made(json!({ "template": "loft.txt" })).await.unwrap_err();
    assert!(why.contains("The template cannot be read: ") && !why.contains("may not"), "{why}");
    std::fs::write(folder.path().join("loft.txt"), "Coo.").unwrap();
    assert!(made(json!({ "template": "loft.txt" })).await.is_ok());
}

/// Who misses what other programs have is told what to do instead, in the creator and in the handler; who fails otherwise is not, whatever its language looks for.
#[tokio::test]
async fn misses() {
    let engine = TestEngine::builder().targets_in(guests()).start().await;
    engine.record("misses", "anything").await;
    let unasked = " The target misses may not read the folder of templates: its component does not ask for it in its manifest; its author adds `templates` there, and the operator `templates = \"FOLDER\"` under [target.misses].";
    let no_files = " There are no files in this call; the folder of templates is there in `create-notification`.";
    let no_variables = " A component has no environment: what it is to know are its settings (`runtime.setting`), and secrets are named in its requests.";
    let no_sockets = " Sockets are refused to every component: what leaves goes through `http` or `smtp` of the contract, or through `wasi:http`.";
    for (what, in_creator, in_handler) in [
        ("file", unasked, no_files),
        ("variable", no_variables, no_variables),
        ("unwrapped", no_variables, no_variables),
        ("connection", no_sockets, no_sockets),
        ("name", no_sockets, no_sockets),
        ("nothing", "It fails.", "It fails."),
    ] {
        let created = engine.create(&engine.request("misses", what, json!({ "create": what }))).await;
        let created = created.unwrap_err().to_string();
        let told = created.trim_end_matches(" Tell its author.");
        assert!(told.ends_with(in_creator), "{created}");
        let sent = engine.tried("misses", what, json!({ "send": what })).await.attempts.remove(0).message;
        assert!(sent.ends_with(in_handler), "{sent}");
        if what == "nothing" {
            assert_eq!((created.as_str(), sent.as_str()), ("The target misses refuses this: It fails.", "It fails."));
        }
    }
}
