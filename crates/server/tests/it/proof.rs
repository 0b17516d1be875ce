//! The access log is signed while the server serves: proofs over HTTP, and checks of whole logs by the real program,
//! which needs nothing but a copy and the public key.

use crate::support::{Client, Person, Server};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tegata::maintenance::{BackupOptions, Progress, backup, keys};
use tegata_record::proof::{VerifyingKey, verify_proof};
use tegata_record::{AccessLog, Options};

const RECORDS: &str = "/v1/orgs/acme/records";
/// What the command line ends with when something is not as it was signed.
const ALTERED: i32 = 8;

async fn acme(server: &Server) -> (Client, Person) {
    let root = server.admin().await;
    let admin = server.org(&root, "acme").await;
    for _ in 0..5 {
        admin.client.get("/v1/orgs/acme/roles").await.status(200);
    }
    (root, admin)
}

async fn newest_record(admin: &Person) -> String {
    let listed = admin.client.get(&format!("{RECORDS}?limit=1")).await;
    listed.status(200)["items"][0]["id"].as_str().unwrap().to_owned()
}

async fn public_key(admin: &Person) -> String {
    let newest = admin.client.get(&format!("{RECORDS}/checkpoints")).await;
    newest.status(200)["public_key"].as_str().unwrap().to_owned()
}

/// The program, as somebody runs it who has a copy and the key.
fn tegata(arguments: &[&str]) -> (i32, String) {
    tokio::task::block_in_place(|| {
        let ran = Command::new(env!("CARGO_BIN_EXE_tegata")).args(arguments).env_clear().output().unwrap();
        let text = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        (ran.status.code().unwrap(), text)
    })
}

fn check(copy: &Path, key: &str) -> (i32, String) {
    tegata(&["record", "verify", "--copy", copy.to_str().unwrap(), "--public-key", key])
}

#[track_caller]
fn is_clean(copy: &Path, key: &str) {
    let (code, text) = check(copy, key);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("Everything is as it was signed."), "{text}");
}

/// A file of the organization's columns, whose records have all been moved there.
fn settled(data: &Path, now_us: i64, organization: &str) -> PathBuf {
    let (log, _) = AccessLog::open(&data.join("records"), Options::default(), 0).unwrap();
    log.close_segment().unwrap();
    log.settle(now_us).unwrap();
    drop(log);
    let folder = data.join("records/columns").join(format!("org={organization}"));
    let day = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    std::fs::read_dir(day).unwrap().next().unwrap().unwrap().path()
}

both_databases! {
    async fn a_record_is_proven_a_second_after_it_was_written(server: Server) {
        let (root, admin) = acme(&server).await;
        let record = newest_record(&admin).await;
        let path = format!("{RECORDS}/{record}/proof");
        let begun = Instant::now();
        let proof = loop {
            let reply = admin.client.get(&path).await;
            if reply.status == 200 {
                break reply;
            }
            assert_eq!(reply.problem("conflict")["status"], 409);
            assert_eq!(reply.headers["retry-after"], "1");
            assert!(begun.elapsed() < Duration::from_secs(20), "{reply:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        let key: VerifyingKey = public_key(&admin).await.parse().unwrap();
        assert_eq!(proof["public_key"], key.to_string());
        let proven = verify_proof(proof["proof"].as_str().unwrap(), &key).unwrap();
        assert_eq!(proven.record.id.to_string(), record);
        let org = admin.client.get("/v1/orgs/acme").await.status(200)["id"].clone();
        assert_eq!(proven.record.organization.as_deref(), org.as_str());

        let newest = admin.client.get(&format!("{RECORDS}/checkpoints")).await;
        let [open] = newest.status(200)["items"].as_array().unwrap().as_slice() else { panic!("{newest:?}") };
        assert_eq!(open["is_final"], false);
        key.open(open["note"].as_str().unwrap()).unwrap();

        // Nobody else learns anything.
        let other = server.org(&root, "other").await;
        for path in [path.clone(), format!("/v1/orgs/other/records/{record}/proof"), format!("{RECORDS}/checkpoints")] {
            other.client.get(&path).await.problem("not_found");
        }
        server.anybody().get(&path).await.problem("unauthenticated");
        admin.client.get(&format!("{RECORDS}/nonsense/proof")).await.problem("not_found");

        let ready = server.anybody().get("/readyz").await;
        assert_eq!(ready.status(200)["proof"]["condition"], "signing");
        assert_eq!(ready["proof"]["findings"], 0);
        let metrics = root.get("/metrics").await.status(200).as_str().unwrap().to_owned();
        for name in ["tegata_proof_signed_sequence", "tegata_proof_unsigned_records", "tegata_proof_findings 0"] {
            assert!(metrics.contains(name), "{name}: {metrics}");
        }
    }

    async fn signing_goes_on_after_a_restart_and_a_rotated_key(server: Server) {
        let (_, admin) = acme(&server).await;
        let before = public_key(&admin).await;
        let record = newest_record(&admin).await;
        let Server { running, config, database, directory, .. } = server;
        running.stop().await;
        keys::rotate(&config).await.unwrap();
        // Everything was signed before it ended.
        let data = config.data_dir.clone();
        is_clean(&data, &before);
        assert!(!check(&data, &before).1.contains("came after everything"));
        let server = Server::start_on(database, directory, config.database.unwrap()).await;
        let admin = Person { client: server.sign_in("acme-admin@example.com").await, ..admin };
        server.signed().await;
        assert_eq!(public_key(&admin).await, before);
        admin.client.get(&format!("{RECORDS}/{record}/proof")).await.status(200);
        let newest = newest_record(&admin).await;
        server.signed().await;
        admin.client.get(&format!("{RECORDS}/{newest}/proof")).await.status(200);
        // Also beside a server that is at work, with the key out of the key file.
        let place = data.to_str().unwrap();
        let (code, text) = tegata(&["record", "verify", "--data-dir", place]);
        assert_eq!(code, 0, "{text}");
        let (code, shown) = tegata(&["record", "public-key", "--data-dir", place]);
        assert_eq!((code, shown.trim()), (0, before.as_str()));
        drop(server);
    }

    async fn a_backup_checks_and_whatever_is_done_to_it_shows(server: Server) {
        let (_, admin) = acme(&server).await;
        let key = public_key(&admin).await;
        let org = admin.client.get("/v1/orgs/acme").await.status(200)["id"].as_str().unwrap().to_owned();
        server.signed().await;
        let record = newest_record(&admin).await;
        let kept = admin.client.get(&format!("{RECORDS}/checkpoints")).await;
        let note = kept.status(200)["items"][0]["note"].as_str().unwrap().to_owned();
        let proof = admin.client.get(&format!("{RECORDS}/{record}/proof")).await;
        let copy = server.directory.path().join("backup");
        let options = BackupOptions { destination: copy.clone() };
        let made = backup(&server.config, &options, &mut |_: Progress| {}).await.unwrap();
        assert!(made.manifest.files.keys().any(|name| name == "records/proof/node/checkpoints"));
        assert!(!copy.join("records/proof/proof.lock").exists());
        is_clean(&copy, &key);

        // One proof, by itself.
        let file = server.directory.path().join("proof.txt");
        std::fs::write(&file, proof.status(200)["proof"].as_str().unwrap()).unwrap();
        let shown = tegata(&["--json", "record", "verify-proof", file.to_str().unwrap(), "--public-key", &key]);
        let shown: Value = serde_json::from_str(&shown.1).unwrap();
        assert_eq!(shown["record"]["id"], record.as_str());
        let changed = std::fs::read_to_string(&file).unwrap().replacen("index 0", "index 1", 1);
        let changed = changed.replacen("\nindex ", "\nindex 1", 1);
        std::fs::write(&file, changed).unwrap();
        let (code, text) = tegata(&["record", "verify-proof", file.to_str().unwrap(), "--public-key", &key]);
        assert_eq!(code, ALTERED, "{text}");

        // A checkpoint that was kept elsewhere belongs to the log, and one that does not is refused.
        let checkpoints = server.directory.path().join("kept.txt");
        std::fs::write(&checkpoints, &note).unwrap();
        let place = copy.to_str().unwrap();
        let with = ["record", "verify", "--copy", place, "--public-key", &key, "--checkpoint", checkpoints.to_str().unwrap()];
        let (code, text) = tegata(&with);
        assert_eq!(code, 0, "{text}");
        assert!(text.contains("1 checkpoints"), "{text}");
        std::fs::write(&checkpoints, note.replacen("\n\n", "\n\nx", 1)).unwrap();
        assert_eq!(tegata(&with).0, 1);

        // In columns: one flipped byte, and a file that is gone.
        let now_us = server.running.app.clock.now().as_micros();
        let file = settled(&copy, now_us, &org);
        is_clean(&copy, &key);
        let bytes = std::fs::read(&file).unwrap();
        let mut flipped = bytes.clone();
        flipped[bytes.len() / 3] ^= 1;
        std::fs::write(&file, &flipped).unwrap();
        let name = file.file_name().unwrap().to_str().unwrap();
        let (code, text) = check(&copy, &key);
        assert_eq!(code, ALTERED, "{text}");
        assert!(text.contains(name) && text.contains("SHA-256"), "{text}");
        std::fs::remove_file(&file).unwrap();
        let (code, text) = check(&copy, &key);
        assert_eq!(code, ALTERED, "{text}");
        assert!(text.contains(name) && text.contains(&org), "{text}");
        std::fs::write(&file, &bytes).unwrap();
        is_clean(&copy, &key);

        // Another key does not fit.
        let other = "example.com+00000000+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        assert_eq!(check(&copy, other).0, 2);
    }

    async fn a_key_file_of_an_earlier_version_gets_a_signing_key(server: Server) {
        acme(&server).await;
        let Server { running, config, database, directory, .. } = server;
        running.stop().await;
        let text = std::fs::read_to_string(config.key_file()).unwrap();
        let old: String = text.lines().filter(|line| !line.starts_with("signing ")).fold(String::new(), |all, line| all + line + "\n");
        assert_ne!(old, text);
        std::fs::write(config.key_file(), &old).unwrap();
        let url = config.database.clone().unwrap();

        // Proofs are there that it would not fit: they are left alone, and the server serves.
        let server = Server::start_on(database, directory, url.clone()).await;
        let ready = server.anybody().get("/readyz").await;
        assert_eq!(ready.status(200)["proof"]["condition"], "off");
        assert_eq!(std::fs::read_to_string(config.key_file()).unwrap(), old);
        let Server { running, directory, .. } = server;
        running.stop().await;

        std::fs::rename(config.proofs(), directory.path().join("away")).unwrap();
        let server = Server::start_on(database, directory, url).await;
        server.signed().await;
        let added = std::fs::read_to_string(config.key_file()).unwrap();
        assert!(added.contains("\nsigning tegata-"));
        assert_eq!(added.lines().last(), old.lines().last(), "the hashing keys stay, the current one last");
        assert_eq!(std::fs::metadata(config.key_file()).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
