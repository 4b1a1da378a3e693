//! Lines out of the chunks of a stream.

/// Collects chunks and gives back lines; a line that is too long is skipped and said, the next one is whole again.
#[derive(Debug)]
pub(super) struct Lines {
    limit: usize,
    rest: Vec<u8>,
    skipping: bool,
}

/// One line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A whole line without its end.
    Line(&'a [u8]),
    /// A line had more bytes than are kept.
    TooLong,
}

/// Capacity that the rest of a line keeps between chunks; more is given back, so that one large object does not cost
/// its memory for as long as the watch lasts.
const KEPT_CAPACITY: usize = 64 << 10;

impl Lines {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, rest: Vec::new(), skipping: false }
    }

    /// Takes a chunk and calls `each` for every line that ends in it.
    pub(super) fn push(&mut self, chunk: &[u8], mut each: impl FnMut(Piece<'_>)) {
        let mut left = chunk;
        while let Some(end) = left.iter().position(|byte| *byte == b'\n') {
            let (line, after) = (&left[..end], &left[end + 1..]);
            self.end_line(line, &mut each);
            left = after;
        }
        if !self.skipping && self.rest.len() + left.len() > self.limit {
            self.skipping = true;
            self.rest = Vec::new();
        }
        if !self.skipping {
            self.rest.extend_from_slice(left);
        }
    }

    fn end_line(&mut self, line: &[u8], each: &mut impl FnMut(Piece<'_>)) {
        if self.skipping || self.rest.len() + line.len() > self.limit {
            each(Piece::TooLong);
        } else if self.rest.is_empty() {
            if !line.is_empty() {
                each(Piece::Line(line));
            }
        } else {
            self.rest.extend_from_slice(line);
            each(Piece::Line(&self.rest));
        }
        self.skipping = false;
        self.rest.clear();
        self.rest.shrink_to(KEPT_CAPACITY);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run(limit: usize, chunks: &[&[u8]]) -> Vec<Option<String>> {
        let mut lines = Lines::new(limit);
        let mut found = Vec::new();
        for chunk in chunks {
            lines.push(chunk, |piece| {
                found.push(match piece {
                    Piece::Line(line) => Some(String::from_utf8_lossy(line).into_owned()),
                    Piece::TooLong => None,
                });
            });
        }
        found
    }

    fn lines(texts: &[&str]) -> Vec<Option<String>> {
        texts.iter().map(|text| Some((*text).to_owned())).collect()
    }

    #[test]
    fn lines_are_put_together_and_taken_apart() {
        assert_eq!(run(10, &[b"a\nb", b"c\n\nd"]), lines(&["a", "bc"]));
        assert_eq!(run(10, &[b"a", b"b", b"\n"]), lines(&["ab"]));
    }

    #[test]
    fn a_line_that_is_too_long_does_not_hide_the_next() {
        let found = run(3, &[b"abcdef", b"gh\nxy\n", b"abcd\nz\n"]);
        assert_eq!(found, [None, Some("xy".to_owned()), None, Some("z".to_owned())]);
    }

    proptest! {
        #[test]
        fn where_chunks_end_does_not_matter(text in "[a-c\n]{0,60}", cuts in proptest::collection::vec(0_usize..60, 0..6)) {
            let whole = run(8, &[text.as_bytes()]);
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.sort_unstable();
            cuts.push(text.len());
            let mut from = 0;
            let mut chunks = Vec::new();
            for cut in cuts {
                chunks.push(&text.as_bytes()[from..cut]);
                from = cut;
            }
            prop_assert_eq!(run(8, &chunks), whole);
        }
    }
}
