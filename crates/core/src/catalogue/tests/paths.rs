//! Request paths: what is refused stays refused wherever it stands, and what is decoded is decoded once.

use crate::catalogue::path::{PathRefused, REQUEST_PATH_MAX_BYTES, canonical};
use proptest::prelude::*;

#[test]
fn canonical_paths() {
    let cases = [
        ("/", "/"),
        ("/a/b", "/a/b"),
        ("/a/b/", "/a/b/"),
        ("/a?b=../..//;%00", "/a"),
        ("/a/...", "/a/..."),
        ("/a/.b", "/a/.b"),
        ("/a/b.", "/a/b."),
        ("/1...2", "/1...2"),
        ("/%E8%AA%AD", "/読"),
        ("/a%20b", "/a b"),
        ("/a%3Fb", "/a?b"),
        ("/50%25", "/50%"),
        ("/key:MY%3AAPP", "/key:MY:APP"),
        ("/%e8%aa%ad", "/読"),
    ];
    for (raw, text) in cases {
        assert_eq!(canonical(raw).as_deref(), Ok(text), "{raw}");
    }
}

#[test]
fn refused_paths() {
    use PathRefused::*;
    let cases = [
        ("", NotAbsolute),
        ("a", NotAbsolute),
        ("?", NotAbsolute),
        ("http://x/a", NotAbsolute),
        ("/.", DotSegment),
        ("/..", DotSegment),
        ("/a/../b", DotSegment),
        ("/a/./b", DotSegment),
        ("/a/..?b", DotSegment),
        ("//a", EmptySegment),
        ("/a//b", EmptySegment),
        ("/a//", EmptySegment),
        ("/a\\b", BadByte),
        ("/a;b=c", BadByte),
        ("/a#b", BadByte),
        ("/a b", BadByte),
        ("/a\u{0}b", BadByte),
        ("/a\nb", BadByte),
        ("/a\u{7f}b", BadByte),
        ("/読", BadByte),
        ("/a%", BadEncoding),
        ("/a%2", BadEncoding),
        ("/a%zz", BadEncoding),
        ("/a%+1", BadEncoding),
        ("/%2e%2e/b", BadEncoded),
        ("/%2E", BadEncoded),
        ("/a%2fb", BadEncoded),
        ("/a%5cb", BadEncoded),
        ("/a%00b", BadEncoded),
        ("/a%0Ab", BadEncoded),
        ("/a%7Fb", BadEncoded),
        ("/a%C2%85b", BadEncoded),
        ("/%61", Respelled),
        ("/%2D", Respelled),
        ("/%7e", Respelled),
        ("/%252e%252e", Respelled),
        ("/%252F", Respelled),
        ("/%FF", NotUtf8),
        ("/%C0%AF", NotUtf8),
        ("/%E8%AA", NotUtf8),
        ("/%ED%A0%80", NotUtf8),
    ];
    for (raw, why) in cases {
        assert_eq!(canonical(raw), Err(why), "{raw:?}");
    }
    assert_eq!(canonical(&"/a".repeat(2049)), Err(TooLong));
    assert!(canonical(&"/a".repeat(2048)).is_ok());
    assert!(canonical(&format!("/a?{}", "b".repeat(10 * REQUEST_PATH_MAX_BYTES))).is_ok());
}

/// What must never get through, in all its forms.
fn refused() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("/../".to_owned()),
        Just("/./".to_owned()),
        Just("//".to_owned()),
        Just("\\".to_owned()),
        Just(";".to_owned()),
        Just("#".to_owned()),
        "[\\x00-\\x20\\x7f]",
        "[\\u{80}-\\u{10ffff}]",
        "%(2[eEfF]|5[cC]|7[fF]|[01][0-9a-fA-F])",
        "%[89][0-9a-fA-F]",
        "%(4[1-9]|5[0-9aA]|6[1-9]|3[0-9]|7[eE]|2[dD]|5[fF])",
        "%[g-z][0-9]",
        "%25[0-9a-f]{2}",
    ]
}

proptest! {
    #[test]
    fn a_refused_form_is_refused_wherever_it_stands(before in "(/[a-z0-9:%40~-]{1,5}){0,4}", bad in refused(), after in "[a-z]{1,5}(/[a-z.]{1,3}x){0,3}(\\?[a-z]*)?") {
        let before = before.replace("%40", "@").replace('%', "");
        // Something stands before it, so that a lone continuation byte cannot end a letter.
        let path = format!("{before}/a{bad}{after}");
        prop_assert!(canonical(&path).is_err(), "{:?}", path);
        let catalogue = crate::catalogue::tests::open(&[("GET", "/{rest+}"), ("GET", "/a/{b}"), ("GET", "/{a}/{b}/")]).unwrap();
        prop_assert!(catalogue.route("GET", &path).is_err());
    }

    #[test]
    fn what_gets_through_is_canonical(path in "/(\\PC|%[0-9a-fA-F]{2}|[/.?%;]){0,40}") {
        if let Ok(text) = canonical(&path) {
            prop_assert!(text.starts_with('/'));
            prop_assert!(!text.contains("//") && !text.contains('\\') && !text.chars().any(char::is_control));
            prop_assert!(text.split('/').all(|segment| segment != "." && segment != ".."));
            // Its segments are those of the raw path.
            let raw = path.split('?').next().unwrap_or_default();
            prop_assert_eq!(text.matches('/').count(), raw.matches('/').count());
        }
    }

    #[test]
    fn hostile_paths_never_panic(path in any::<String>(), method in any::<String>()) {
        let catalogue = crate::catalogue::tests::open(&[("GET", "/{rest+}"), ("GET", "/a{b}c{d}e")]).unwrap();
        let _ = canonical(&path);
        let _ = catalogue.route(&method, &path);
        let _ = catalogue.route("GET", &format!("/{path}"));
    }
}
