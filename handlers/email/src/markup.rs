//! HTML taken apart: texts and tags, in one pass and in time that grows with the length only, whatever is in it. It
//! forgives what browsers forgive; it builds no tree, since reading aloud needs none.
//!
//! The crates for this were too much or too little: with html2text a component grows by 640 KB, and nanohtml2text drops
//! the marks of lists and takes quadratic time for tags that nobody closed.

use std::borrow::Cow;

/// A piece of a document.
#[derive(Debug, PartialEq)]
pub enum Piece<'a> {
    /// As written: entities are not decoded yet.
    Text(&'a str),
    Open(Tag<'a>),
    /// The name of the element that ends, in lower case.
    Close(String),
}

#[derive(Debug, PartialEq)]
pub struct Tag<'a> {
    /// In lower case.
    pub name: String,
    attributes: &'a str,
}

/// Elements whose content is not HTML and not for readers.
const NOT_TO_READ: [&str; 3] = ["script", "style", "title"];

/// The pieces of a document, in order. Comments, declarations and what is not to be read are left out.
pub struct Pieces<'a> {
    rest: &'a str,
}

impl<'a> Pieces<'a> {
    pub fn of(html: &'a str) -> Self {
        Self { rest: html }
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    /// Drops everything up to and with `end`; everything, if that never comes.
    fn skip_past(&mut self, end: &str) {
        self.rest = self.rest.split_once(end).map_or("", |(_, rest)| rest);
    }

    /// Drops everything up to the closing tag of `name`.
    fn skip_to_closing(&mut self, name: &str) {
        let closes =
            |at: &usize| self.rest[at + 2..].get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name));
        let found = self.rest.match_indices("</").map(|(at, _)| at).find(closes);
        self.rest = found.map_or("", |at| &self.rest[at..]);
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            let Some(markup) = self.rest.strip_prefix('<') else {
                let end = self.rest.find('<').unwrap_or(self.rest.len());
                return Some(Piece::Text(self.take(end)));
            };
            if markup.starts_with("!--") {
                self.skip_past("-->");
            } else if markup.starts_with(['!', '?']) {
                self.skip_past(">");
            } else if markup.starts_with(|c: char| c.is_ascii_alphabetic()) {
                let tag = self.tag(1);
                if NOT_TO_READ.contains(&tag.name.as_str()) {
                    self.skip_to_closing(&tag.name);
                }
                return Some(Piece::Open(tag));
            } else if markup.strip_prefix('/').is_some_and(|name| name.starts_with(|c: char| c.is_ascii_alphabetic())) {
                return Some(Piece::Close(self.tag(2).name));
            } else {
                // A lone `<`, as in `1 < 2`.
                return Some(Piece::Text(self.take(1)));
            }
        }
    }
}

impl<'a> Pieces<'a> {
    /// Takes a tag whose name begins after `before` bytes. One that nobody closes takes all the rest, as in browsers.
    fn tag(&mut self, before: usize) -> Tag<'a> {
        let tag = self.take(end_of_tag(self.rest));
        let inner = tag[before..].trim_end_matches('>');
        let name_ends = inner.find(|c: char| c.is_ascii_whitespace() || c == '/').unwrap_or(inner.len());
        Tag { name: inner[..name_ends].to_ascii_lowercase(), attributes: &inner[name_ends..] }
    }
}

/// Where a tag ends: after the first `>` that is not inside the quotes of an attribute's value.
fn end_of_tag(html: &str) -> usize {
    let (mut quote, mut last) = (None, b' ');
    for (at, byte) in html.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return at + 1,
            // A quote that does not follow a `=` is an ordinary character.
            (None, b'"' | b'\'') if last == b'=' => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            last = byte;
        }
    }
    html.len()
}

impl Tag<'_> {
    /// The value of an attribute, decoded; empty if there is none.
    pub fn attribute(&self, wanted: &str) -> String {
        let mut rest = self.attributes;
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
            if rest.is_empty() {
                return String::new();
            }
            // At least one character, so that a stray `=` at the beginning of a name does not stop the loop from
            // ending.
            let end = rest.char_indices().skip(1).find(|(_, c)| c.is_ascii_whitespace() || matches!(c, '=' | '/'));
            let (name, after) = rest.split_at(end.map_or(rest.len(), |(at, _)| at));
            let (value, after) = match after.trim_start().strip_prefix('=') {
                Some(value) => split_value(value.trim_start()),
                None => ("", after),
            };
            if name.eq_ignore_ascii_case(wanted) {
                return decode(value).trim().to_owned();
            }
            rest = after;
        }
    }
}

/// A value, quoted or not, and what comes after it.
fn split_value(text: &str) -> (&str, &str) {
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote) {
            return inner.split_once(quote).unwrap_or((inner, ""));
        }
    }
    text.split_at(text.find(|c: char| c.is_ascii_whitespace()).unwrap_or(text.len()))
}

/// Decodes entities: `&amp;` and its like.
pub fn decode(text: &str) -> Cow<'_, str> {
    html_escape::decode_html_entities(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pieces in a notation of their own: `text`, `+name`, `-name`.
    fn pieces(html: &str) -> Vec<String> {
        Pieces::of(html)
            .map(|piece| match piece {
                Piece::Text(text) => text.to_owned(),
                Piece::Open(tag) => format!("+{}", tag.name),
                Piece::Close(name) => format!("-{name}"),
            })
            .collect()
    }

    #[test]
    fn takes_documents_apart() {
        assert_eq!(pieces("<!DOCTYPE html><P class=x>a<BR/>b</p >"), ["+p", "a", "+br", "b", "-p"]);
        assert_eq!(pieces("a<!-- > <b> -->c<?php x ?>d<![CDATA[x]]>e"), ["a", "c", "d", "e"]);
        assert_eq!(pieces("<STYLE>a<b</styles>c</Style>d"), ["+style", "-styles", "c", "-style", "d"]);
        assert_eq!(pieces("<script>if (a < b) '</p>'</script>x"), ["+script", "-script", "x"]);
        assert_eq!(pieces(r#"<p title="a > b" x='>'>y"#), ["+p", "y"]);
        assert_eq!(pieces("<p title=a\"b>c\">"), ["+p", "c\">"]);
    }

    #[test]
    fn forgives() {
        assert_eq!(pieces("1 < 2 <3 a<"), ["1 ", "<", " 2 ", "<", "3 a", "<"]);
        assert_eq!(pieces("a</>b</ c>"), ["a", "<", "/>b", "<", "/ c>"]);
        assert_eq!(pieces("a<!-- b"), ["a"]);
        assert_eq!(pieces("a<b title=\"c>d"), ["a", "+b"]);
        assert_eq!(pieces("a<script>b"), ["a", "+script"]);
        assert_eq!(pieces("ü<ü>ü"), ["ü", "<", "ü>ü"]);
    }

    #[test]
    fn finds_attributes() {
        let attribute = |html, name| match Pieces::of(html).next() {
            Some(Piece::Open(tag)) => tag.attribute(name),
            other => panic!("{other:?}"),
        };
        assert_eq!(attribute("<a href='x y'>", "href"), "x y");
        assert_eq!(attribute("<a href = \"x?a=1&amp;b=2\" >", "href"), "x?a=1&b=2");
        assert_eq!(attribute("<a data-href=no HREF=yes/>", "href"), "yes/");
        assert_eq!(attribute("<a title=\"href=no\" href=yes>", "href"), "yes");
        assert_eq!(attribute("<img alt src=x>", "alt"), "");
        assert_eq!(attribute("<img src=x>", "alt"), "");
        assert_eq!(attribute("<img = == =x= / alt=ü>", "alt"), "ü");
        assert_eq!(attribute("<img alt=\"unclosed", "alt"), "unclosed");
    }

    #[test]
    fn takes_no_time_for_what_nobody_closed() {
        // Each of these is quadratic where every piece looks for an end that never comes: minutes instead of
        // milliseconds.
        for piece in ["<", "<a", "<a ", "<a b='", "</a", "<!--", "<!", "<script>", "<style", "&"] {
            let html = piece.repeat(500_000);
            let begun = std::time::Instant::now();
            Pieces::of(&html).for_each(drop);
            assert!(begun.elapsed().as_secs() < 5, "{piece}");
        }
    }
}
