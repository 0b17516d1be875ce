//! Sizes of memory: `768MiB`, `4GiB`.

/// The smallest size that makes sense to keep things in.
const LEAST: usize = 1 << 20;

/// Reads a size in bytes, at least a mebibyte.
pub fn bytes(text: &str) -> Result<usize, String> {
    let wrong = || "write a whole number and a unit: 512MiB, 4GiB".to_owned();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).ok_or_else(wrong)?;
    let unit: usize = match unit {
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(wrong()),
    };
    let number: usize = number.parse().map_err(|_| wrong())?;
    let size = number.checked_mul(unit).ok_or_else(|| "this is more than there can be".to_owned())?;
    if size < LEAST { Err("this is less than 1MiB".to_owned()) } else { Ok(size) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_have_a_unit() {
        assert_eq!(bytes("768MiB"), Ok(768 << 20));
        assert_eq!(bytes("4GiB"), Ok(4 << 30));
        assert_eq!(bytes("1024KiB"), Ok(1 << 20));
        for wrong in ["", "MiB", "768", "768 MiB", "768MB", "-1MiB", "1.5GiB", "1023KiB", "0GiB", "99999999999GiB"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn hostile_text_never_panics(text in "\\PC{0,24}") {
            let _ = bytes(&text);
        }
    }
}
