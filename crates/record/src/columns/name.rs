//! `org=org_1/day=2026-11-22/1-5000-7.parquet`: names that other engines read as partitions.
//!
//! An organization's id comes from outside, so it becomes part of a path only if it is plain; any other is named by its
//! digest. Names are never read back: what a file holds is in the manifest.

use crate::time::Rfc3339;
use aws_lc_rs::digest::{SHA256, digest};
use std::fmt::Write as _;

const DAY_US: i64 = 86_400_000_000;
const PLAIN_MAX: usize = 128;

/// The path of a file with these sequences. `version` is that of the manifest that will list it first.
pub(crate) fn path(organization: Option<&str>, day: i64, first: u64, last: u64, version: u64) -> String {
    format!("org={}/day={}/{first}-{last}-{version}.parquet", folder(organization), day_text(day))
}

fn folder(organization: Option<&str>) -> String {
    let Some(id) = organization else {
        return "_none".to_owned();
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    // Nothing that is plain begins with a line, so that no organization can pass for another folder.
    if !id.is_empty() && id.len() <= PLAIN_MAX && !id.starts_with('_') && id.bytes().all(plain) {
        return id.to_owned();
    }
    format!("_{}", hex(digest(&SHA256, id.as_bytes()).as_ref()))
}

/// A UTC day as its date; days beyond the calendar as its nearest.
pub(crate) fn day_text(day: i64) -> String {
    let whole = Rfc3339(day.saturating_mul(DAY_US)).to_string();
    whole.split('T').next().unwrap_or_default().to_owned()
}

/// The SHA-256 of a file, as the manifest says it.
pub(crate) fn digest_of(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

/// Bytes in small hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_say_whose_and_when() {
        assert_eq!(path(Some("org_1"), 19_675, 1, 5_000, 7), "org=org_1/day=2023-11-14/1-5000-7.parquet");
        assert_eq!(path(None, 0, 1, 1, 1), "org=_none/day=1970-01-01/1-1-1.parquet");
        assert!(path(Some("a"), i64::MAX, 1, 1, 1).starts_with("org=a/day=9999-"));
    }

    #[test]
    fn nobody_passes_for_another_folder() {
        for id in ["", "_none", "..", "a/../b", "a%2fb", "ö", &"x".repeat(129)] {
            let folder = folder(Some(id));
            assert!(folder.len() == 65 && folder.starts_with('_'), "{id}: {folder}");
        }
    }

    proptest! {
        #[test]
        fn any_organization_and_day_is_one_safe_path(id: String, day: i64) {
            let path = path(Some(&id), day, 1, 2, 3);
            prop_assert_eq!(path.split('/').count(), 3);
            prop_assert!(path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-=/.+".contains(&byte)), "{}", path);
        }
    }
}
