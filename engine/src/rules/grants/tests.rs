use super::*;
use crate::rules::allowed::Sender;
use crate::rules::manifest::{Http, SecretAsked};

fn origin(text: &str) -> Origin {
    Origin::parse(text).unwrap()
}

/// The three keys of a target, each given in a few words.
#[derive(Default)]
struct Keys<'a> {
    asked: &'a [&'a str],
    granted: &'a [&'a str],
    operator: OperatorWord,
    bound: &'a [(&'a str, &'a str)],
}

impl Keys<'_> {
    /// `asked` and `granted` are words such as `http https://a.example`, `smtp`, `smtp a@b.example`, `secret token=https://a.example`.
    fn grants(&self) -> Grants {
        let mut manifest = Manifest::named("Pigeon");
        let secret = |name: &str| SecretAsked {
            name: name.into(),
            purpose: String::new(),
            required: false,
            format: Default::default(),
            prefix: String::new(),
        };
        for word in self.asked {
            match word.split_once(' ') {
                Some(("http", "record_address")) => manifest.http.record_address = true,
                Some(("http", of)) => manifest.http.origins.push(origin(of)),
                Some(("secret", name)) => manifest.secrets.push(secret(name)),
                _ if *word == "smtp" => manifest.smtp = true,
                _ => manifest.templates = true,
            }
        }
        let granted = self.granted.iter().map(|word| capability(word)).collect();
        let mut bound: BTreeMap<String, Vec<Origin>> = BTreeMap::new();
        for (name, to) in self.bound {
            bound.entry((*name).to_owned()).or_default().push(origin(to));
        }
        Grants::new("Carrier Pigeon", "carrier_pigeon", &manifest, granted, self.operator.clone(), bound)
    }
}

fn capability(word: &str) -> Capability {
    let (kind, scope) = word.split_once(' ').unwrap_or((word, ""));
    Capability::stored(kind, scope).unwrap()
}

fn bundled() -> OperatorWord {
    OperatorWord { bundled: true, sender: Some("own@example.org".into()), ..OperatorWord::default() }
}

fn allowing(plain: &[&str], networks: &[&str], senders: &[&str]) -> OperatorWord {
    let allowed = Allowed {
        plain_http: plain.iter().map(|text| origin(text)).collect(),
        networks: networks.iter().map(|text| text.parse().unwrap()).collect(),
        senders: senders.iter().map(|text| Sender::parse(text).unwrap()).collect(),
    };
    OperatorWord { allowed, ..OperatorWord::default() }
}

fn word(base_url: &str) -> OperatorWord {
    OperatorWord { base_url: Some(origin(base_url)), ..OperatorWord::default() }
}

/// Which keys turn, as three letters: asked, granted, allowed.
fn keys(decision: Decision) -> String {
    let letter = |turns: bool, letter| if turns { letter } else { '-' };
    [letter(decision.asked, 'a'), letter(decision.granted, 'g'), letter(decision.allowed, 'o')].into_iter().collect()
}

#[test]
fn three_keys_open_a_capability() {
    let a = "http https://a.example";
    let wild = "http https://*.push.example";
    let none = OperatorWord::default;
    for (asked, granted, operator, wanted, turn) in [
        // HTTP.
        (&[][..], &[][..], none(), a, "--o"),
        (&[a], &[], none(), a, "a-o"),
        (&[], &[a], none(), a, "-go"),
        (&[a], &[a], none(), a, "ago"),
        (&[a], &[a], none(), "http https://a.example:8443", "--o"),
        (&[a], &[a], none(), "http http://a.example", "---"),
        (&[wild], &["http https://eu.push.example"], none(), "http https://eu.push.example", "ago"),
        (&[wild], &["http https://eu.push.example"], none(), "http https://us.push.example", "a-o"),
        (&["http https://eu.push.example"], &[wild], none(), "http https://us.push.example", "-go"),
        (&[wild], &["http https://eu.push.example"], none(), wild, "a-o"),
        // Plain HTTP and addresses need the operator.
        (&["http http://a.example"], &["http http://a.example"], none(), "http http://a.example", "ag-"),
        (
            &["http http://a.example"],
            &["http http://a.example"],
            allowing(&["http://a.example"], &[], &[]),
            "http http://a.example",
            "ago",
        ),
        (&["http https://10.0.0.1"], &["http https://10.0.0.1"], none(), "http https://10.0.0.1", "ag-"),
        (
            &["http https://10.0.0.1"],
            &["http https://10.0.0.1"],
            allowing(&[], &["10.0.0.0/8"], &[]),
            "http https://10.0.0.1",
            "ago",
        ),
        // The operator's word is all three, for one exact origin.
        (&[], &[], word("http://127.0.0.1:8080"), "http http://127.0.0.1:8080", "ago"),
        (&[], &[], word("http://127.0.0.1:8080"), "http http://127.0.0.1:8081", "---"),
        (&[], &[], word("http://127.0.0.1:8080"), "http http://localhost:8080", "---"),
        // What is bundled is granted what it asks for, and no more is allowed to it.
        (&[a], &[], bundled(), a, "ago"),
        (&[a], &[], bundled(), "http https://b.example", "--o"),
        (&["http http://a.example"], &[], bundled(), "http http://a.example", "ag-"),
        // The address of a record.
        (&["http record_address"], &[], none(), "http record_address", "a-o"),
        (&["http record_address"], &["http record_address"], none(), "http record_address", "ago"),
        (&[], &["http record_address"], none(), "http record_address", "-go"),
        // Mail.
        (&["smtp"], &["smtp"], none(), "smtp", "ag-"),
        (&["smtp"], &["smtp"], allowing(&[], &[], &["news@example.org"]), "smtp", "ago"),
        (&["smtp"], &[], allowing(&[], &[], &["news@example.org"]), "smtp", "a-o"),
        (&["smtp"], &["smtp"], allowing(&[], &[], &["news@example.org"]), "smtp NEWS@example.org", "ago"),
        (&["smtp"], &["smtp"], allowing(&[], &[], &["@example.org"]), "smtp ceo@example.org", "a-o"),
        (&["smtp"], &["smtp ceo@example.org"], allowing(&[], &[], &["@example.org"]), "smtp ceo@example.org", "ago"),
        (&["smtp"], &["smtp ceo@example.com"], allowing(&[], &[], &["@example.org"]), "smtp ceo@example.com", "ag-"),
        (&[], &["smtp"], allowing(&[], &[], &["news@example.org"]), "smtp", "-go"),
        (&["smtp"], &[], bundled(), "smtp", "ago"),
        (&["smtp"], &[], bundled(), "smtp ceo@example.org", "a--"),
        (&[], &[], OperatorWord { smtp: true, ..bundled() }, "smtp", "ago"),
        (&[], &[], OperatorWord { smtp: true, ..bundled() }, "smtp ceo@example.org", "---"),
        // Templates are the operator's to give.
        (&["templates"], &[], none(), "templates", "a--"),
        (&["templates"], &[], OperatorWord { templates: true, ..none() }, "templates", "ago"),
    ] {
        let grants = Keys { asked, granted, operator, bound: &[] }.grants();
        let wanted = if wanted == "templates" { Capability::Templates } else { capability(wanted) };
        assert_eq!(keys(decide(&grants, &wanted)), turn, "{asked:?} {granted:?} {wanted}");
    }
}

#[test]
fn a_secret_goes_only_where_it_is_bound_and_granted() {
    let asked = ["secret token", "http https://a.example", "http https://b.example"];
    let all = [
        "secret token=https://a.example",
        "secret token=https://b.example",
        "http https://a.example",
        "http https://b.example",
    ];
    for (granted, bound, towards, turn) in [
        (&all[..], &[("token", "https://a.example")][..], "https://a.example", "ago"),
        // Granted for both, and bound to one.
        (&all, &[("token", "https://a.example")], "https://b.example", "ag-"),
        // Bound to both, and granted for one.
        (&all[..1], &[("token", "https://a.example"), ("token", "https://b.example")], "https://b.example", "a-o"),
        (&[], &[("token", "https://a.example")], "https://a.example", "a-o"),
        (&all, &[], "https://a.example", "ag-"),
        // Where its component does not go, and where it goes by names below one.
        (&all, &[("token", "https://*.push.example")], "https://push.example", "---"),
        (&all, &[("token", "https://*.push.example")], "https://eu.push.example", "--o"),
        (&["secret token"], &[("token", "https://a.example")], "https://a.example", "a-o"),
    ] {
        let keys_of = Keys { asked: &asked, granted, bound, ..Keys::default() };
        let wanted = Capability::Secret("token".into(), Some(origin(towards)));
        assert_eq!(keys(decide(&keys_of.grants(), &wanted)), turn, "{granted:?} {bound:?} {towards}");
    }
    // What the operator names for a stranger's component goes to the operator's origin.
    let operator = OperatorWord { secrets: vec!["token".into()], ..word("https://c.example") };
    let manifest = Manifest {
        http: Http { origins: vec![origin("https://a.example")], record_address: false },
        ..Manifest::named("P")
    };
    assert_eq!(operators_origins(&manifest, &operator), [origin("https://c.example")]);
    assert_eq!(operators_origins(&manifest, &bundled()), [origin("https://a.example")]);
}

#[test]
fn a_call_is_judged_by_the_decision() {
    let granted = [
        "http https://coo.example",
        "secret token=https://coo.example",
        "secret other=https://coo.example",
        "secret hook=https://coo.example",
    ];
    let asked = ["http https://coo.example", "secret token", "secret other", "secret unset", "secret hook"];
    let bound =
        [("token", "https://coo.example"), ("other", "https://elsewhere.example"), ("unset", "https://coo.example")];
    let grants = Keys { asked: &asked, granted: &granted, bound: &bound, ..Keys::default() }.grants();
    for (url, secrets, code) in [
        ("https://coo.example/--/api", &["token"][..], ""),
        ("https://COO.EXAMPLE./x", &[], ""),
        // The parser that judges is the one that sends: this goes to coo.example.
        ("https://coo.example\\@evil.example/", &[], ""),
        ("https://evil.example\\@coo.example/", &[], "origin_not_asked"),
        ("http://coo.example/", &[], "origin_not_asked"),
        ("https://coo.example/", &["other"], "secret_not_bound"),
        ("https://coo.example/", &["unset"], "secret_not_granted"),
        ("https://coo.example/", &["engine_key"], "secret_not_granted"),
        // It has no value, which the door says.
        ("https://coo.example/", &["hook"], ""),
        ("https://u:p@coo.example/", &[], "invalid_url"),
        ("ftp://coo.example/", &[], "invalid_url"),
        ("coo.example", &[], "invalid_url"),
        ("https:///", &[], "invalid_url"),
        ("", &[], "invalid_url"),
    ] {
        let code_found = http(&grants, Call::Send, url, secrets, &[]).err().map_or("", |denial| denial.code);
        assert_eq!(code_found, code, "{url} {secrets:?}");
    }
}

#[test]
fn the_address_of_a_record_opens_its_own_origin_alone() {
    let record = [origin("https://ada.example")];
    for (asked, granted, url, code) in [
        (&["http record_address"][..], &["http record_address"][..], "https://ada.example/hook", ""),
        (&["http record_address"], &["http record_address"], "https://bob.example/hook", "origin_not_asked"),
        (&["http record_address"], &["http record_address"], "http://ada.example/hook", "origin_not_asked"),
        (&["http record_address"], &[], "https://ada.example/hook", "origin_not_granted"),
        (&[], &["http record_address"], "https://ada.example/hook", "origin_not_asked"),
    ] {
        let grants = Keys { asked, granted, ..Keys::default() }.grants();
        let found = http(&grants, Call::Send, url, &[], &record).err();
        assert_eq!(found.as_ref().map_or("", |denial| denial.code), code, "{url}");
        if code == "origin_not_granted" {
            let message = found.unwrap().message;
            assert!(message.contains("`engine target grant \"Carrier Pigeon\" --http record_address`"), "{message}");
        }
    }
    let grants =
        Keys { asked: &["http record_address"], granted: &["http record_address"], ..Keys::default() }.grants();
    let inside = [origin("https://10.0.0.1")];
    let denial = http(&grants, Call::Send, "https://10.0.0.1/", &[], &inside).unwrap_err();
    assert_eq!(denial.code, "record_not_allowed");
    assert!(
        denial.message.contains("`[sandbox] networks` does not hold \"10.0.0.1/32\"; give the record another"),
        "{denial}"
    );
    let named = not_public(&grants, &record[0], &record, "ada.example", [10, 0, 0, 1].into());
    assert_eq!(named.code, "record_not_allowed", "{named}");
    let elsewhere = not_public(&grants, &origin("https://bob.example"), &record, "bob.example", [10, 0, 0, 1].into());
    assert_eq!(elsewhere.code, "address_not_public", "{elsewhere}");
    for (address, forbidden) in [
        ("https://10.0.0.1/hook", true),
        ("http://ada.example/hook", true),
        ("https://localhost/", true),
        ("https://ada.example/hook", false),
        ("ada@example.org", false),
        ("mailto:ada@example.org", false),
    ] {
        assert_eq!(super::record(&grants, address).is_err(), forbidden, "{address}");
    }
    let unfollowed = Keys { asked: &["http record_address"], ..Keys::default() }.grants();
    assert_eq!(super::record(&unfollowed, "https://10.0.0.1/hook"), Ok(()));
}

/// Where it is open below a wildcard, or wants a secret, too: what somebody has written there who sets nothing up stops nobody else.
#[test]
fn what_a_record_brings_is_the_records() {
    let keys = |granted: &'static [&'static str]| Keys {
        asked: &["http record_address", "http https://*.wild.example", "http https://a.example", "secret token"],
        granted,
        bound: &[("token", "https://a.example")],
        ..Keys::default()
    };
    let most = &[
        "http record_address",
        "http https://*.wild.example",
        "http https://a.example",
        "secret token=https://a.example",
    ];
    let grants = keys(most).grants();
    let inside =
        |to: &str, grants: &Grants| not_public(grants, &origin(to), &[origin(to)], "h", [10, 0, 0, 1].into()).code;
    assert_eq!(inside("https://ada.wild.example", &grants), "record_not_allowed");
    assert_eq!(inside("https://a.example", &grants), "address_not_public", "its own provider");
    let sent = |to: &str, grants: &Grants| {
        http(grants, Call::Send, to, &["token"], &[origin(to)]).err().map(|denial| denial.code)
    };
    assert_eq!(sent("https://ada.wild.example", &grants), Some("record_not_allowed"));
    assert_eq!(sent("https://bob.example", &grants), Some("record_not_allowed"));
    assert_eq!(sent("https://a.example", &grants), None);
    let meant = keys(&[
        "http record_address",
        "secret token=https://a.example",
        "http https://a.example",
        "secret token=https://bob.example",
    ]);
    assert_eq!(sent("https://bob.example", &meant.grants()), Some("secret_not_bound"), "somebody has granted it there");
    let base_url = word("https://inner.example");
    let beside = Keys { operator: base_url, ..keys(most) }.grants();
    assert_eq!(sent("https://inner.example", &beside), Some("record_not_allowed"), "open otherwise, too");
    let without = keys(&most[..3]).grants();
    assert_eq!(sent("https://bob.example", &without), Some("secret_not_granted"), "it is for nowhere yet");
}

#[test]
fn a_denial_says_what_would_allow_it() {
    let http_of = |keys: Keys<'_>, url: &str| http(&keys.grants(), Call::Send, url, &[], &[]).unwrap_err().message;
    let a = "http https://a.example";
    let message = http_of(Keys { asked: &[a], ..Keys::default() }, "https://a.example/x");
    let expected = "The target Carrier Pigeon may not use HTTP to https://a.example: it is not granted; `engine target grant \"Carrier Pigeon\" --http https://a.example` lets it.";
    assert_eq!(message, expected);
    let message = http_of(Keys { granted: &[a], ..Keys::default() }, "https://a.example/x");
    assert!(
        message.contains("does not ask for it in its manifest") && !message.contains("engine target grant"),
        "{message}"
    );
    assert!(
        message.contains("opens it with `base_url = \"https://a.example\"` under [target.carrier_pigeon]"),
        "{message}"
    );
    let slip = http_of(Keys { asked: &[a, "http record_address"], ..Keys::default() }, "https://a.exmple/x");
    let meant = "but for https://a.example, the record's own address (did you mean https://a.example?); its author adds https://a.exmple";
    assert!(slip.contains(meant), "{slip}");
    let slip = Keys { asked: &[a], operator: word("https://a.exmple"), ..Keys::default() };
    let message = http_of(slip, "https://a.example/x");
    assert!(
        message.contains("by `base_url` under [target.carrier_pigeon]: if that is a slip, mend it instead"),
        "{message}"
    );
    let message = http_of(Keys::default(), "a.example/x");
    assert!(message.contains("\"a.example/x\" does not say `https://` or `http://`: write all of it"), "{message}");
    let message = http_of(Keys { operator: word("https://b.example"), ..Keys::default() }, "https://a.example/x");
    assert!(
        message.contains("opens it, instead of https://b.example, with `base_url = \"https://a.example\"`"),
        "{message}"
    );
    let message = http_of(Keys { asked: &["http http://a.example"], ..Keys::default() }, "http://a.example");
    assert!(message.contains("the operator forbids it") && message.contains("`[sandbox] plain_http`"), "{message}");

    let smtp_of = |keys: Keys<'_>| smtp(&keys.grants(), Call::Send, None).unwrap_err().message;
    let message =
        smtp_of(Keys { asked: &["smtp"], operator: allowing(&[], &[], &["news@example.org"]), ..Keys::default() });
    assert!(message.contains("`engine target grant \"Carrier Pigeon\" --smtp` lets it"), "{message}");
    let message = smtp_of(Keys { asked: &["smtp"], ..Keys::default() });
    assert!(message.contains("has no sender") && message.contains("`from_email` and `smtp = true`"), "{message}");
    let message = smtp_of(Keys { operator: allowing(&[], &[], &["news@example.org"]), ..Keys::default() });
    assert!(message.contains("does not ask for mail") && message.contains("`smtp = true`"), "{message}");

    // The operator's word is of no use to another's mail.
    let operator = OperatorWord { smtp: true, sender: Some("own@example.org".into()), ..OperatorWord::default() };
    let other = Keys { granted: &["smtp a@b.example"], operator, ..Keys::default() }.grants();
    let message = smtp(&other, Call::Send, Some("a@b.example")).unwrap_err().message;
    let expected = "The target Carrier Pigeon may not send mail from a@b.example: its component does not ask for mail in its manifest; its author adds `smtp` there; `engine target revoke \"Carrier Pigeon\" --smtp-from a@b.example` takes the grant back. Its own sender is own@example.org.";
    assert_eq!(message, expected);

    let grants = Keys { asked: &[a, "secret token"], granted: &[a], ..Keys::default() }.grants();
    let message = http(&grants, Call::Send, "https://a.example", &["token"], &[]).unwrap_err().message;
    assert!(message.contains("`engine target grant \"Carrier Pigeon\" --secret token=https://a.example`"), "{message}");
}

/// A folder that is asked for or named has its row, and its sentence; what is bundled does without.
#[test]
fn a_folder_of_templates_is_asked_for_and_named() {
    let folder = |asked, operator| {
        let grants = Keys { asked, operator, ..Keys::default() }.grants();
        let row = inspect(&grants).into_iter().find(|inspected| inspected.capability == Capability::Templates);
        (row.map(|row| row.why), shut(&grants).len())
    };
    let named = || OperatorWord { templates: true, ..OperatorWord::default() };
    let none = "The target Carrier Pigeon may not read the folder of templates: the operator names none; `templates = \"FOLDER\"` under [target.carrier_pigeon] does.";
    assert_eq!(folder(&["templates"], OperatorWord::default()), (Some(none.to_owned()), 1));
    assert_eq!(folder(&["templates"], bundled()), (Some(none.to_owned()), 0));
    assert_eq!(folder(&["templates"], named()), (Some(String::new()), 0));
    let unasked = "The target Carrier Pigeon may not read the folder of templates: its component does not ask for it in its manifest; its author adds `templates` there.";
    assert_eq!(folder(&[], named()), (Some(unasked.to_owned()), 0));
    assert_eq!(folder(&[], OperatorWord::default()), (None, 0));
    let of = |asked, operator| Keys { asked, operator, ..Keys::default() }.grants();
    let missed = |asked, operator| no_templates(&of(asked, operator), Call::Create).map(|denial| denial.message);
    assert_eq!(missed(&["templates"], OperatorWord::default()).unwrap(), none);
    assert_eq!(missed(&[], named()).unwrap(), unasked);
    let neither =
        "; its author adds `templates` there, and the operator `templates = \"FOLDER\"` under [target.carrier_pigeon].";
    assert!(missed(&[], OperatorWord::default()).unwrap().ends_with(neither));
    assert_eq!(missed(&["templates"], named()), None);
    let elsewhere = no_templates(&of(&["templates"], named()), Call::Send).unwrap().message;
    assert!(elsewhere.contains("there in `create-notification`"), "{elsewhere}");
}

/// With its value alone to be mended, a secret stays bound to what it was.
#[test]
fn a_secret_is_set_anew_for_what_it_was() {
    let own = BTreeSet::from(["token".to_owned()]);
    let of = |keys: Keys<'_>| keys.grants();
    let (a, bound) = ("http https://a.example", [("token", "https://b.example"), ("token", "https://c.example")]);
    let asked = &["secret token", a];
    assert_eq!(binding(&of(Keys { asked, ..Keys::default() }), "token"), " --origin https://a.example");
    let grants = of(Keys { asked, bound: &bound, ..Keys::default() });
    assert_eq!(binding(&grants, "token"), " --origin https://b.example --origin https://c.example");
    let grants = grants.with_own_secrets(own);
    let expected = " --origin https://b.example --origin https://c.example --target \"Carrier Pigeon\"";
    assert_eq!(binding(&grants, "token"), expected);
}

#[test]
fn creators_get_no_door() {
    let grants = Keys {
        asked: &["smtp", "http https://coo.example", "secret token"],
        operator: bundled(),
        bound: &[("token", "https://coo.example")],
        ..Keys::default()
    }
    .grants();
    for call in [Call::Describe, Call::CheckAddress, Call::Create] {
        assert!(http(&grants, call, "https://coo.example", &[], &[]).is_err());
        assert!(smtp(&grants, call, None).is_err());
        assert!(signing(&grants, call, "token").is_err());
    }
    assert_eq!(smtp(&grants, Call::Send, None).unwrap(), "own@example.org");
    assert!(signing(&grants, Call::Send, "token").is_ok());
    assert!(signing(&grants, Call::Send, "other").is_err());
}

/// A signature may go anywhere.
#[test]
fn a_secret_towards_an_origin_signs_nothing() {
    let of = |granted: &'static [&'static str]| {
        let bound = &[("token", "https://coo.example")];
        Keys { asked: &["http https://coo.example", "secret token"], granted, bound, ..Keys::default() }.grants()
    };
    let towards = of(&["http https://coo.example", "secret token=https://coo.example"]);
    assert!(http(&towards, Call::Send, "https://coo.example", &["token"], &[]).is_ok());
    let denial = signing(&towards, Call::Send, "token").unwrap_err().message;
    assert!(denial.contains("--secret token`"), "{denial}");
    assert!(any_use(&towards, Call::Send, "token").is_ok());
    let alone = of(&["http https://coo.example", "secret token"]);
    assert!(signing(&alone, Call::Send, "token").is_ok());
    assert!(http(&alone, Call::Send, "https://coo.example", &["token"], &[]).is_err());
}

#[test]
fn the_one_sender_that_is_granted_is_the_one() {
    let operator = allowing(&[], &[], &["@example.org"]);
    let grants = Keys { asked: &["smtp"], granted: &["smtp ceo@example.org"], operator, ..Keys::default() }.grants();
    assert_eq!(smtp(&grants, Call::Send, None).unwrap(), "ceo@example.org");
    assert_eq!(smtp(&grants, Call::Send, Some("other@example.org")).unwrap_err().code, "sender_not_granted");
}

#[test]
fn an_address_is_public_or_the_operators() {
    let grants = Keys {
        operator: OperatorWord {
            base_url: Some(origin("http://inner.example")),
            ..allowing(&[], &["10.0.0.0/8"], &[])
        },
        ..Keys::default()
    }
    .grants();
    for (to, ip, yes) in [
        ("https://other.example", "1.1.1.1", true),
        ("https://other.example", "127.0.0.1", false),
        ("https://other.example", "10.1.1.1", true),
        ("https://other.example", "::ffff:192.168.0.1", false),
        ("http://inner.example", "127.0.0.1", true),
        ("http://INNER.example.", "127.0.0.1", true),
        // What else the host of the operator's word has is not opened by it.
        ("https://inner.example", "127.0.0.1", false),
        ("http://inner.example:8080", "127.0.0.1", false),
    ] {
        let to = origin(to);
        assert_eq!(may_dial(&grants, is_operators(&grants, &to), ip.parse().unwrap()), yes, "{to} {ip}");
    }
}

#[test]
fn an_inspection_says_which_key_is_missing() {
    let grants = Keys {
        asked: &["http https://a.example", "http https://b.example", "smtp", "secret token"],
        granted: &["http https://a.example", "http https://c.example", "smtp"],
        ..Keys::default()
    }
    .grants();
    let found: Vec<_> = inspect(&grants)
        .iter()
        .map(|line| (line.capability.to_string(), keys(line.decision), line.removed_by))
        .collect();
    assert_eq!(
        found,
        [
            ("HTTP to https://a.example".to_owned(), "ago".to_owned(), None),
            ("HTTP to https://b.example".to_owned(), "a-o".to_owned(), Some("tenant")),
            ("HTTP to https://c.example".to_owned(), "-go".to_owned(), Some("component")),
            ("mail from its own sender".to_owned(), "ag-".to_owned(), Some("operator")),
            ("the secret token towards https://a.example".to_owned(), "a--".to_owned(), Some("tenant")),
        ]
    );
    assert!(inspect(&grants).iter().all(|line| line.in_force == line.why.is_empty()));
}
