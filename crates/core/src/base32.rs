//! Crockford's base 32, lower case, for 128-bit values: 26 characters, sortable like the number they stand for.

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Characters of an encoded 128-bit value: 26 × 5 bits, of which the first two are always zero.
pub const LENGTH: usize = 26;

/// Encodes a value as 26 characters.
pub fn encode(value: u128) -> [u8; LENGTH] {
    let mut text = [0_u8; LENGTH];
    // Twelve letters at a time, in 60 bits: shifting 64 bits is one instruction, shifting 128 is several.
    let mut rest = value;
    for letters in text.rchunks_mut(12) {
        #[expect(clippy::cast_possible_truncation, reason = "what is cut off comes with the next letters")]
        let mut part = rest as u64;
        for place in letters.iter_mut().rev() {
            *place = ALPHABET[(part & 31) as usize];
            part >>= 5;
        }
        rest >>= 60;
    }
    text
}

/// Reads exactly what [`encode`] writes. Upper case and look-alikes (`O`, `I`, `L`) are refused: an id has one spelling.
pub fn decode(text: &str) -> Option<u128> {
    let bytes = text.as_bytes();
    if bytes.len() != LENGTH || bytes[0] > b'7' {
        return None;
    }
    let mut value = 0_u128;
    for byte in bytes {
        let digit = ALPHABET.iter().position(|letter| letter == byte)?;
        value = value << 5 | digit as u128;
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn reads_what_it_writes(value: u128) {
            let text = encode(value);
            prop_assert_eq!(decode(std::str::from_utf8(&text).unwrap()), Some(value));
        }

        #[test]
        fn has_one_spelling_per_value(text in "\\PC{0,30}") {
            if let Some(value) = decode(&text) {
                prop_assert_eq!(&encode(value)[..], text.as_bytes());
            }
        }
    }

    #[test]
    fn refuses_more_than_128_bits() {
        assert_eq!(decode("80000000000000000000000000"), None);
        assert_eq!(decode("7zzzzzzzzzzzzzzzzzzzzzzzzz"), Some(u128::MAX));
    }
}
