//! Crockford's base32 in lower case, strictly: one spelling for each number, so that ids and cursors compare as text.
//!
//! Knows numbers and characters only, not what they stand for.

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The lowest `5 * N` bits of `number`, most significant first.
pub(crate) fn encode<const N: usize>(number: u128) -> [u8; N] {
    let mut text = [b'0'; N];
    // Twelve characters at a time, in 60 bits: shifting 64 bits is one instruction, shifting 128 is several.
    let mut rest = number;
    for characters in text.rchunks_mut(12) {
        #[expect(clippy::cast_possible_truncation, reason = "what is cut off comes with the next characters")]
        let mut part = rest as u64;
        for place in characters.iter_mut().rev() {
            *place = ALPHABET[(part & 31) as usize];
            part >>= 5;
        }
        rest >>= 60;
    }
    text
}

/// The number that `text` spells; `None` for any other character, or for more than 128 bits.
pub(crate) fn decode(text: &[u8]) -> Option<u128> {
    text.iter().try_fold(0_u128, |number, character| {
        if number >> 123 != 0 {
            return None;
        }
        Some((number << 5) | u128::from(digit(*character)?))
    })
}

fn digit(character: u8) -> Option<u8> {
    let position = ALPHABET.iter().position(|known| *known == character)?;
    u8::try_from(position).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_what_is_not_in_the_alphabet() {
        for text in ["i", "l", "o", "u", "A", "-", "é", " "] {
            assert_eq!(decode(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn refuses_more_than_128_bits() {
        assert_eq!(decode(b"7zzzzzzzzzzzzzzzzzzzzzzzzz"), Some(u128::MAX));
        assert_eq!(decode(b"80000000000000000000000000"), None);
    }

    proptest! {
        #[test]
        fn decodes_what_it_encodes(number: u128) {
            prop_assert_eq!(decode(&encode::<26>(number)), Some(number));
        }
    }
}
