use super::*;
use proptest::prelude::*;

/// The key and the note that the reference implementation of signed notes is tested with.
const KNOWN_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const KNOWN_SEED: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const KNOWN_NOTE: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n\
    \n\
    — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

fn seed(byte: u8) -> Seed {
    Seed::new(Zeroizing::new([byte; 32]))
}

fn key() -> SigningKey {
    SigningKey::new("log.example/1", &seed(7)).unwrap()
}

#[test]
fn signs_the_known_note() {
    let bytes = STANDARD.decode(KNOWN_SEED).unwrap();
    let seed = Seed::new(Zeroizing::new(bytes[1..].try_into().unwrap()));
    let key = SigningKey::new("PeterNeumann", &seed).unwrap();
    assert_eq!(key.verifying_key().to_string(), KNOWN_KEY);
    let text = &KNOWN_NOTE[..=KNOWN_NOTE.find("\n\n").unwrap()];
    assert_eq!(key.sign(text), KNOWN_NOTE);
    assert_eq!(KNOWN_KEY.parse::<VerifyingKey>().unwrap().open(KNOWN_NOTE), Ok(text));
}

#[test]
fn keys_have_one_spelling() {
    for (start, _) in KNOWN_KEY.char_indices() {
        assert!(start == 0 || KNOWN_KEY[start..].parse::<VerifyingKey>().is_err());
        assert!(KNOWN_KEY[..start].parse::<VerifyingKey>().is_err());
        let mut changed = KNOWN_KEY.as_bytes().to_vec();
        changed[start] += 1;
        assert!(String::from_utf8(changed).unwrap().parse::<VerifyingKey>().is_err(), "{start}");
    }
    // A key of the wrong length, and one of another kind, each with an id that fits.
    for other in [
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        &KNOWN_KEY.replace("c74f20a3", "C74F20A3"),
    ] {
        assert!(other.parse::<VerifyingKey>().is_err(), "{other}");
    }
    for name in ["", "a b", "a+b", "a\u{3000}b", "a\nb", "a\u{1}"] {
        assert_eq!(SigningKey::new(name, &seed(1)).unwrap_err(), KeyError::Name, "{name:?}");
    }
}

#[test]
fn secrets_do_not_print() {
    assert_eq!(format!("{:?}", seed(0xab)), "Seed(…)");
    let printed = format!("{:?}", key());
    assert!(printed.starts_with("SigningKey(log.example/1+") && !printed.contains("BwcHBwcH"), "{printed}");
}

#[test]
fn any_change_of_the_text_is_noticed() {
    let note = key().sign("a\nb\n");
    for at in 0..4 {
        let mut changed = note.clone().into_bytes();
        changed[at] ^= 2;
        let changed = String::from_utf8(changed).unwrap();
        let opened = key().verifying_key().open(&changed).unwrap_err();
        assert!(matches!(opened, NoteError::BadSignature | NoteError::Malformed), "{changed}");
    }
}

#[test]
fn signatures_of_others_are_passed_over() {
    let (own, text) = (key(), "a\n");
    let other = SigningKey::new("other.example", &seed(8)).unwrap();
    let same_name = SigningKey::new("log.example/1", &seed(9)).unwrap();
    let line = |key: &SigningKey| key.sign(text).rsplit_once("\n\n").unwrap().1.to_owned();
    let open = |lines: &[String]| own.verifying_key().open(&format!("{text}\n{}", lines.concat())).map(str::to_owned);
    assert_eq!(open(&[line(&other), line(&own), line(&same_name)]), Ok(text.to_owned()));
    assert_eq!(open(&[line(&other), line(&same_name)]), Err(NoteError::Unsigned));
    let broken = own.sign("b\n").rsplit_once("\n\n").unwrap().1.to_owned();
    assert_eq!(open(&[line(&own), broken]), Err(NoteError::BadSignature));
}

#[test]
fn other_texts_are_malformed() {
    let note = key().sign("a\n");
    for text in [
        "",
        "\n\n",
        "a\n",
        "a\n\n",
        &note[..note.len() - 1],
        &note.replace('\n', "\r\n"),
        &note.replace("— ", "- "),
        &note.replace("— ", "—  "),
        &format!("{note}\n"),
        &format!("{note}x\n"),
        &format!("{}{}", "a\n\n", "— x AAAAAAA=\n".repeat(101)),
        &"a\n".repeat(NOTE_BYTES_MAX),
    ] {
        assert_eq!(key().verifying_key().open(text), Err(NoteError::Malformed), "{text:.40?}");
    }
}

proptest! {
    #[test]
    fn opens_what_it_signs(text in "([^\\p{Cc}]{0,20}\n){1,5}") {
        let note = key().sign(&text);
        prop_assert_eq!(key().verifying_key().open(&note), Ok(&text[..]));
    }

    #[test]
    fn hostile_notes_are_refused(text in "(\\PC|\n|— ){0,80}") {
        prop_assert!(key().verifying_key().open(&text).is_err());
        prop_assert!(text.parse::<VerifyingKey>().is_err());
    }

    #[test]
    fn notes_with_a_changed_byte_are_refused(at: prop::sample::Index, value in 1..=127_u8) {
        let note = key().sign("tree\n5\nroot\n");
        let mut changed = note.clone().into_bytes();
        let at = at.index(changed.len());
        changed[at] = value;
        if let Ok(changed) = String::from_utf8(changed) {
            prop_assert!(changed == note || key().verifying_key().open(&changed).is_err());
        }
    }
}
