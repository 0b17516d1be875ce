//! A look at an installation's health: what is wrong, and the way out of each. It changes nothing but the torn end of
//! an access log that nobody uses, which the next start would cut off as well.

mod place;

use super::backup::same_schema;
use super::{MaintenanceError, aside, records, shown};
use crate::authn::key_file;
use crate::db::maintenance::{all_keys, integrity, newest_change, orphans};
use crate::db::schema::{Found, SchemaError};
use crate::db::{self, Db};
use crate::maintenance::restore::why_blocked;
use crate::maintenance::stops;
use crate::serve::{Config, is_served};
use crate::verify::recording::RecordFailure;
use serde::Serialize;
use std::path::Path;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As it should be.
    Ok,
    /// It works, and somebody should look.
    Warn,
    /// It does not work, or will not for long.
    Error,
}

/// Something that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// What was found.
    pub what: String,
    /// What to do; nothing where all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Finding {
    fn ok(what: impl Into<String>) -> Self {
        Self { level: Level::Ok, what: what.into(), advice: None }
    }

    fn warn(what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { level: Level::Warn, what: what.into(), advice: Some(advice.into()) }
    }

    fn error(what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { level: Level::Error, what: what.into(), advice: Some(advice.into()) }
    }
}

/// Whether any finding is an error: then the command line ends with a code other than zero.
pub fn is_ill(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.level == Level::Error)
}

/// Looks at everything. Works beside a running server.
pub async fn doctor(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.push(place::directory(&config.data_dir));
    findings.push(place::key_file(&config.key_file()));
    findings.push(place::disk_space(&config.data_dir).await);
    let served = match database(config, &mut findings).await {
        Ok(served) => served,
        Err(error) => {
            findings.push(Finding::error(
                format!("the database {} cannot be looked at: {error}", shown(&config.database())),
                "check --database, that the database server runs, and that this account may use it",
            ));
            false
        }
    };
    access_log(config, served, &mut findings).await;
    findings
}

/// Looks at the database. Tells whether somebody serves it.
async fn database(config: &Config, findings: &mut Vec<Finding>) -> Result<bool, MaintenanceError> {
    let name = config.database();
    if !super::is_server(&name) && !Path::new(&name).exists() {
        findings.push(Finding::error(
            format!("there is no database at {name}"),
            "check --data-dir and --database; `tegata serve` makes a new installation",
        ));
        return Ok(false);
    }
    let db = Db::connect(&name).await?;
    let served = look(config, &db, &name, findings).await;
    db.close().await;
    served
}

async fn look(config: &Config, db: &Db, name: &str, findings: &mut Vec<Finding>) -> Result<bool, MaintenanceError> {
    match db.inspect().await {
        Ok(Found::Ours) => {}
        Ok(Found::Empty) => {
            findings.push(Finding::warn(
                format!("the database {} is empty", shown(name)),
                "`tegata serve` or `tegata init` makes an installation in it",
            ));
            return Ok(false);
        }
        Err(error @ (SchemaError::Foreign | SchemaError::NotADatabase)) => {
            findings.push(Finding::error(error.to_string(), "choose another database with --database"));
            return Ok(false);
        }
        Err(error) => return Err(error.into()),
    }
    findings.push(match same_schema(db).await {
        Ok(version) => Finding::ok(format!("the database {} is reachable, with schema {version}", shown(name))),
        Err(error @ MaintenanceError::OtherSchema(..)) => {
            Finding::warn(error.to_string(), "start the server of this version once")
        }
        Err(error) => Finding::error(error.to_string(), "use the version of Tegata that wrote this database"),
    });
    let served = is_served(db, name).await?;
    findings.push(match &served {
        Some(holder) => Finding::ok(format!("a server is at work ({holder})")),
        None => Finding::ok("no server is at work"),
    });
    for wrong in integrity(db).await? {
        findings.push(Finding::error(
            format!("the database file is damaged: {wrong}"),
            "stop the server, keep a copy of the file, and restore the last backup with --stops",
        ));
    }
    if let Some(why) = why_blocked(db).await? {
        findings.push(Finding::warn(why, "`tegata restore --open`"));
    }
    keys(config, db, findings).await?;
    contents(config, db, findings).await?;
    stops_file(config, db, findings).await?;
    Ok(served.is_some())
}

/// The keys of the file against those of the database.
async fn keys(config: &Config, db: &Db, findings: &mut Vec<Finding>) -> Result<(), MaintenanceError> {
    // Whether it is there and can be read was said before.
    let Ok(file) = key_file::read(&config.key_file()) else { return Ok(()) };
    let mut tx = db.read().await?;
    let live: Vec<_> = all_keys(&mut tx).await?.into_iter().filter(|key| key.live).collect();
    for key in &live {
        let here =
            file.hashing.iter().any(|other| other.key_id == key.key_id && other.fingerprint() == key.fingerprint);
        findings.push(if here {
            Finding::ok(format!("hashing key {} ({}) is in the key file", key.key_id, key.fingerprint))
        } else {
            Finding::error(
                format!("the key file does not hold hashing key {} ({})", key.key_id, key.fingerprint),
                "put the key file of this installation back; no server starts without it",
            )
        });
    }
    if let [previous, _] = live.as_slice() {
        findings.push(Finding::warn(
            format!("hashing key {} is on its way out and still live", previous.key_id),
            "`tegata keys status` tells which secrets are under it; `tegata keys retire` ends it",
        ));
    }
    Ok(())
}

/// Rows that contradict each other, and organizations that nobody administers.
async fn contents(config: &Config, db: &Db, findings: &mut Vec<Finding>) -> Result<(), MaintenanceError> {
    let mut tx = db.read().await?;
    let mut sound = true;
    for (what, rows) in orphans(&mut tx).await? {
        if rows > 0 {
            sound = false;
            findings.push(Finding::error(
                format!("the database holds {rows} {what}"),
                "no change of Tegata leaves such rows: keep a copy of the database and report it",
            ));
        }
    }
    if sound {
        findings.push(Finding::ok("no row contradicts another"));
    }
    for org in db::orgs::all(&mut tx).await? {
        if db::assignments::count_administrators(&mut tx, org.id).await? > 0 {
            continue;
        }
        let advice = if org.publisher {
            "start the server: it prints a set-up link for a new administrator"
        } else {
            "an administrator of the installation reactivates one, or is asked to name another"
        };
        findings.push(Finding::warn(format!("the organization {} has no active administrator", org.key), advice));
    }
    for stream in db::streams::all(&mut tx).await? {
        let (name, org) = (&stream.name, stream.org);
        if let (None, Some((since, failure))) = (&stream.paused, &stream.progress.failing) {
            findings.push(Finding::warn(
                format!("the record stream {name} of {org} has not delivered since {since} ({failure})"),
                "`tegata record stream test` says what its receiver answers; it is tried again without end",
            ));
        }
    }
    for webhook in db::webhooks::all(&mut tx).await? {
        let (name, org) = (&webhook.name, webhook.org);
        if let (None, Some((since, failure))) = (&webhook.paused, &webhook.failing) {
            findings.push(Finding::warn(
                format!("the webhook {name} of {org} has not delivered since {since} ({failure})"),
                "`tegata webhook test` says what its receiver answers; after five days it is disabled",
            ));
        }
    }
    let now = config.clock.now();
    if let Some(newest) = newest_change(&mut tx).await?.filter(|newest| *newest > now.plus(place::SKEW)) {
        findings.push(Finding::error(
            format!("the newest change is of {newest}, and this machine says that it is {now}"),
            "set the clock: what is issued now would expire at the wrong time",
        ));
    }
    Ok(())
}

async fn stops_file(config: &Config, db: &Db, findings: &mut Vec<Finding>) -> Result<(), MaintenanceError> {
    let path = config.stops_log();
    let mut tx = db.read().await?;
    let id = db::installation::get(&mut tx, db::installation::INSTALLATION_ID).await?.unwrap_or_default();
    drop(tx);
    let read = {
        let path = path.clone();
        aside(move || Ok(stops::read(&path))).await?
    };
    findings.push(match read {
        Ok(reading) if reading.installation.as_deref().is_some_and(|other| other != id) => Finding::error(
            format!("the stops file {} belongs to another installation", path.display()),
            "put this installation's own stops file back, or move this one away: the next start makes one from activity",
        ),
        Ok(reading) if !reading.damaged.is_empty() => Finding::warn(
            format!("{} lines of the stops file {} cannot be read", reading.damaged.len(), path.display()),
            "make a backup now: stops before it are in it, and no restore needs those lines",
        ),
        Ok(reading) => Finding::ok(format!("the stops file holds {} stops", reading.stops.len())),
        Err(error) => Finding::warn(error.to_string(), "the next start makes it again from activity"),
    });
    Ok(())
}

async fn access_log(config: &Config, served: bool, findings: &mut Vec<Finding>) {
    if config.record_failure == RecordFailure::Allow {
        findings.push(Finding::warn(
            "checks are answered even when they cannot be recorded (--record-failure=allow)".to_owned(),
            "watch tegata_checks_unrecorded_total, or choose deny, under which nothing is allowed without a record",
        ));
    }
    let directory = config.records();
    if served {
        findings.push(Finding::ok("the access log is in use by the server; /readyz tells how it is"));
        return;
    }
    if !directory.join("journal.json").exists() {
        findings.push(Finding::ok("there is no access log yet"));
        return;
    }
    let columns = config.record_bucket.clone();
    let looked = aside(move || records::look(&directory, columns.as_ref())).await;
    match looked {
        Ok(copied) => {
            findings.push(Finding::ok(format!("the access log holds {} records", copied.records)));
            findings.extend(copied.findings.into_iter().map(|finding| {
                Finding::warn(
                    format!("the access log was damaged: {finding}"),
                    "the records around it are kept; look at the disk, and compare with a backup",
                )
            }));
        }
        Err(error) => findings.push(Finding::error(
            error.to_string(),
            "no server starts without its access log: see who uses it, and its permissions",
        )),
    }
}
