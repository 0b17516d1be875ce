use super::*;
use proptest::prelude::*;

fn read(algorithm: &str, said: &Said<'_>) -> Result<Hashed, ImportedError> {
    Hashed::read(algorithm.parse()?, said)
}

fn plain(hash: &str) -> Said<'_> {
    Said { hash, ..Said::default() }
}

/// FIPS 180-4, the example of one block.
const SHA_256_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const SHA_512_ABC: &str = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
                           2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";

#[test]
fn sha_2_by_its_published_vectors() {
    for (algorithm, hash) in [("sha-256", SHA_256_ABC), ("sha-512", SHA_512_ABC)] {
        let hashed = read(algorithm, &plain(hash)).unwrap();
        assert!(hashed.fits(b"abc") && !hashed.fits(b"abd"));
        let Hashed::Fast { sha, keyed: false, hash } = hashed else { panic!("{algorithm}") };
        assert_eq!(Fast::new(sha, None).hash("abc"), hash);
    }
    // The same, of which a part is the salt.
    for (salt, position, key) in [("61", "before", "bc"), ("6263", "after", "a")] {
        let said = Said { salt: Some(salt), salt_position: Some(position), ..plain(SHA_256_ABC) };
        let hashed = read("sha-256", &said).unwrap();
        assert!(hashed.fits(key.as_bytes()) && !hashed.fits(b"abc"), "{position}");
    }
}

#[test]
fn hmac_by_rfc_4231() {
    let text = "what do ya want for nothing?";
    for (sha, hash) in [
        (Sha::Sha256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (
            Sha::Sha512,
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
        ),
    ] {
        let hashed = Hashed::read(Algorithm::Hmac(sha), &plain(hash)).unwrap();
        let Hashed::Fast { hash, keyed: true, .. } = &hashed else { panic!() };
        let fast = Fast::new(sha, Some(("hmac_1", b"Jefe")));
        assert_eq!((&fast.hash(text), fast.format.as_str()), (hash, "hmac_1"));
        assert!(!hashed.fits(text.as_bytes()), "without its key nothing fits");
    }
}

#[test]
fn bcrypt_by_the_vectors_of_jbcrypt() {
    for (hash, key) in [
        ("$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe", "a"),
        ("$2a$08$aTsUwsyowQuzRrDqFflhgekJ8d9/7Z3GV3UcgvzQW3J5zMyrTvlz.", "abcdefghijklmnopqrstuvwxyz"),
    ] {
        let hashed = read("bcrypt", &plain(hash)).unwrap();
        assert!(hashed.fits(key.as_bytes()) && !hashed.fits(b"b"), "{hash}");
        let newer = read("bcrypt", &plain(&hash.replace("$2a$", "$2b$"))).unwrap();
        assert_eq!(newer, hashed);
    }
    for wrong in [
        "$2x$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe",
        "$2a$31$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe",
        "$2a$06$short",
        "",
    ] {
        assert_eq!(read("bcrypt", &plain(wrong)).unwrap_err().0, "hash", "{wrong}");
    }
}

#[test]
fn bcrypt_takes_no_key_that_it_would_look_at_in_part() {
    let hashed = read("bcrypt", &plain("$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe")).unwrap();
    assert!(!hashed.fits(&[b'a'; 73]) && !hashed.fits(b"a\0b"));
}

#[test]
fn argon2_by_the_vectors_of_its_reference() {
    for hash in [
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8",
    ] {
        let hashed = read("argon2", &plain(hash)).unwrap();
        assert!(hashed.fits(b"password") && !hashed.fits(b"Password"), "{hash}");
        assert_eq!(hashed.weakness().unwrap().0, "low_cost");
    }
    let sound = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    assert_eq!(read("argon2", &plain(sound)).unwrap().weakness(), None);
    let huge = sound.replace("m=65536", "m=4194304");
    assert_eq!(read("argon2", &plain(&huge)).unwrap_err().0, "hash", "what costs too much is not taken");
}

#[test]
fn pbkdf2_by_rfc_7914_and_its_usual_vectors() {
    let said = |hash, salt, iterations| Said {
        salt: Some(salt),
        salt_encoding: Some("text"),
        iterations: Some(iterations),
        ..plain(hash)
    };
    let hash = "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783";
    let hashed = read("pbkdf2-sha-256", &said(hash, "salt", 1)).unwrap();
    assert!(hashed.fits(b"passwd") && !hashed.fits(b"Passwd"));
    assert_eq!(hashed.weakness().unwrap().0, "low_cost");
    let hash = "867f70cf1ade02cff3752599a3a53dc4af34c7a669815ae5d513554e1c8cf252c02d470a285a0501bad999bfe943c08f050235d7d68b1da55e63f73b60a57fce";
    assert!(read("pbkdf2-sha-512", &said(hash, "salt", 1)).unwrap().fits(b"password"));
    assert_eq!(read("pbkdf2-sha-256", &said(hash, "salt", 600_000)).unwrap().weakness().unwrap().0, "short_salt");
    for (iterations, field) in [(0, "iterations"), (5_000_001, "iterations")] {
        assert_eq!(read("pbkdf2-sha-512", &said(hash, "salt", iterations)).unwrap_err().0, field);
    }
}

#[test]
fn what_a_row_says_too_much_or_too_little_is_named() {
    let salted = Said { salt: Some("00"), ..plain(SHA_256_ABC) };
    for (algorithm, said, field) in [
        ("md5", plain(SHA_256_ABC), "algorithm"),
        ("sha-256", plain(SHA_512_ABC), "hash"),
        ("sha-256", plain("zz"), "hash"),
        ("sha-256", Said { encoding: Some("hexa"), ..plain(SHA_256_ABC) }, "encoding"),
        ("sha-256", salted.clone(), "salt_position"),
        ("sha-256", Said { salt: Some(""), salt_position: Some("after"), ..plain(SHA_256_ABC) }, "salt"),
        ("sha-256", Said { iterations: Some(3), ..plain(SHA_256_ABC) }, "iterations"),
        ("hmac-sha-256", salted, "salt"),
        ("sha-256", Said { salt_position: Some("after"), ..plain(SHA_256_ABC) }, "salt_position"),
        ("pbkdf2-sha-256", Said { iterations: Some(3), ..plain(SHA_256_ABC) }, "salt"),
    ] {
        assert_eq!(read(algorithm, &said).unwrap_err().0, field, "{algorithm} {said:?}");
    }
}

#[test]
fn encodings_say_the_same_bytes() {
    let bytes = vec![0xfb, 0xff, 0x00, 0x10];
    for (encoding, text) in [("hex", "FBff0010"), ("base64", "+/8AEA=="), ("base64", "+/8AEA"), ("base64url", "-_8AEA")]
    {
        assert_eq!(Encoding::read(encoding, false).unwrap().decode(text), Some(bytes.clone()), "{text}");
    }
    assert_eq!(Encoding::read("text", false), None);
    assert_eq!(Encoding::Hex.decode("+1"), None);
}

proptest! {
    #[test]
    fn what_is_stored_reads_back(key in "[ -~]{1,40}", salt in proptest::collection::vec(any::<u8>(), 1..20), before: bool, secret_only: bool) {
        let hash = Sha::Sha512.of(&if before { [salt.as_slice(), key.as_bytes()] } else { [key.as_bytes(), salt.as_slice()] }).as_ref().to_vec();
        let mut derived = [0; 32];
        let iterations = NonZeroU32::new(3).unwrap();
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, &salt, key.as_bytes(), &mut derived);
        let all = [
            Hashed::Salted { sha: Sha::Sha512, before, salt: salt.clone(), hash },
            Hashed::Pbkdf2 { sha: Sha::Sha256, iterations, salt, hash: derived.to_vec() },
            Hashed::Fast { sha: Sha::Sha256, keyed: false, hash: Sha::Sha256.of(&[key.as_bytes()]).as_ref().to_vec() },
        ];
        for hashed in all {
            let stored = Stored { secret_only, hashed };
            let read = Stored::read(&stored.to_string());
            prop_assert_eq!(read.as_ref(), Some(&stored));
            let other = format!("{key}x");
            prop_assert!(stored.hashed.fits(key.as_bytes()) && !stored.hashed.fits(other.as_bytes()));
        }
    }

    #[test]
    fn hostile_hashes_never_panic(
        hash in "\\PC{0,80}|\\$2[aby]\\$[0-9]{2}\\$[./A-Za-z0-9]{53}|\\$argon2id\\$v=19\\$m=[0-9]{1,9},t=[0-9]{1,9},p=[0-9]{1,9}\\$[A-Za-z0-9]{0,20}\\$[A-Za-z0-9]{0,50}",
        salt in "\\PC{0,20}", encoding in "hex|base64|base64url|text|x",
    ) {
        for (algorithm, _) in Algorithm::ALL {
            let said = Said {
                hash: &hash, encoding: Some(&encoding), salt: Some(&salt), salt_encoding: Some(&encoding),
                salt_position: Some("before"), iterations: Some(1),
            };
            let _ = Hashed::read(algorithm, &said);
            let _ = Hashed::read(algorithm, &plain(&hash));
        }
        let _ = Stored::read(&format!("key bcrypt {hash}"));
        let _ = Stored::read(&hash);
    }
}
