//! Finds the forms of secrets in one pass, in time that grows with the text alone: a secret of many lines has thousands of forms, and one may begin like another
//! that is a thousand times as long.

use super::encodings;
use aho_corasick::Anchored;
use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::nfa::contiguous::NFA;
use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};

/// Some of a target's secrets: a bit for each.
pub type Which = u32;

/// Finds any of a target's secrets, or some of them alone.
#[derive(Debug)]
pub struct Searcher {
    /// Their names, in the order of their bits.
    names: Vec<String>,
    /// Finds what is written just so.
    written: Option<Known>,
    /// Finds what has these letters, whatever stands between them.
    lettered: Option<Known>,
}

impl Searcher {
    /// Of values, each with the name of its secret, in the order in which they are to have forms. Nothing where there is nothing to find.
    pub fn of<'a>(values: impl Iterator<Item = (&'a str, &'a str)>) -> Option<Self> {
        let (mut names, mut in_order): (Vec<String>, Vec<&str>) = Default::default();
        let mut whose: BTreeMap<&str, Which> = BTreeMap::new();
        for (name, value) in values.filter(|(_, value)| !value.is_empty()) {
            let place = names.iter().position(|known| known == name).unwrap_or(names.len());
            if place == names.len() {
                names.push(name.to_owned());
            }
            let of = whose.entry(value).or_default();
            if *of == 0 {
                in_order.push(value);
            }
            *of |= bit(place);
        }
        let (mut written, mut lettered): (BTreeMap<String, Which>, BTreeMap<String, Which>) = Default::default();
        for (value, forms) in encodings::forms(&in_order) {
            let of = whose.get(value).copied().unwrap_or_default();
            for (all, forms) in [(&mut written, forms.written), (&mut lettered, forms.lettered)] {
                forms.into_iter().for_each(|form| *all.entry(form).or_default() |= of);
            }
        }
        let (written, lettered) = (Known::new(written), Known::new(lettered));
        (written.is_some() || lettered.is_some()).then_some(Searcher { names, written, lettered })
    }

    /// Those of them of which this is true.
    pub fn which(&self, is_meant: impl Fn(&str) -> bool) -> Which {
        let meant = self.names.iter().enumerate().filter(|(_, name)| is_meant(name));
        meant.fold(0, |which, (place, _)| which | bit(place))
    }

    /// Tells where forms of these stand, in the order of their ends, until it is told to stop.
    pub fn search(
        &self,
        bytes: &[u8],
        which: Which,
        mut found: impl FnMut(Range<usize>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut written = self.written.as_ref().and_then(Walk::new);
        let mut lettered = self.lettered.as_ref().and_then(Walk::new);
        // Where the letters stand.
        let mut letters: Vec<usize> = Vec::new();
        for (place, byte) in bytes.iter().enumerate() {
            if let Some(length) = written.as_mut().and_then(|walk| walk.step(*byte, which)) {
                found(place + 1 - length..place + 1)?;
            }
            let Some(walk) = lettered.as_mut().filter(|_| byte.is_ascii_alphanumeric()) else { continue };
            letters.push(place);
            if let Some(length) = walk.step(*byte, which) {
                found(letters[letters.len() - length]..place + 1)?;
            }
        }
        ControlFlow::Continue(())
    }

    /// How many bytes it takes.
    pub fn bytes(&self) -> usize {
        let known = [&self.written, &self.lettered].into_iter().flatten();
        let ends =
            |known: &Known| known.ends.iter().map(|ends| size_of::<Box<[End]>>() + size_of_val(&**ends)).sum::<usize>();
        known.map(|known| known.automaton.memory_usage() + ends(known)).sum()
    }
}

/// The bit of a secret. No component may ask for more than there are bits; were there more, the last would share one.
fn bit(place: usize) -> Which {
    1 << place.min(Which::BITS as usize - 1)
}

/// Forms, and whose they are.
#[derive(Debug)]
struct Known {
    automaton: NFA,
    /// By the number of a form, what ends where it does: itself, and what it ends with of other secrets; the longest first.
    ends: Vec<Box<[End]>>,
}

/// Forms of these secrets end here; the longest is so long.
#[derive(Debug)]
struct End {
    of: Which,
    length: u32,
}

impl Known {
    /// Nothing where there is none. Capital letters or small ones make no difference, as in the name of a header.
    fn new(forms: BTreeMap<String, Which>) -> Option<Self> {
        if forms.is_empty() {
            return None;
        }
        // Not the kind that is quickest for few: it takes half a megabyte for each kilobyte of a secret.
        let built = NFA::builder().ascii_case_insensitive(true).build(forms.keys());
        // There are fewer of them than it can take, by the largest value of a secret.
        let automaton = built.inspect_err(|e| tracing::error!("secrets cannot be cut out of texts: {e}")).ok()?;
        let whose: Vec<Which> = forms.values().copied().collect();
        let ends = forms.keys().map(|form| ends(&automaton, form, &whose)).collect();
        Some(Known { automaton, ends })
    }
}

/// What ends where this form does. Of forms of the same secrets the longest is enough, so that there are no more than secrets.
fn ends(automaton: &NFA, form: &str, whose: &[Which]) -> Box<[End]> {
    // It can always search like this.
    let Ok(start) = automaton.start_state(Anchored::No) else { return Box::default() };
    let state = form.bytes().fold(start, |state, byte| automaton.next_state(Anchored::No, state, byte));
    let (mut ends, mut told) = (Vec::new(), 0);
    for place in 0..automaton.match_len(state) {
        let form = automaton.match_pattern(state, place);
        let of = whose[form.as_usize()];
        if of & !told != 0 {
            told |= of;
            // No secret is longer than a few kilobytes.
            ends.push(End { of, length: automaton.pattern_len(form) as u32 });
        }
    }
    ends.into()
}

/// A way through an automaton, byte by byte.
struct Walk<'a> {
    known: &'a Known,
    state: StateID,
}

impl<'a> Walk<'a> {
    fn new(known: &'a Known) -> Option<Self> {
        // It can always search like this.
        let state = known.automaton.start_state(Anchored::No).ok()?;
        Some(Walk { known, state })
    }

    /// Goes on by a byte. How long the longest form of these secrets is that ends with it, if one does.
    fn step(&mut self, byte: u8, which: Which) -> Option<usize> {
        let Known { automaton, ends } = self.known;
        self.state = automaton.next_state(Anchored::No, self.state, byte);
        if !automaton.is_match(self.state) {
            return None;
        }
        // Of those that end here, the first is the longest, and all others stand at its end.
        let longest = &ends[automaton.match_pattern(self.state, 0).as_usize()];
        longest.iter().find(|end| end.of & which != 0).map(|end| end.length as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    fn found(searcher: &Searcher, text: &str, which: Which) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        let _ = searcher.search(text.as_bytes(), which, |range| {
            found.push((range.start, range.end));
            ControlFlow::Continue(())
        });
        found
    }

    /// A form of two secrets is found for either, one at the end of another by itself, and of one that is not meant nothing is found.
    #[test]
    fn each_secret_is_found_by_itself() {
        let values =
            [("long", "hush-1-hush"), ("other", "hush-1-hush"), ("short", "hush"), ("third", "mum's the word")];
        let searcher = Searcher::of(values.into_iter()).unwrap();
        let at = |meant: &[&str]| found(&searcher, "a HUSH-1-hush", searcher.which(|name| meant.contains(&name)));
        assert_eq!((at(&["long"]), at(&["other"])), (vec![(2, 13)], vec![(2, 13)]));
        assert_eq!((at(&["short"]), at(&["third"]), at(&[])), (vec![(2, 6), (9, 13)], vec![], vec![]));
        assert_eq!(at(&["long", "short"]), [(2, 6), (2, 13)]);
    }

    /// However many forms end at one place, what is looked at there is a form for each secret.
    #[test]
    fn what_ends_with_many_others_takes_no_longer() {
        let lines: String = (8..300).map(|length| format!("{}\n", "a".repeat(length))).collect();
        let others: Vec<(String, String)> =
            (0..30).map(|number| (format!("s{number}"), "a".repeat(9 + number))).collect();
        let others = others.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let searcher = Searcher::of(others.chain([("lines", lines.as_str()), ("none", "mum's the word")])).unwrap();
        let began = Instant::now();
        assert!(found(&searcher, &"a".repeat(1 << 20), searcher.which(|name| name == "none")).is_empty());
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
        assert!(searcher.written.iter().flat_map(|known| &known.ends).all(|ends| ends.len() <= 33));
    }
}
