//! Canonical request paths. Whatever two servers could read differently is refused and never repaired: repairing
//! would mean guessing what the API behind us sees.
//!
//! | refused | why |
//! |---|---|
//! | anything but visible ASCII, raw | not a path (RFC 3986 §2) |
//! | `.` and `..` as segments, also encoded | servers resolve them, some late |
//! | empty segments | some servers join slashes |
//! | `%2F`, `%5C`, `%2E`, raw `\` | may become separators and dots later |
//! | encoded control characters, NUL | some servers stop reading there |
//! | `;` | begins path parameters, which some servers cut off |
//! | `#` | begins a fragment, which no request carries |
//! | `%` without two hexadecimal digits, bytes that are not UTF-8 | no text |
//! | encoded letters, digits, `-`, `_`, `~` | two spellings of one path |
//! | `%25` before two hexadecimal digits | encoded twice: what it means depends on who decodes |
//! | more than 4096 bytes | limits for everything from outside |
//!
//! The query is cut off first and never looked at. A trailing slash makes another path.

use std::borrow::Cow;

/// Longest path of a request, in bytes, without its query.
pub const REQUEST_PATH_MAX_BYTES: usize = 4096;

/// Why a request's path is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathRefused {
    /// It does not begin with `/`.
    #[error("a path begins with '/'")]
    NotAbsolute,
    /// It is too long.
    #[error("a path has at most {REQUEST_PATH_MAX_BYTES} bytes")]
    TooLong,
    /// A segment is `.` or `..`.
    #[error("a path has no segment '.' or '..'")]
    DotSegment,
    /// Two slashes follow each other.
    #[error("a path has no empty segment")]
    EmptySegment,
    /// A byte that cannot stand in a path as it is.
    #[error("a path has only visible ASCII without ';', '\\' and '#'")]
    BadByte,
    /// A `%` that encodes nothing.
    #[error("a '%' is followed by two hexadecimal digits")]
    BadEncoding,
    /// An encoded slash, backslash, dot or control character.
    #[error("a slash, backslash, dot or control character cannot be encoded in a path")]
    BadEncoded,
    /// Something encoded that has no need to be, or encoded twice.
    #[error("letters, digits, '-', '_' and '~' are not encoded in a path, and nothing is encoded twice")]
    Respelled,
    /// Encoded bytes that are not text.
    #[error("the encoded bytes of a path are UTF-8")]
    NotUtf8,
}

/// What a byte of a raw path is, as bits.
const SLASH: u8 = 1;
/// It cannot follow a slash without a closer look: `//`, `/.` and `/..` begin so.
const AFTER_SLASH: u8 = SLASH << 1;
const PERCENT: u8 = 8;
const QUERY: u8 = 16;
const BAD: u8 = 32;

const CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut classes = [BAD; 256];
    let mut byte: u8 = 0x21;
    while byte < 0x7f {
        classes[byte as usize] = match byte {
            b'/' => SLASH | AFTER_SLASH,
            b'.' => AFTER_SLASH,
            b'%' => PERCENT,
            b'?' => QUERY,
            b';' | b'\\' | b'#' => BAD,
            _ => 0,
        };
        byte += 1;
    }
    classes
}

/// The canonical text of a request's path: without query, decoded. Allocates only where something is encoded.
///
/// Since no slash can be encoded, the decoded text has the same segments as the raw one.
pub fn canonical(raw: &str) -> Result<Cow<'_, str>, PathRefused> {
    if is_canonical(raw.as_bytes()) { Ok(Cow::Borrowed(raw)) } else { examine(raw) }
}

/// Whether a path is canonical as it is, as most are. Looks at sixteen bytes at a time, which a processor does at once;
/// the last sixteen overlap those before them, so that no byte is left over.
fn is_canonical(bytes: &[u8]) -> bool {
    if bytes.first() != Some(&b'/') || bytes.len() > REQUEST_PATH_MAX_BYTES {
        return false;
    }
    let (Some(last), Some(last_pairs)) = (bytes.last_chunk::<STEP>(), bytes.last_chunk::<{ STEP + 1 }>()) else {
        return is_canonical_and_short(bytes);
    };
    let plain = bytes.chunks_exact(STEP).fold(true, |plain, some| plain & some.first_chunk().is_some_and(is_plain));
    let pairs = bytes.windows(STEP + 1).step_by(STEP);
    let clear = pairs.fold(true, |clear, some| clear & some.first_chunk().is_some_and(is_clear));
    plain & is_plain(last) & clear & is_clear(last_pairs)
}

/// Bytes that are looked at together.
const STEP: usize = 16;

/// Whether all of these stand in a path as they are.
#[expect(clippy::needless_bitwise_bool, reason = "without branches, so that many bytes are looked at at once")]
#[inline]
fn is_plain(bytes: &[u8; STEP]) -> bool {
    bytes.iter().fold(true, |plain, byte| {
        let special = (*byte == b';') | (*byte == b'\\') | (*byte == b'#') | (*byte == b'%') | (*byte == b'?');
        plain & (*byte > 0x20) & (*byte < 0x7f) & !special
    })
}

/// Whether no slash among these is followed by a slash or a dot.
#[expect(clippy::needless_bitwise_bool, reason = "without branches, so that many bytes are looked at at once")]
#[inline]
fn is_clear(bytes: &[u8; STEP + 1]) -> bool {
    let [_, after @ ..] = bytes;
    bytes.iter().zip(after).fold(true, |clear, (one, next)| {
        let doubtful = (*one == b'/') & ((*next == b'/') | (*next == b'.'));
        clear & !doubtful
    })
}

fn is_canonical_and_short(bytes: &[u8]) -> bool {
    let (mut seen, mut doubtful, mut before) = (0, 0, 0);
    for byte in bytes {
        let class = CLASSES[usize::from(*byte)];
        seen |= class;
        doubtful |= before << 1 & class;
        before = class;
    }
    seen & (PERCENT | QUERY | BAD) == 0 && doubtful & AFTER_SLASH == 0
}

/// Looks at each byte, and says what is wrong.
fn examine(raw: &str) -> Result<Cow<'_, str>, PathRefused> {
    let bytes = raw.as_bytes();
    if bytes.first() != Some(&b'/') {
        return Err(PathRefused::NotAbsolute);
    }
    let mut end = bytes.len();
    let mut encoded = false;
    for (place, byte) in bytes.iter().enumerate() {
        let class = CLASSES[usize::from(*byte)];
        if class & BAD != 0 {
            return Err(PathRefused::BadByte);
        }
        if class & QUERY != 0 {
            end = place;
            break;
        }
        encoded |= class & PERCENT != 0;
        if class & SLASH != 0 {
            check_segment_start(&bytes[place + 1..])?;
        }
        if place >= REQUEST_PATH_MAX_BYTES {
            return Err(PathRefused::TooLong);
        }
    }
    let path = raw.get(..end).ok_or(PathRefused::BadByte)?;
    if encoded { decode(path).map(Cow::Owned) } else { Ok(Cow::Borrowed(path)) }
}

/// Looks at what follows a slash.
#[inline]
fn check_segment_start(after: &[u8]) -> Result<(), PathRefused> {
    let ends = |byte: Option<&u8>| matches!(byte, None | Some(b'/' | b'?'));
    match after.first() {
        Some(b'/') => Err(PathRefused::EmptySegment),
        Some(b'.') if ends(after.get(1)) => Err(PathRefused::DotSegment),
        Some(b'.') if after.get(1) == Some(&b'.') && ends(after.get(2)) => Err(PathRefused::DotSegment),
        _ => Ok(()),
    }
}

fn decode(path: &str) -> Result<String, PathRefused> {
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte != b'%' {
            decoded.push(byte);
            rest = after;
            continue;
        }
        let byte = hex_pair(after).ok_or(PathRefused::BadEncoding)?;
        rest = &after[2..];
        match byte {
            b'/' | b'\\' | b'.' | 0..=0x1f | 0x7f => return Err(PathRefused::BadEncoded),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' => {
                return Err(PathRefused::Respelled);
            }
            b'%' if hex_pair(rest).is_some() => return Err(PathRefused::Respelled),
            _ => decoded.push(byte),
        }
    }
    let decoded = String::from_utf8(decoded).map_err(|_| PathRefused::NotUtf8)?;
    // What is left are the control characters beyond ASCII (U+0080 to U+009F).
    if decoded.chars().any(char::is_control) { Err(PathRefused::BadEncoded) } else { Ok(decoded) }
}

fn hex_pair(text: &[u8]) -> Option<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(text.first()?)? << 4 | digit(text.get(1)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// What is seen at a glance is what is seen byte by byte.
        #[test]
        fn both_ways_see_the_same(path in "/([a-c/.]|[ -~]|[;%?#\\\\é]){0,3}([a-z0-9/-]{0,50}[a-z/.%;]{0,2}[a-z0-9]{0,20})") {
            let bytes = path.as_bytes();
            prop_assert_eq!(is_canonical(bytes), is_canonical_and_short(bytes));
            if is_canonical(bytes) {
                prop_assert_eq!(examine(&path), Ok(Cow::Borrowed(path.as_str())));
            }
        }
    }

    #[test]
    fn one_byte_or_pair_is_seen_wherever_it_stands() {
        for length in 2..70 {
            for place in 1..length {
                for wrong in ["//", "/.", ";", "%", "?", "#", "\\", " ", "\u{7f}"] {
                    let mut path = format!("/{}", "a".repeat(length));
                    path.replace_range(place..place + wrong.len(), wrong);
                    assert!(!is_canonical(path.as_bytes()), "{path}");
                }
            }
            assert!(is_canonical(format!("/{}", "a".repeat(length)).as_bytes()));
        }
        assert!(!is_canonical(b"a") && !is_canonical(b""));
        assert!(!is_canonical(format!("/{}", "a".repeat(REQUEST_PATH_MAX_BYTES)).as_bytes()));
    }
}
