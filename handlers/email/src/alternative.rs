//! The plain text beside an HTML body: what somebody would read aloud. Paragraphs stay apart, lists keep their marks,
//! links their addresses. Lines are not wrapped; whoever shows them does that.

use crate::markup::{Piece, Pieces, Tag, decode};

/// The text of an HTML document; empty if it shows none, otherwise with a line break at its end.
pub fn text(html: &str) -> String {
    let mut page = Page::default();
    for piece in Pieces::of(html) {
        match piece {
            Piece::Text(text) => page.text(&decode(text)),
            Piece::Open(tag) => page.open(&tag),
            Piece::Close(name) => page.close(&name),
        }
    }
    page.end_link();
    if !page.written.is_empty() {
        page.written.push('\n');
    }
    page.written
}

/// How far quotations and lists are indented at most, so that hostile depth does not multiply the length.
const DEEPEST: usize = 8;

/// What has been written, and what is due before the next visible character.
#[derive(Default)]
struct Page {
    written: String,
    /// Line breaks: two make an empty line.
    breaks: usize,
    space: bool,
    /// `- ` or `1. `, if the next line begins an item.
    mark: String,
    /// For each open list the number of its next item; none where items have dashes.
    lists: Vec<Option<u32>>,
    quotations: usize,
    preformatted: usize,
    /// The address of the open link, and where its text begins, if it has begun.
    link: Option<(String, Option<usize>)>,
}

impl Page {
    fn text(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '\n' if self.preformatted > 0 => self.breaks += 1,
                ' ' | '\t' if self.preformatted > 0 => self.write(character),
                '\u{a0}' => self.space = true,
                _ if character.is_whitespace() => self.space = true,
                _ if character.is_control() => {}
                _ => self.write(character),
            }
        }
    }

    fn open(&mut self, tag: &Tag) {
        match tag.name.as_str() {
            "br" => self.breaks = (self.breaks + 1).min(2),
            "hr" => {
                self.apart(2);
                self.text("----------");
                self.apart(2);
            }
            "img" => self.text(&tag.attribute("alt")),
            "a" => {
                self.end_link();
                self.link = Some((tag.attribute("href"), None));
            }
            "ul" | "ol" => {
                self.apart(if self.lists.is_empty() { 2 } else { 1 });
                let first = tag.attribute("start").parse().unwrap_or(1);
                self.lists.push((tag.name == "ol").then_some(first));
            }
            "li" => {
                self.mark.clear();
                self.apart(1);
                self.mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        let mark = format!("{number}. ");
                        *number = number.saturating_add(1);
                        mark
                    }
                    Some(None) | None => "- ".to_owned(),
                };
            }
            "blockquote" => {
                self.apart(2);
                self.quotations += 1;
            }
            "pre" => {
                self.apart(2);
                self.preformatted += 1;
            }
            name => self.border(name),
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "a" => self.end_link(),
            "ul" | "ol" => {
                self.lists.pop();
                // An item without text leaves no mark behind.
                self.mark.clear();
                self.apart(if self.lists.is_empty() { 2 } else { 1 });
            }
            "li" => {
                self.mark.clear();
                self.apart(1);
            }
            "blockquote" => {
                self.apart(2);
                self.quotations = self.quotations.saturating_sub(1);
            }
            "pre" => {
                self.apart(2);
                self.preformatted = self.preformatted.saturating_sub(1);
            }
            _ => self.border(name),
        }
    }

    /// What lies between an element and its neighbours, on both sides.
    fn border(&mut self, name: &str) {
        match name {
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "dl" | "table" | "figure" => self.apart(2),
            "address" | "article" | "aside" | "body" | "caption" | "center" | "dd" | "div" | "dt" | "fieldset"
            | "figcaption" | "footer" | "form" | "header" | "main" | "nav" | "section" | "tbody" | "tfoot"
            | "thead" | "tr" => self.apart(1),
            // Tables in mails are mostly for layout: a space does for those and for tables of data.
            "td" | "th" => self.space = true,
            _ => {}
        }
    }

    /// The next text is at least so many line breaks away from what was written; but what begins an item stays at its
    /// mark.
    fn apart(&mut self, breaks: usize) {
        if self.mark.is_empty() {
            self.breaks = self.breaks.max(breaks);
        }
    }

    /// Writes a visible character, and before it what is due.
    fn write(&mut self, character: char) {
        if self.written.is_empty() || self.breaks > 0 {
            if !self.written.is_empty() {
                // Preformatted text may have many empty lines, of which one is enough too.
                self.written.push_str(if self.breaks == 1 { "\n" } else { "\n\n" });
            }
            self.written.push_str(&"> ".repeat(self.quotations.min(DEEPEST)));
            let depth = self.lists.len().min(DEEPEST);
            let marked = usize::from(!self.mark.is_empty());
            self.written.push_str(&"  ".repeat(depth.saturating_sub(marked)));
            self.written.push_str(&std::mem::take(&mut self.mark));
        } else if self.space {
            self.written.push(' ');
        }
        self.breaks = 0;
        self.space = false;
        if let Some((_, begins @ None)) = &mut self.link {
            *begins = Some(self.written.len());
        }
        self.written.push(character);
    }

    /// Puts the address of the open link behind its text, unless the text says as much or the address leads nowhere
    /// from a mail.
    fn end_link(&mut self) {
        let Some((address, begins)) = self.link.take() else { return };
        let lower = address.to_ascii_lowercase();
        let Some(scheme) =
            ["https://", "http://", "mailto:", "tel:"].into_iter().find(|scheme| lower.starts_with(scheme))
        else {
            return;
        };
        let shown = begins.map_or("", |begins| &self.written[begins..]).trim();
        let bare = |text: &str| text.trim_end_matches('/').to_lowercase();
        if shown.is_empty() {
            self.text(&address);
        } else if bare(shown) != bare(&address) && bare(shown) != bare(&address[scheme.len()..]) {
            self.text(&format!(" ({address})"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_paragraphs_apart_and_lines_together() {
        assert_eq!(
            text(
                "<html><head><title>T</title><style>p{}</style></head>\n<body>\n <h1>Tea &amp; cake</h1>\n<p>It   is\n <b>rea</b>dy.</p><p>Come<br>soon.<br><br>Bye.</p></body></html>"
            ),
            "Tea & cake\n\nIt is ready.\n\nCome\nsoon.\n\nBye.\n"
        );
        assert_eq!(text("<div>a</div><div><div>b</div></div>c<p></p><p> </p><p>d"), "a\nb\nc\n\nd\n");
        assert_eq!(text("a<hr>b"), "a\n\n----------\n\nb\n");
    }

    #[test]
    fn keeps_the_marks_of_lists() {
        assert_eq!(
            text(
                "<p>Bring:</p><ul><li>tea</li><li>cake:<ol start=3><li>dry<li>sweet<br>very</ol></li><li></li><li><p>milk</p></li></ul><p>Thanks"
            ),
            "Bring:\n\n- tea\n- cake:\n  3. dry\n  4. sweet\n    very\n- milk\n\nThanks\n"
        );
        assert_eq!(text("<li>alone</ul></ol>after"), "- alone\n\nafter\n");
    }

    #[test]
    fn shows_where_links_lead() {
        assert_eq!(
            text("See <a href='https://x.org/?a=1&amp;b=2'>our page</a>."),
            "See our page (https://x.org/?a=1&b=2).\n"
        );
        for same in [
            "<a href='https://x.org/'>https://x.org</a>",
            "<a href='https://X.org'>x.org</a>",
            "<a href='mailto:ada@x.org'>ada@x.org</a>",
            "<a href='#top'>up</a>",
            "<a href='javascript:alert()'>click</a>",
            "<a name=here>here</a>",
        ] {
            assert!(!text(same).contains(['(', ')']), "{same}");
        }
        assert_eq!(text("<a href='https://x.org/'><img src=y></a>"), "https://x.org/\n");
        assert_eq!(text("<a href='https://x.org/'><img src=y alt='Our shop'></a>"), "Our shop (https://x.org/)\n");
        assert_eq!(text("<p>a <a href=https://x.org/>open"), "a open (https://x.org/)\n");
        assert_eq!(text("<ul><li><a href=https://x.org>x.org</a></ul>"), "- x.org\n");
    }

    #[test]
    fn reads_tables_row_by_row() {
        assert_eq!(
            text("<table><tr><th>Item</th><th>Price</th></tr>\n<tr><td>Tea</td><td>3&nbsp;&euro;</td></tr></table>end"),
            "Item Price\nTea 3 €\n\nend\n"
        );
    }

    #[test]
    fn quotes_and_keeps_what_is_preformatted() {
        assert_eq!(text("a<blockquote>b<p>c<br>d</p></blockquote>e"), "a\n\n> b\n\n> c\n> d\n\ne\n");
        assert_eq!(text("<pre>\n  x  y\n\tz\n</pre>end"), "  x  y\n\tz\n\nend\n");
        assert_eq!(text("</pre></blockquote>a  b"), "a b\n");
    }

    #[test]
    fn shows_what_is_meant_not_what_is_written() {
        assert_eq!(text("1 &lt; 2 &amp;lt; &#65;&#x42; &bogus; &copy; 1 < 2"), "1 < 2 &lt; AB &bogus; © 1 < 2\n");
        assert_eq!(text("&lt;script&gt;alert()&lt;/script&gt;"), "<script>alert()</script>\n");
        assert_eq!(text("a\u{7}b &#0; &#xD800; &#99999999999;c"), "ab &#0; &#xD800; &#99999999999;c\n");
    }

    #[test]
    fn has_nothing_to_say_about_nothing() {
        for silent in ["", " \n", "<html></html>", "<img src=x>", "<ul><li></li></ul>", "<!-- x -->", "<a href=x></a>"]
        {
            assert_eq!(text(silent), "", "{silent}");
        }
    }

    #[test]
    fn hostile_depth_does_not_multiply_the_length() {
        let nested = "<blockquote><ul><li>x".repeat(10_000);
        assert!(text(&nested).len() < 10_000 * (DEEPEST * 4 + 10));
    }
}
