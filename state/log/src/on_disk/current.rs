//! The file that names the generation that counts.

/// First line of the file; another number is a newer layout of the volume.
const TITLE: &str = "liqo log ";
const LAYOUT: u32 = 1;
/// Before the number in the name of a generation's directory.
pub(super) const PREFIX: &str = "gen-";

/// What CURRENT says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Current {
    /// There is none.
    Missing,
    /// It names this generation.
    Generation(u64),
    /// It says nothing that makes sense.
    Damaged,
    /// A newer version wrote it.
    Newer,
}

/// The content that names a generation.
pub(super) fn text(number: u64) -> String {
    let name = format!("{TITLE}{LAYOUT}\n{PREFIX}{number}\n");
    let checksum = crc32fast::hash(name.as_bytes());
    format!("{name}{checksum:08x}\n")
}

/// What a content says.
pub(super) fn parse(bytes: &[u8]) -> Current {
    let Some((title, number)) = std::str::from_utf8(bytes).ok().and_then(lines) else {
        return Current::Damaged;
    };
    match number {
        Some(number) if text(number).as_bytes() == bytes => Current::Generation(number),
        _ if title > LAYOUT => Current::Newer,
        _ => Current::Damaged,
    }
}

/// The layout, and the generation's number when there is one.
fn lines(text: &str) -> Option<(u32, Option<u64>)> {
    let (title, rest) = text.split_once('\n')?;
    let layout = title.strip_prefix(TITLE)?.parse().ok()?;
    let number = rest.lines().next().and_then(|name| name.strip_prefix(PREFIX)?.parse().ok());
    Some((layout, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_current_names_no_generation() {
        let whole = text(12);
        for position in 0..whole.len() * 8 {
            let mut bytes = whole.clone().into_bytes();
            bytes[position / 8] ^= 1 << (position % 8);
            assert!(!matches!(parse(&bytes), Current::Generation(_)), "bit {position}");
        }
        for length in 0..whole.len() {
            assert!(!matches!(parse(&whole.as_bytes()[..length]), Current::Generation(_)), "length {length}");
        }
    }

    #[test]
    fn a_newer_volume_is_named_so() {
        assert_eq!(parse(b"liqo log 2\nsomething else\n"), Current::Newer);
    }
}
