//! What a target is set up with: its component, grants, settings, secrets; and how engines notice that it has changed.

use engine::rules::budget::{Limit, Said};
use engine::rules::grants::Capability;
use engine::rules::origin::Origin;
use engine::rules::sealed::SealedSecret;
use engine::rules::setup::Setup;
use engine::rules::target::Target;
use engine::rules::tenant::Tenant;
use engine::store::{Installation, StoreError, Thing, Upserted};
use jiff::SignedDuration;
use serde_json::{Map, json};
use uuid::Uuid;

use super::{Database, TENANT, noon, on_every_database, target};

fn origin(text: &str) -> Origin {
    Origin::parse(text).unwrap()
}

fn pigeons() -> Capability {
    Capability::http("https://pigeons.example").unwrap()
}

fn installation(target: &Target, bytes: &[u8]) -> Installation {
    Installation {
        target: target.clone(),
        is_new: true,
        digest: format!("sha256:{}", bytes.len()),
        bytes: bytes.to_vec(),
        grants: vec![pigeons(), Capability::Smtp(None)],
        settings: Map::from_iter([("wings".to_owned(), json!(2)), ("name".to_owned(), json!("Änne"))]),
        limits: Said::from([(Limit::Cpu, 200), (Limit::Memory, 32 << 20)]),
    }
}

fn secret(name: &str, target: Option<Uuid>) -> SealedSecret {
    SealedSecret {
        id: Uuid::now_v7(),
        name: name.to_owned(),
        target,
        key_id: "k1".to_owned(),
        ciphertext: vec![0, 1, 254, 255],
        origins: vec![origin("https://a.example"), origin("https://b.example")],
    }
}

async fn setup(database: &Database, target: &Target) -> Setup {
    let mut setup = database.store.target_setup(TENANT, target.id).await.unwrap();
    setup.grants.sort_unstable();
    setup.secrets.sort_by(|one, other| (&one.name, one.target).cmp(&(&other.name, other.target)));
    setup.secrets.iter_mut().for_each(|secret| secret.origins.sort_unstable());
    setup
}

async fn an_installed_component_is_found_as_it_was(database: Database) {
    let pigeon = target("Pigeon");
    let bytes: Vec<u8> = (0..100_000).map(|i| (i % 251) as u8).collect();
    let installation = installation(&pigeon, &bytes);
    let change = database.store.install(TENANT, &installation, noon()).await.unwrap();
    assert_eq!(change, Upserted::Added);
    let found = setup(&database, &pigeon).await;
    assert_eq!(found.component.as_deref(), Some(installation.digest.as_str()));
    assert_eq!(
        (found.grants, found.settings),
        (vec![pigeons(), Capability::Smtp(None)], installation.settings.clone())
    );
    assert_eq!(found.limits, installation.limits);
    assert_eq!(database.store.find_component(TENANT, &installation.digest).await.unwrap(), Some(bytes));
    assert_eq!(database.store.find_component(TENANT, "sha256:none").await.unwrap(), None);
    assert_eq!(database.store.find_component(Tenant(2), &installation.digest).await.unwrap(), None);
    let listed = database.store.find_target(TENANT, "Pigeon").await.unwrap();
    assert!(listed.revision > 0);

    let other = Target { id: Uuid::now_v7(), ..pigeon.clone() };
    let taken = Installation { target: other, ..self::installation(&target("x"), b"2") };
    let refusal = database.store.install(TENANT, &taken, noon()).await.unwrap_err();
    assert!(matches!(refusal, StoreError::AlreadyExists { what: Thing::Target, .. }), "{refusal:?}");
    assert_eq!(database.store.find_component(TENANT, &taken.digest).await.unwrap(), None, "nothing is half done");

    // A null takes a setting away, and what is not said stays.
    let again =
        Installation { is_new: false, settings: Map::from_iter([("wings".to_owned(), json!(null))]), ..installation };
    database.store.install(TENANT, &again, noon()).await.unwrap();
    assert_eq!(setup(&database, &pigeon).await.settings, Map::from_iter([("name".to_owned(), json!("Änne"))]));
}

async fn how_long_calls_take_is_kept_for_this_component(database: Database) {
    let [pigeon, other] = [target("Pigeon"), target("Other")];
    let installation = installation(&pigeon, b"component");
    database.store.install(TENANT, &installation, noon()).await.unwrap();
    let paces = async || database.store.paces(TENANT).await.unwrap();
    assert_eq!(paces().await, []);
    let later = noon() + SignedDuration::from_secs(60);
    for (noted, kept) in [(None, None), (Some(later), Some(later)), (Some(noon()), Some(later)), (None, Some(later))] {
        database.store.note_pace(TENANT, pigeon.id, noted).await.unwrap();
        assert_eq!(paces().await, [(pigeon.id, kept)]);
    }
    database.store.note_pace(TENANT, other.id, None).await.unwrap();
    assert_eq!(paces().await.len(), 1, "of a target that is gone nothing is kept");
    database.store.install(TENANT, &Installation { is_new: false, ..installation }, noon()).await.unwrap();
    assert_eq!(paces().await, [], "another component may be another's work");
}

async fn a_component_goes_with_its_last_target(database: Database) {
    let (one, other) = (target("One"), target("Other"));
    for target in [&one, &other] {
        database.store.install(TENANT, &installation(target, b"component"), noon()).await.unwrap();
    }
    database.store.set_secret(TENANT, &secret("token", Some(one.id)), noon()).await.unwrap();
    database.store.note_pace(TENANT, one.id, None).await.unwrap();
    let digest = installation(&one, b"component").digest;
    database.store.remove_target(TENANT, one.id).await.unwrap();
    assert!(database.store.find_component(TENANT, &digest).await.unwrap().is_some(), "another one has it");
    for table in ["grants", "target_settings", "target_limits", "target_components", "target_paces"] {
        assert_eq!(
            database.number(format!("SELECT count(*) FROM {table} WHERE target_id = {}", database.id(one.id))).await,
            0,
            "{table}"
        );
    }
    assert_eq!(database.number("SELECT count(*) FROM secret_origins").await, 0);
    database.store.remove_target(TENANT, other.id).await.unwrap();
    assert_eq!(database.number("SELECT count(*) FROM components").await, 0);
}

async fn a_component_that_is_replaced_goes_too(database: Database) {
    let pigeon = target("Pigeon");
    database.store.install(TENANT, &installation(&pigeon, b"old"), noon()).await.unwrap();
    let before = setup(&database, &pigeon).await;
    let newer = Installation {
        is_new: false,
        grants: Vec::new(),
        settings: Map::new(),
        limits: Said::new(),
        ..installation(&pigeon, b"newer")
    };
    assert_eq!(database.store.install(TENANT, &newer, noon()).await.unwrap(), Upserted::Changed);
    let after = setup(&database, &pigeon).await;
    assert_eq!(after.component, Some(newer.digest));
    assert_eq!((&after.grants, &after.settings), (&before.grants, &before.settings), "what was granted and set stays");
    assert_eq!(after.limits, before.limits);
    assert!(after.revision > before.revision);
    assert_eq!(database.number("SELECT count(*) FROM components").await, 1);
}

async fn each_change_and_nothing_else_makes_a_new_revision(database: Database) {
    let (pigeon, email) = (database.target("Pigeon").await, database.email().await);
    let store = &database.store;
    let revisions = async || {
        let of = async |target: &Target| store.target_revision(TENANT, target.id).await.unwrap();
        (of(&pigeon).await, of(&email).await)
    };
    let mut before = revisions().await;
    let token = secret("token", Some(pigeon.id));
    let shared = secret("shared", None);
    assert_eq!(store.grant(TENANT, pigeon.id, &[pigeons()], noon()).await.unwrap(), 1);
    let mut changes = vec![(revisions().await, (true, false))];
    assert_eq!(store.grant(TENANT, pigeon.id, &[pigeons()], noon()).await.unwrap(), 0, "granted already");
    changes.push((revisions().await, (false, false)));
    store.limit_target(TENANT, pigeon.id, &Said::from([(Limit::Cpu, 100)]), &[], noon()).await.unwrap();
    changes.push((revisions().await, (true, false)));
    store.limit_target(TENANT, pigeon.id, &Said::new(), &[Limit::Cpu], noon()).await.unwrap();
    changes.push((revisions().await, (true, false)));
    assert!(setup(&database, &pigeon).await.limits.is_empty());
    store.set_secret(TENANT, &token, noon()).await.unwrap();
    changes.push((revisions().await, (true, false)));
    store.set_secret(TENANT, &shared, noon()).await.unwrap();
    changes.push((revisions().await, (true, true)));
    store.remove_secret(TENANT, None, "shared", noon()).await.unwrap();
    changes.push((revisions().await, (true, true)));
    assert_eq!(store.revoke(TENANT, pigeon.id, &[pigeons(), Capability::Smtp(None)], noon()).await.unwrap(), 1);
    changes.push((revisions().await, (true, false)));
    assert_eq!(store.revoke(TENANT, pigeon.id, &[pigeons()], noon()).await.unwrap(), 0);
    changes.push((revisions().await, (false, false)));
    for (place, (after, grew)) in changes.into_iter().enumerate() {
        assert_eq!((after.0 > before.0, after.1 > before.1), grew, "change {place}");
        before = after;
    }
    let claimed = database.user_of(TENANT, "bob", pigeon.clone()).await;
    database.due(&claimed, noon()).await;
    assert_eq!(database.claim_one().await.target.revision, before.0, "it comes with the claim");
}

async fn secrets_are_of_a_target_or_of_all(database: Database) {
    let (pigeon, email) = (database.target("Pigeon").await, database.email().await);
    let store = &database.store;
    let (of_all, of_pigeon) = (secret("token", None), secret("token", Some(pigeon.id)));
    for secret in [&of_all, &of_pigeon] {
        store.set_secret(TENANT, secret, noon()).await.unwrap();
    }
    assert_eq!(setup(&database, &email).await.secrets, std::slice::from_ref(&of_all));
    assert_eq!(setup(&database, &pigeon).await.secrets, [of_all.clone(), of_pigeon.clone()]);
    let listed = store.list_secrets(TENANT).await.unwrap();
    let names: Vec<_> = listed.iter().map(|listed| listed.target_name.as_deref()).collect();
    assert_eq!(names, [None, Some("Pigeon")]);

    let anew =
        SealedSecret { origins: vec![origin("https://c.example")], ciphertext: vec![7], ..secret("token", None) };
    store.set_secret(TENANT, &anew, noon()).await.unwrap();
    assert_eq!(setup(&database, &email).await.secrets, [anew], "it takes the place of the one before, origins and all");
    assert_eq!(database.number("SELECT count(*) FROM secret_origins").await, 3);

    store.remove_secret(TENANT, Some(pigeon.id), "token", noon()).await.unwrap();
    let refusal = store.remove_secret(TENANT, Some(pigeon.id), "token", noon()).await.unwrap_err();
    assert_eq!(refusal.to_string(), "There is no secret `token`: `engine secret list` shows those there are.");
    assert_eq!(setup(&database, &pigeon).await.secrets.len(), 1);
    assert!(store.set_secret(TENANT, &secret("Token", None), noon()).await.is_err());
}

async fn only_what_is_as_it_was_read_is_encrypted_anew(database: Database) {
    let store = &database.store;
    let (one, two) = (secret("one", None), secret("two", None));
    for secret in [&one, &two] {
        store.set_secret(TENANT, secret, noon()).await.unwrap();
    }
    let anew = |secret: &SealedSecret| {
        ("k1".to_owned(), SealedSecret { key_id: "k2".to_owned(), ciphertext: vec![2], ..secret.clone() })
    };
    let meanwhile = SealedSecret { key_id: "k3".to_owned(), ..secret("two", None) };
    store.set_secret(TENANT, &meanwhile, noon()).await.unwrap();
    assert_eq!(store.reseal_secrets(TENANT, &[anew(&one), anew(&two)], noon()).await.unwrap(), 1);
    let keys: Vec<_> = store.list_secrets(TENANT).await.unwrap().into_iter().map(|l| l.secret.key_id).collect();
    assert_eq!(keys, ["k2", "k3"]);
}

async fn what_is_another_tenants_is_not_found(database: Database) {
    let other = database.other_tenant().await;
    let pigeon = database.target("Pigeon").await;
    let store = &database.store;
    store.set_secret(TENANT, &secret("token", None), noon()).await.unwrap();
    for (place, refusal) in [
        store.grant(other, pigeon.id, &[pigeons()], noon()).await.map(drop),
        store.revoke(other, pigeon.id, &[pigeons()], noon()).await.map(drop),
        store.target_setup(other, pigeon.id).await.map(drop),
        store.target_revision(other, pigeon.id).await.map(drop),
        store.set_secret(other, &secret("token", Some(pigeon.id)), noon()).await,
        store.remove_secret(other, None, "token", noon()).await,
        store.install(other, &Installation { is_new: false, ..installation(&pigeon, b"x") }, noon()).await.map(drop),
    ]
    .into_iter()
    .enumerate()
    {
        assert!(matches!(refusal, Err(StoreError::NotFound { .. })), "number {place}: {refusal:?}");
    }
    assert_eq!(store.list_secrets(other).await.unwrap(), []);
}

on_every_database!(
    an_installed_component_is_found_as_it_was,
    a_component_goes_with_its_last_target,
    how_long_calls_take_is_kept_for_this_component,
    a_component_that_is_replaced_goes_too,
    each_change_and_nothing_else_makes_a_new_revision,
    secrets_are_of_a_target_or_of_all,
    only_what_is_as_it_was_read_is_encrypted_anew,
    what_is_another_tenants_is_not_found,
);
