use std::collections::BTreeMap;

use guest_sdk::samples;

use super::*;

fn request(title: &str, body: String) -> CreationRequest {
    samples::request(&["Loft 7, Vienna", "Loft 8, Vienna"], title, &body, r#"{"cheapskate":true}"#)
}

fn notification(extra: &str) -> Notification {
    samples::notification("Loft 7, Vienna", "Tea", "It is \"ready\".", extra)
}

#[test]
fn a_loft_has_one_spelling() {
    for typed in ["Loft 7, Vienna", "  Loft  7 ,\tVienna\n", "Loft 7,Vienna"] {
        assert_eq!(CarrierPigeon::check_address(typed.into()), Ok("Loft 7, Vienna".into()), "{typed:?}");
    }
    let manifest: Value = serde_json::from_str(&CarrierPigeon::describe().to_json()).unwrap();
    let example = manifest["address"]["example"].as_str().unwrap();
    assert_eq!(CarrierPigeon::check_address(example.into()), Ok(example.into()));
    let longest = format!("{}, b", "ü".repeat(LONGEST_LOFT - 3));
    assert_eq!(CarrierPigeon::check_address(longest.clone()), Ok(longest.clone()));
    let refused = |typed: &str| CarrierPigeon::check_address(typed.into()).unwrap_err().code;
    for typed in ["", " ", "Loft 7", ", Vienna", "Loft 7, ", "Loft \0, Vienna"] {
        assert_eq!(refused(typed), "not_a_loft", "{typed:?}");
    }
    assert_eq!(refused(&format!("{longest}b")), "loft_too_long");
}

#[test]
fn the_creator_makes_a_draft_for_each_loft() {
    let drafts = CarrierPigeon::create_notification(request("Tea", "ü".repeat(HEAVIEST_NOTE))).unwrap();
    assert_eq!(drafts.iter().map(|draft| draft.target_user_record_id.as_str()).collect::<Vec<_>>(), ["r1", "r2"]);
    assert_eq!(drafts[1].extra, r#"{"cheapskate":true}"#);
    let refused = |title, body| CarrierPigeon::create_notification(request(title, body)).unwrap_err().code;
    assert_eq!(refused("Tea", "x".repeat(HEAVIEST_NOTE + 1)), "too_heavy");
    assert_eq!(refused(" ", String::new()), "no_title");
}

#[test]
fn an_application_may_pass_two_flags_and_nothing_else() {
    let manifest: Value = serde_json::from_str(&CarrierPigeon::describe().to_json()).unwrap();
    let extra = &manifest["extra"];
    assert_eq!(extra["additionalProperties"], false);
    let kinds = extra["properties"].as_object().unwrap().iter().map(|(key, kind)| (key.as_str(), &kind["type"]));
    assert_eq!(
        json!(kinds.collect::<BTreeMap<_, _>>()),
        json!({ "cheapskate": "boolean", "speak_message": "boolean" })
    );
}

#[test]
fn a_flight_says_all_that_the_service_needs() {
    let request = flight("http://127.0.0.1:8100/", &notification(r#"{"speak_message":true,"cheapskate":true}"#));
    assert_eq!((request.method.as_str(), request.url.as_str()), ("POST", "http://127.0.0.1:8100/flights"));
    assert!(request.headers.contains(&("idempotency-key".into(), "k1".into())), "{:?}", request.headers);
    assert_eq!(request.about, ["n1"]);
    let said: Value = serde_json::from_slice(&request.body).unwrap();
    let (talking, pays) = ("talking_pigeon", "pay_on_delivery");
    let note =
        json!({ "loft": "Loft 7, Vienna", "title": "Tea", "note": "It is \"ready\".", talking: true, pays: true });
    assert_eq!(said, note);
    let flags = |extra: &str| {
        let said: Value = serde_json::from_slice(&flight("http://h", &notification(extra)).body).unwrap();
        (said[talking].as_bool(), said[pays].as_bool())
    };
    assert_eq!(flags(r#"{"speak_message":true}"#), (Some(true), Some(false)));
    assert_eq!(flags(r#"{"speak_message":false,"cheapskate":true}"#), (Some(false), Some(true)));
    for nothing in ["{}", "null", "", "["] {
        assert_eq!(flags(nothing), (Some(false), Some(false)), "{nothing}");
    }
}

#[test]
fn each_answer_has_its_outcome() {
    let answered = |status, body: &str| outcome(&Response { status, headers: vec![], body: body.into() });
    let delivered = Outcome::Delivered(Receipt::new("f1", "The pigeon has arrived."));
    assert_eq!(answered(201, r#"{"id":"f1"}"#), delivered);
    let died = Failure::new("PigeonDied", "The note fell with its pigeon: a hawk.");
    assert_eq!(answered(410, r#"{"error":"PigeonDied","message":"a hawk"}"#), Outcome::Failed(died));
    let lost = Failure::new("PigeonGotLost", "The note went astray: fog.");
    assert_eq!(answered(503, r#"{"error":"PigeonGotLost","message":"fog"}"#), Outcome::retry(Scope::Message, lost));
    for status in [200, 302, 500, 503] {
        assert!(matches!(answered(status, "no JSON"), Outcome::Unknown(_)), "{status}");
    }
    for status in [400, 404, 422] {
        assert!(matches!(answered(status, "[]"), Outcome::Failed(_)), "{status}");
    }
    let headers = vec![("retry-after".into(), "7".into())];
    let Outcome::Retry(wait) = outcome(&Response { status: 429, headers, body: vec![] }) else { unreachable!() };
    assert_eq!((wait.after, wait.scope), (Some(7), Scope::Account));
}
