//! The README's tour, command by command: what it shows is what is printed.

use crate::support::guests;
use crate::support::program::{Program, binary};
use crate::support::smtp::SmtpServer;
use std::collections::HashMap;
use std::process::Command;
use uuid::Uuid;

/// A command of a block, and the lines that are shown below it; `None` if a line `…` stands for them.
struct Step {
    command: String,
    shown: Option<Vec<String>>,
}

/// The steps of all `console` blocks between two headings.
fn steps(text: &str, from: &str, to: &str) -> Vec<Step> {
    let tour = text.split_once(from).and_then(|(_, rest)| rest.split_once(to)).unwrap().0;
    let mut steps: Vec<Step> = Vec::new();
    for block in tour.split("```console\n").skip(1) {
        for line in block.split("```").next().unwrap().lines() {
            match (line.strip_prefix("$ "), steps.last_mut()) {
                (Some(command), _) => steps.push(Step { command: command.to_owned(), shown: Some(Vec::new()) }),
                (None, Some(Step { shown, .. })) if line == "…" => *shown = None,
                (None, Some(Step { shown: Some(shown), .. })) => shown.push(line.to_owned()),
                (None, _) => panic!("a block begins with {line}"),
            }
        }
    }
    steps
}

/// Whether two words are the same but for ids and times; an id that is shown stands for the one that is printed from then on.
fn alike(shown: &str, printed: &str, ids: &mut HashMap<String, String>) -> bool {
    let id = |word: &str| word.parse::<Uuid>().is_ok();
    let time =
        |word: &str| word.contains(['-', ':']) && word.chars().all(|c| c.is_ascii_digit() || "-:+.TZ".contains(c));
    if id(shown) && id(printed) {
        return ids.entry(shown.to_owned()).or_insert_with(|| printed.to_owned()) == printed;
    }
    shown == printed || (time(shown) && time(printed)) || shown.starts_with("/home/ada/") && printed.starts_with('/')
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tour_of_the_readme_is_true() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap();
    let server = SmtpServer::start(&[]).await;
    let program = Program::new();
    let path = format!("{}:{}", binary().parent().unwrap().display(), std::env::var("PATH").unwrap());
    let (mut exports, mut ids, mut ran_engine) = (Vec::new(), HashMap::<String, String>::new(), 0);
    for Step { mut command, shown } in steps(&text, "\n## Five minutes\n", "\n## If you come from") {
        let ours = [("2525", server.address.port().to_string()), ("/srv/targets", guests().display().to_string())];
        for (shown, ours) in ours.iter().map(|(a, b)| (*a, b)).chain(ids.iter().map(|(a, b)| (a.as_str(), b))) {
            command = command.replace(shown, ours);
        }
        if command.starts_with("export ") {
            exports.push(command);
            continue;
        }
        ran_engine += usize::from(command.starts_with("engine "));
        let script = format!("{}\n({command}) 2>&1", exports.join("\n"));
        let engine = program.command(&[]);
        let mut bash = Command::new("bash");
        bash.args(["-c", &script]).current_dir(program.folder.path()).env("PATH", &path);
        for (name, _) in engine.get_envs() {
            bash.env_remove(name);
        }
        let output = bash.output().unwrap();
        let ran = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{command}: {ran}");
        let Some(shown) = shown else { continue };
        let printed: Vec<&str> = ran.lines().collect();
        assert_eq!(shown.len(), printed.len(), "{command}: {ran}");
        for (shown, printed) in shown.iter().zip(printed) {
            let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            let (shown, printed) = (words(shown), words(printed));
            let same = shown.iter().zip(&printed).all(|(shown, printed)| alike(shown, printed, &mut ids));
            assert!(same && shown.len() == printed.len(), "{command} shows {shown:?}, and prints {printed:?}");
        }
    }
    assert!(ran_engine > 20, "{ran_engine}");
    assert_eq!(server.count(), 1);
}
