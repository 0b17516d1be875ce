//! Backup, restore, copying to the other database, rotating the key, and the look at an installation's health.

use crate::support::{Client, Database, PASSWORD, Server, fresh_database};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tegata::db::Db;
use tegata::db::maintenance::{OWN_TABLES, TABLES, tables_here};
use tegata::maintenance::{
    BackupOptions, CopyOptions, Level, MaintenanceError, Progress, RestoreOptions, backup, copy, doctor, keys,
    open_restored, password, restore, stops,
};
use tegata::serve::Config;
use tempfile::TempDir;

const ISSUES: &str = "/repos/octo/hello/issues";

/// An organization whose administrator issues tokens to themself.
struct World {
    root: Client,
    admin: Client,
    gateway: String,
}

async fn world(server: &Server) -> World {
    let root = server.admin().await;
    server.catalogue(&root, "github").await;
    let admin = server.org(&root, "octo").await.client;
    admin.put("/v1/orgs/octo/apis/github", json!({})).await.status(200);
    let body = json!({"type": "repository", "key": "octo/hello", "name": "hello"});
    admin.post("/v1/orgs/octo/contexts", body).await.status(201);
    let policy = json!({"admission": "allow", "level": "all", "max_lifetime_days": 365, "reason": "trial"});
    admin.put("/v1/orgs/octo/policies/personal_token", policy).await.status(200);
    let gateway = server.verifier(&root, "github").await.token.unwrap();
    World { root, admin, gateway }
}

async fn token(owner: &Client, expires_at: &str) -> (String, String) {
    let body = json!({"name": "ci", "expires_at": expires_at, "reason": "test",
        "grants": [{"organization": "octo", "api": "github", "scopes": ["repository:key:octo/hello:issues:read"]}]});
    let reply = owner.post("/v1/me/tokens", body).await;
    let body = reply.status(201);
    (body["id"].as_str().unwrap().to_owned(), body["token"].as_str().unwrap().to_owned())
}

async fn reason(server: &Server, gateway: &str, token: &str) -> Value {
    let body = json!({"token": token, "api": "github", "method": "GET", "path": ISSUES});
    server.anybody().with(gateway).verify(body).await["reason"].clone()
}

async fn stop(server: Server) -> (TempDir, Config, Database) {
    let Server { running, config, database, directory, .. } = server;
    running.stop().await;
    (directory, config, database)
}

/// A place for a restored installation, with the key file of another.
async fn elsewhere(database: Database, keys: Option<&Path>) -> (TempDir, Config) {
    let directory = tempfile::tempdir().unwrap();
    let url = fresh_database(database, &directory).await;
    let mut config = Config::new(directory.path().join("data"), "127.0.0.1:0".parse().unwrap());
    config.database = Some(url);
    std::fs::create_dir_all(&config.data_dir).unwrap();
    if let Some(keys) = keys {
        std::fs::copy(keys, config.key_file()).unwrap();
    }
    (directory, config)
}

fn quiet() -> impl FnMut(Progress) + Send {
    |progress: Progress| assert!(progress.done <= progress.total, "{progress:?}")
}

both_databases! {
    async fn a_restore_has_everything_and_revives_nothing(server: Server) {
        let World { root, admin, gateway } = world(&server).await;
        let month = server.in_days(30);
        let (_, kept) = token(&admin, &month).await;
        let (doomed_id, doomed) = token(&admin, &month).await;
        let (here_id, here) = token(&admin, &month).await;
        let (renewed_id, renewed) = token(&admin, &month).await;
        let (gone_id, gone) = token(&admin, &month).await;
        admin.post(&format!("/v1/me/tokens/{gone_id}/revoke"), json!({})).await.status(200);
        let key = json!({"name": "backup", "expires_at": month,
            "grants": [{"api": "github", "scopes": ["repository:key:octo/hello:issues:read"]}]});
        let key = admin.post("/v1/orgs/octo/organization-keys", key).await.status(201).clone();
        let account = admin.post("/v1/orgs/octo/service-accounts", json!({"name": "ci"})).await.status(201)["id"].clone();
        let pair = json!({"name": "ci", "service_account": "ci", "secret": "Chosen-secret-1"});
        let pair = admin.post("/v1/orgs/octo/access-keys", pair).await.status(201).clone();
        let shows = json!({"client_id": pair["client_id"], "client_secret": "Chosen-secret-1", "api": "github",
            "method": "GET", "path": ISSUES});
        let with_pair = async |server: &Server| {
            server.anybody().with(&gateway).verify(shows.clone()).await["reason"].clone()
        };
        assert_eq!(reason(&server, &gateway, key["token"].as_str().unwrap()).await, "granted");
        assert_eq!(with_pair(&server).await, "owner_lacks_permission");
        // Granted by somebody else, and taken away after the backup.
        let leaver = server.member(&root, &admin, "octo", "leaver", "administrator").await;
        admin.put("/v1/orgs/octo/policies/personal_token", json!({"admission": "approval", "level": "all",
            "max_lifetime_days": 365, "four_eyes": true, "reason": "two people look"})).await.status(200);
        let keeper = server.member(&root, &admin, "octo", "keeper", "administrator").await;
        let body = json!({"name": "approved", "expires_at": month,
            "grants": [{"organization": "octo", "api": "github", "scopes": ["repository:key:octo/hello:issues:read"]}]});
        let approved = keeper.client.post("/v1/me/tokens", body).await.status(201).clone();
        let request = format!("/v1/orgs/octo/requests/{}", approved["requests"][0].as_str().unwrap());
        admin.post(&format!("{request}/decide"), json!({"approve_all": true})).await.status(200);
        assert_eq!(reason(&server, &gateway, approved["token"].as_str().unwrap()).await, "granted");
        admin.put("/v1/orgs/octo/policies/personal_token", json!({"admission": "allow", "level": "all",
            "max_lifetime_days": 365, "four_eyes": false, "reason": "trial"})).await.status(200);
        let (_, left) = token(&leaver.client, &month).await;
        assert_eq!(reason(&server, &gateway, &kept).await, "granted");
        assert_eq!(reason(&server, &gateway, &left).await, "granted");

        // Others go on working while the backup is made.
        let ended = Arc::new(AtomicBool::new(false));
        let busy = tokio::spawn({
            let (admin, ended, month) = (admin.clone(), Arc::clone(&ended), month.clone());
            async move {
                let mut made = Vec::new();
                while !ended.load(Ordering::Acquire) {
                    let (id, secret) = token(&admin, &month).await;
                    if made.len() % 2 == 0 {
                        admin.post(&format!("/v1/me/tokens/{id}/revoke"), json!({})).await.status(200);
                    }
                    made.push((id, secret));
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                }
                made
            }
        });
        let target = server.directory.path().join("backup");
        let options = BackupOptions { destination: target.clone() };
        let config = server.config.clone();
        let made = tokio::spawn(async move { backup(&config, &options, &mut quiet()).await.unwrap() }).await.unwrap();
        assert!(made.reminder().contains(&made.manifest.keys[0].fingerprint));
        assert!(made.manifest.records.records >= 2, "{:?}", made.manifest.records);
        ended.store(true, Ordering::Release);
        let during = busy.await.unwrap();

        admin.post(&format!("/v1/me/tokens/{doomed_id}/revoke"), json!({})).await.status(200);
        admin.post(&format!("/v1/orgs/octo/tokens/{here_id}/revoke"), json!({})).await.status(200);
        admin.post(&format!("/v1/me/tokens/{renewed_id}/regenerate"), json!({})).await.status(200);
        admin.post(&format!("/v1/orgs/octo/members/{}/deactivate", leaver.id), json!({})).await.status(200);
        admin.post(&format!("{request}/ungrant"), json!({})).await.status(200);
        let stop_key = format!("/v1/orgs/octo/organization-keys/{}/revoke", key["id"].as_str().unwrap());
        admin.post(&stop_key, json!({})).await.status(200);
        let renew_pair = format!("/v1/orgs/octo/access-keys/{}/regenerate", pair["id"].as_str().unwrap());
        admin.post(&renew_pair, json!({})).await.status(200);
        let stop_account = format!("/v1/orgs/octo/service-accounts/{}/deactivate", account.as_str().unwrap());
        admin.post(&stop_account, json!({})).await.status(200);
        let (_, late) = token(&admin, &month).await;
        let (directory, old, database) = stop(server).await;

        let options = RestoreOptions { source: target.clone(), stops: Some(old.data_dir.clone()) };
        let (_none, keyless) = elsewhere(database, None).await;
        let refused = restore(&keyless, &options, &mut quiet()).await;
        assert!(matches!(refused, Err(MaintenanceError::KeyNeeded { .. })), "{refused:?}");
        let (new_directory, new) = elsewhere(database, Some(&old.key_file())).await;
        damage(&target.join("tegata.db"));
        let refused = restore(&new, &options, &mut quiet()).await;
        assert!(matches!(refused, Err(MaintenanceError::Damaged(_))), "{refused:?}");
        damage(&target.join("tegata.db"));

        let done = restore(&new, &options, &mut quiet()).await.unwrap();
        assert!(done.stopped.iter().any(|stop| stop.id == doomed_id));
        assert!(done.uncertain.iter().any(|line| line.contains(&renewed_id)), "{:?}", done.uncertain);
        let again = restore(&new, &options, &mut quiet()).await;
        assert!(matches!(again, Err(MaintenanceError::NotEmpty(_))), "{again:?}");

        let server = Server::start_on(database, new_directory, new.database.clone().unwrap()).await;
        for secret in [&kept, &doomed, &late] {
            assert_eq!(reason(&server, &gateway, secret).await, "lease_lost");
        }
        let ready = server.anybody().get("/readyz").await;
        assert!(ready.status(503)["blocked"].as_str().unwrap().contains("restore --open"), "{}", ready.body);
        server.anybody().with(root.token.as_deref().unwrap()).get("/v1/me").await.problem("unauthenticated");
        server.sign_in("root@example.com").await.get("/v1/orgs").await.status(200);
        let held = open_restored(&new).await;
        assert!(matches!(held, Err(MaintenanceError::Lock(_))), "{held:?}");

        let (new_directory, new, database) = stop(server).await;
        assert_eq!(open_restored(&new).await.unwrap()["sequence"], done.manifest.sequence);
        assert!(matches!(open_restored(&new).await, Err(MaintenanceError::NotBlocked)));
        let server = Server::start_on(database, new_directory, new.database.unwrap()).await;
        assert_eq!(reason(&server, &gateway, &kept).await, "granted");
        assert_eq!(reason(&server, &gateway, &gone).await, "revoked");
        assert_eq!(reason(&server, &gateway, &doomed).await, "revoked");
        assert_eq!(reason(&server, &gateway, &here).await, "revoked");
        assert_eq!(reason(&server, &gateway, &renewed).await, "expired");
        assert_eq!(reason(&server, &gateway, &left).await, "revoked");
        assert_eq!(reason(&server, &gateway, &late).await, "unknown");
        assert_eq!(reason(&server, &gateway, key["token"].as_str().unwrap()).await, "revoked");
        assert_eq!(reason(&server, &gateway, approved["token"].as_str().unwrap()).await, "insufficient_scope");
        assert_eq!(with_pair(&server).await, "unknown", "the secret that was replaced");
        for (place, (id, secret)) in during.iter().enumerate() {
            let found = reason(&server, &gateway, secret).await;
            let right = if place % 2 == 0 { ["revoked", "unknown"] } else { ["granted", "unknown"] };
            assert!(right.iter().any(|right| found == *right), "{id}: {found}");
        }
        let records = server.sign_in("octo-admin@example.com").await.get("/v1/orgs/octo/records?api=github&limit=200").await;
        let records = records.status(200)["items"].as_array().unwrap();
        assert!(records.iter().filter(|record| record["reason"] == "granted").count() >= 2, "{records:?}");
        // What is stopped from now on has a number that no stop of the former life has.
        let client = server.sign_in("octo-admin@example.com").await;
        assert_eq!(client.get("/v1/orgs/octo/service-accounts/ci").await.status(200)["state"], "inactive");
        let (id, _) = token(&client, &month).await;
        let receipt = client.post(&format!("/v1/me/tokens/{id}/revoke"), json!({})).await;
        assert!(receipt.status(200)["sequence"].as_u64().unwrap() > done.last_stop.unwrap());
        drop(directory);
    }

    async fn a_lost_stops_file_is_made_again(server: Server) {
        let World { admin, .. } = world(&server).await;
        let month = server.in_days(30);
        let (first, _) = token(&admin, &month).await;
        admin.post(&format!("/v1/me/tokens/{first}/revoke"), json!({})).await.status(200);
        let file = server.config.stops_log();
        let stopped = |id: &str| stops::read(&file).unwrap().stops.iter().filter(|stop| stop.id == id).count();
        assert_eq!(stopped(&first), 1);
        std::fs::remove_file(&file).unwrap();
        let server = server.restart().await;
        assert_eq!(stopped(&first), 1);
        let server = server.restart().await;
        assert_eq!(stopped(&first), 1, "what is in the file is not written again");
        drop(server);
    }

    async fn a_copy_keeps_every_row_there_and_back(server: Server) {
        let World { admin, gateway, .. } = world(&server).await;
        let month = server.in_days(30);
        let (_, kept) = token(&admin, &month).await;
        let (gone_id, gone) = token(&admin, &month).await;
        admin.post(&format!("/v1/me/tokens/{gone_id}/revoke"), json!({})).await.status(200);
        let held = CopyOptions { from: server.config.database(), to: server.directory.path().join("x.db").display().to_string() };
        assert!(matches!(copy(&held, &mut quiet()).await, Err(MaintenanceError::Lock(_))));
        let (directory, config, database) = stop(server).await;
        let other = match database { Database::Sqlite => Database::Postgres, Database::Postgres => Database::Sqlite };

        turn_contexts_round(&config.database()).await;
        let there = CopyOptions { from: config.database(), to: fresh_database(other, &directory).await };
        let options = there.clone();
        let first = tokio::spawn(async move { copy(&options, &mut quiet()).await.unwrap() }).await.unwrap();
        assert!(first.tables["feed"].rows > 0 && first.tables["role_permissions"].rows > 0);
        let back = CopyOptions { from: there.to.clone(), to: fresh_database(database, &directory).await };
        let second = copy(&back, &mut quiet()).await.unwrap();
        assert_eq!(first.tables, second.tables);
        assert_eq!(first.sequence, second.sequence);
        let full = copy(&there, &mut quiet()).await;
        assert!(matches!(full, Err(MaintenanceError::DatabaseNotEmpty(_))), "{full:?}");

        let server = Server::start_on(database, directory, back.to).await;
        assert_eq!(reason(&server, &gateway, &kept).await, "granted");
        assert_eq!(reason(&server, &gateway, &gone).await, "revoked");
    }

    async fn no_table_is_forgotten(server: Server) {
        let db = Db::connect(&server.config.database()).await.unwrap();
        let mut known: Vec<_> = TABLES.iter().map(|table| table.name).chain(OWN_TABLES.iter().copied()).collect();
        known.sort_unstable();
        let here = tables_here(&db).await.unwrap();
        let names: Vec<_> = here.iter().map(|(name, _)| name.as_str()).collect();
        let lacking: Vec<_> = names.iter().filter(|name| !known.contains(name)).collect();
        assert!(lacking.is_empty(), "add {lacking:?} to TABLES in db/maintenance.rs");
        for table in TABLES {
            let found = here.iter().find(|(name, _)| name == table.name);
            assert_eq!(found.map(|(_, key)| key.as_slice()).unwrap_or_default(), table.key, "{}", table.name);
        }
    }

    async fn the_key_is_rotated_and_the_old_one_retired(server: Server) {
        let World { admin, gateway, .. } = world(&server).await;
        let month = server.in_days(30);
        let (_, old) = token(&admin, &month).await;
        admin.post("/v1/orgs/octo/applications", json!({"name": "Porter"})).await.status(201);
        let database = server.database;
        assert!(matches!(keys::rotate(&server.config).await, Err(MaintenanceError::Lock(_))));
        let (directory, config, _) = stop(server).await;
        assert!(matches!(keys::retire(&config, false).await, Err(MaintenanceError::OneKey)));
        assert_eq!(keys::rotate(&config).await.unwrap().key_id, 2);
        assert!(matches!(keys::rotate(&config).await, Err(MaintenanceError::TwoKeys(1))));

        let server = Server::start_on(database, directory, config.database()).await;
        let owner = server.sign_in("octo-admin@example.com").await;
        let (_, new) = token(&owner, &month).await;
        assert_eq!(reason(&server, &gateway, &old).await, "granted");
        assert_eq!(reason(&server, &gateway, &new).await, "granted");
        let status = keys::status(&config).await.unwrap();
        assert_eq!(status.iter().map(|key| (key.state, key.live.tokens, key.live.verifiers)).collect::<Vec<_>>(),
            [("previous", 1, 1), ("current", 1, 0)]);

        let root = server.sign_in("root@example.com").await;
        let fresh = server.verifier(&root, "github").await.token.unwrap();
        let (directory, config, _) = stop(server).await;
        let refused = keys::retire(&config, false).await;
        assert!(matches!(refused, Err(MaintenanceError::KeyInUse { key_id: 1, tokens: 1, applications: 1, verifiers: 1 })), "{refused:?}");
        assert_eq!(keys::retire(&config, true).await.unwrap().cut_off.tokens, 1);
        assert!(stops::read(&config.data_dir).unwrap().stops.iter().any(|stop| stop.kind == stops::Kind::HashKey));
        let server = Server::start_on(database, directory, config.database()).await;
        assert_eq!(reason(&server, &fresh, &old).await, "unknown");
        assert_eq!(reason(&server, &fresh, &new).await, "granted");
    }

    async fn a_password_is_set_on_the_machine(server: Server) {
        let root = server.admin().await;
        let database = server.database;
        let (directory, config, _) = stop(server).await;
        let new = || "another battery staple".into();
        assert!(matches!(password::set(&config, "nobody@example.com", new()).await, Err(MaintenanceError::NoAccount(_))));
        assert!(matches!(password::set(&config, "root@example.com", "short".into()).await, Err(MaintenanceError::Password(_))));
        password::set(&config, "root@example.com", new()).await.unwrap();
        let server = Server::start_on(database, directory, config.database()).await;
        server.anybody().with(root.token.as_deref().unwrap()).get("/v1/me").await.problem("unauthenticated");
        let form = |password: &str| json!({"email": "root@example.com", "password": password});
        server.anybody().post("/v1/sessions", form(PASSWORD)).await.problem("wrong_credentials");
        server.anybody().post("/v1/sessions", form("another battery staple")).await.status(201);
    }

    async fn a_doctor_finds_what_is_missing(server: Server) {
        world(&server).await;
        let served = doctor(&server.config).await;
        assert!(served.iter().all(|finding| finding.level != Level::Error), "{served:#?}");
        assert!(served.iter().any(|finding| finding.what.contains("a server is at work")), "{served:#?}");
        let (_directory, config, _) = stop(server).await;
        let well = doctor(&config).await;
        assert!(well.iter().all(|finding| finding.level != Level::Error), "{well:#?}");
        std::fs::rename(config.key_file(), config.data_dir.join("elsewhere")).unwrap();
        let ill = doctor(&config).await;
        let found = ill.iter().find(|finding| finding.level == Level::Error).unwrap();
        assert!(found.what.contains("key file") && found.advice.is_some(), "{ill:#?}");
        let mut nowhere = config.clone();
        nowhere.database = Some(config.data_dir.join("nothing.db").display().to_string());
        assert!(doctor(&nowhere).await.iter().any(|finding| finding.what.contains("there is no database")));
        assert!(!config.data_dir.join("nothing.db").exists());
    }
}

/// Changes a byte in the middle of a file; changes it back the second time.
fn damage(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    std::fs::write(path, bytes).unwrap();
}

/// Puts an older context below a younger one, as moving does.
async fn turn_contexts_round(database: &str) {
    let url = if database.starts_with("postgres") { database.to_owned() } else { format!("sqlite://{database}") };
    let pool = sqlx::AnyPool::connect(&url).await.unwrap();
    let young = tegata_core::ids::ContextId::from_u128(u128::MAX).to_string();
    sqlx::query(
        "INSERT INTO contexts (id, org_id, kind, context_key, key_folded, external_id, name, parent_id, created_at, created_by)
         SELECT CAST($1 AS TEXT), org_id, kind, 'young', 'young', NULL, 'young', NULL, created_at, created_by FROM contexts LIMIT 1",
    )
    .bind(&young)
    .execute(&pool)
    .await
    .unwrap();
    let below = sqlx::query("UPDATE contexts SET parent_id = $1 WHERE id <> $2").bind(&young).bind(&young);
    below.execute(&pool).await.unwrap();
    pool.close().await;
}
