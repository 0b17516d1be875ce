//! What the headers say, read strictly: lists of strings with integer parameters (RFC 9651 §3.1, §4.2), as
//! draft-ietf-httpapi-ratelimit-headers-10 wants them.

use super::{Scene, allowed, limit, violated};
use serde_json::{Value, json};

/// An item of a list: a string with its parameters.
#[derive(Debug, PartialEq, Eq)]
pub struct Item {
    pub name: String,
    pub parameters: Vec<(String, u64)>,
}

/// The value of a parameter.
#[track_caller]
pub fn number(item: &Item, name: &str) -> u64 {
    item.parameters.iter().find(|(key, _)| key == name).unwrap_or_else(|| panic!("{name} of {item:?}")).1
}

/// Reads a header. Whatever the grammar does not allow is a panic.
#[track_caller]
pub fn items(text: &str) -> Vec<Item> {
    let mut rest = text.as_bytes();
    let mut items = Vec::new();
    loop {
        assert_eq!(take(&mut rest), b'"', "{text}");
        let mut name = Vec::new();
        loop {
            match take(&mut rest) {
                b'"' => break,
                b'\\' => name.push(take(&mut rest)),
                letter => {
                    assert!((0x20..0x7f).contains(&letter), "{text}");
                    name.push(letter);
                }
            }
        }
        let mut parameters = Vec::new();
        while rest.first() == Some(&b';') {
            take(&mut rest);
            while rest.first() == Some(&b' ') {
                take(&mut rest);
            }
            let key = take_while(&mut rest, |letter| {
                letter.is_ascii_lowercase() || letter.is_ascii_digit() || b"_-.*".contains(&letter)
            });
            assert!(
                key.as_bytes().first().is_some_and(|letter| letter.is_ascii_lowercase() || *letter == b'*'),
                "{text}"
            );
            assert_eq!(take(&mut rest), b'=', "{text}");
            let digits = take_while(&mut rest, |letter| letter.is_ascii_digit());
            assert!((1..=15).contains(&digits.len()), "{text}");
            parameters.push((key, digits.parse().unwrap()));
        }
        items.push(Item { name: String::from_utf8(name).unwrap(), parameters });
        take_while(&mut rest, |letter| b" \t".contains(&letter));
        if rest.is_empty() {
            return items;
        }
        assert_eq!(take(&mut rest), b',', "{text}");
        take_while(&mut rest, |letter| b" \t".contains(&letter));
        assert!(!rest.is_empty(), "a comma ends {text}");
    }
}

fn take(rest: &mut &[u8]) -> u8 {
    let (first, others) = rest.split_first().expect("the header goes on");
    *rest = others;
    *first
}

fn take_while(rest: &mut &[u8], wanted: impl Fn(u8) -> bool) -> String {
    let end = rest.iter().position(|letter| !wanted(*letter)).unwrap_or(rest.len());
    let (taken, others) = rest.split_at(end);
    *rest = others;
    String::from_utf8(taken.to_vec()).unwrap()
}

fn header<'a>(answer: &'a Value, name: &str) -> &'a str {
    answer["rate_limit"]["headers"][name].as_str().unwrap_or_else(|| panic!("{name}: {answer}"))
}

both_databases! {
    async fn headers_are_ready_to_be_copied(server: Server) {
        let scene = Scene::set(&server).await;
        scene.everywhere(limit("burst", 3, 10, "credential")).await;
        scene.everywhere(limit("daily", 1000, 86_400, "organization")).await;
        scene.own(limit("burst", 2, 60, "principal")).await;
        let answer = scene.ask(&scene.one).await;
        allowed(&answer);
        let policies = [("burst", 3, 10), ("organization/burst", 2, 60), ("daily", 1000, 86_400)];
        let expected: Vec<Item> = policies
            .iter()
            .map(|(name, quota, window)| Item {
                name: (*name).to_owned(),
                parameters: vec![("q".to_owned(), *quota), ("w".to_owned(), *window)],
            })
            .collect();
        assert_eq!(items(header(&answer, "RateLimit-Policy")), expected, "narrow ones first");
        let left = items(header(&answer, "RateLimit"));
        let remaining: Vec<(&str, u64)> = left.iter().map(|item| (item.name.as_str(), number(item, "r"))).collect();
        assert_eq!(remaining, [("burst", 2), ("organization/burst", 1), ("daily", 999)]);
        // After so many seconds there is one call more.
        let times: Vec<u64> = left.iter().map(|item| number(item, "t")).collect();
        assert_eq!(times, [4, 30, 87], "{answer}");
        // The older headers tell of the limit that is nearest to being used up.
        assert_eq!((header(&answer, "X-RateLimit-Limit"), header(&answer, "X-RateLimit-Remaining")), ("2", "1"));
        let now = server.running.app.clock.now().as_micros() / 1_000_000;
        let reset: i64 = header(&answer, "X-RateLimit-Reset").parse().unwrap();
        assert!((now + 28..=now + 31).contains(&reset), "{reset} at {now}");
        assert_eq!(answer["rate_limit"]["headers"].get("Retry-After"), None);

        allowed(&scene.ask(&scene.one).await);
        let no = scene.ask(&scene.one).await;
        assert_eq!(violated(&no), ["organization/burst"]);
        assert_eq!(items(header(&no, "RateLimit-Policy")), expected, "policies stay what they are");
        let left = items(header(&no, "RateLimit"));
        assert_eq!(left.len(), 1, "only what said no: {no}");
        assert_eq!((left[0].name.as_str(), number(&left[0], "r")), ("organization/burst", 0));
        let after: u64 = header(&no, "Retry-After").parse().unwrap();
        assert!(after >= number(&left[0], "t"), "not earlier than the reset: {no}");
        assert_eq!(no["retry_after_seconds"], json!(after));
        assert_eq!((header(&no, "X-RateLimit-Limit"), header(&no, "X-RateLimit-Remaining")), ("2", "0"));
    }
}

#[test]
fn the_reader_of_the_tests_is_strict() {
    assert_eq!(items(r#""a";q=1;w=2, "b""#).len(), 2);
    for wrong in ["", "a", r#""a";"#, r#""a";q"#, r#""a";Q=1"#, r#""a";q="1""#, r#""a","#, r#""a" "b""#, "\"ä\""] {
        assert!(std::panic::catch_unwind(|| items(wrong)).is_err(), "{wrong}");
    }
}
