//! What an import would make, checked row by row: nothing is stored here.

use super::rows::{Lookups, Sound};
use super::view::{Body, Report, RowProblem, Warning};
use crate::authn::imported::{Fast, Hashed};
use crate::db::imports::{Profile, StagedGrant, StagedRow};
use crate::db::orgs::Org;
use crate::db::{self, Tx};
use crate::imports::{Candidate, FoundBy, Kind, ROWS_MAX, RowError, Rows, Weakness};
use crate::ops::act::internal;
use crate::ops::{Act, Allowed};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use std::collections::{BTreeMap, HashMap, HashSet};
use tegata_core::credential::{Coverage, CredentialKind};
use tegata_core::ids::{GrantId, ServiceAccountId, TokenId};
use tegata_core::name;
use tegata_core::operations;
use tegata_core::problem::{Code, FieldError, Problem};
use tegata_core::time::Timestamp;
use zeroize::Zeroizing;

/// Most mistakes that a report names.
const ERRORS_MAX: usize = 1_000;
/// Most functions by which imported keys are looked for in the whole installation, and most shapes.
pub const PROFILES_MAX: usize = 8;
/// Rows after which others have a turn on this thread.
const TURN: usize = 200;

/// What would be made.
pub struct Plan {
    /// The organization.
    pub org: Org,
    /// The rows that become credentials.
    pub rows: Vec<StagedRow>,
    /// How their keys are recognized, as far as that is new here.
    pub profiles: Vec<Profile>,
    /// The service accounts that get access keys.
    pub accounts: Vec<ServiceAccountId>,
    /// What there is to say.
    pub report: Report,
}

/// What is wrong with rows, and what speaks against them.
#[derive(Default)]
struct Findings {
    wrong: HashSet<usize>,
    errors: Vec<RowProblem>,
    left_out: usize,
    warnings: BTreeMap<(&'static str, String), (usize, usize)>,
}

impl Findings {
    fn wrong(&mut self, row: usize, error: RowError) {
        self.wrong.insert(row);
        if self.errors.len() < ERRORS_MAX {
            self.errors.push(RowProblem { row, field: error.field.to_owned(), message: error.message });
        } else {
            self.left_out += 1;
        }
    }

    fn all_wrong(&mut self, row: usize, errors: Vec<RowError>) {
        for error in errors {
            self.wrong(row, error);
        }
    }

    /// What there is to say of so many rows, of which so many are sound.
    fn report(&mut self, rows: usize, sound: usize) -> Report {
        self.errors.sort_by_key(|error| error.row);
        let warning = |((code, message), (rows, first_row))| Warning { code, message, rows, first_row };
        Report {
            id: None,
            dry_run: true,
            state: "checked",
            rows,
            credentials: sound,
            wrong_rows: self.wrong.len(),
            errors: std::mem::take(&mut self.errors),
            errors_left_out: self.left_out,
            warnings: std::mem::take(&mut self.warnings).into_iter().map(warning).collect(),
        }
    }

    fn warn(&mut self, row: usize, weakness: Weakness) {
        let (rows, _) = self.warnings.entry((weakness.code, weakness.message)).or_insert((0, row));
        *rows += 1;
    }
}

/// What may be there once only, and the row that has it.
#[derive(Default)]
struct Once {
    seen: HashMap<String, usize>,
}

impl Once {
    fn take(&mut self, value: &str, row: usize, field: &'static str, what: &str) -> Result<(), RowError> {
        match self.seen.insert(value.to_owned(), row) {
            None => Ok(()),
            Some(other) => {
                self.seen.insert(value.to_owned(), other);
                let why = format!("row {other} has the same {what}: it has to lead to one credential");
                Err(RowError::new(field, why))
            }
        }
    }

    fn values(&self) -> Vec<String> {
        self.seen.keys().cloned().collect()
    }
}

/// The rows that are sound so far, and what is wrong with the others.
#[derive(Default)]
struct Sorted {
    findings: Findings,
    rows: Vec<(usize, StagedRow)>,
    profiles: New,
    digests: Once,
    identifiers: Once,
    clients: Once,
}

/// Checks everything.
pub async fn plan(act: &mut Act<'_, Tx>, allowed: Allowed, body: &Body) -> Result<Plan, Problem> {
    name::check_reason(body.reason.as_deref().unwrap_or_default()).map_err(|error| Problem::field("reason", error))?;
    let settings = &body.settings;
    let of_settings = |error: RowError| Problem::field(format!("settings.{}", error.field), error.message);
    settings.check().map_err(of_settings)?;
    let mac_key = settings.mac_key().map_err(of_settings)?;
    let file = Rows::read(body.format, &body.content).map_err(|error| Problem::field("content", error))?;
    let known = Known::read(act).await?;
    let mut lookups = Lookups::begin(act, &allowed).await?;
    let (mut sorted, mut count) = (Sorted::default(), 0);
    for read in file {
        count += 1;
        if count > ROWS_MAX {
            return Err(Problem::field("content", "an import has at most 100,000 rows: import the rest after it"));
        }
        if count % TURN == 0 {
            tokio::task::yield_now().await;
        }
        let candidate = read.map_err(|error| vec![error]).and_then(|row| Candidate::read(row, settings));
        let checked = match &candidate {
            Ok(candidate) => lookups.sound(act, candidate).await?,
            Err(errors) => Err(errors.clone()),
        };
        match (candidate, checked) {
            (Ok(candidate), Ok(sound)) => {
                sorted.add(act, &known, body, mac_key.as_ref(), count, candidate, sound)?;
            }
            (_, Err(errors)) | (Err(errors), Ok(_)) => sorted.findings.all_wrong(count, errors),
        }
    }
    if count == 0 {
        return Err(Problem::field("content", "there is no row in it"));
    }
    let rows = sorted.without_taken(act).await?;
    let report = sorted.findings.report(count, rows.len());
    let accounts = lookups.accounts();
    Ok(Plan { org: allowed.org, rows, profiles: sorted.profiles.list, accounts, report })
}

impl Sorted {
    /// Adds a row that is sound for itself, unless another one is found in the same way.
    #[expect(clippy::too_many_arguments, reason = "a row with all that was found out about it")]
    fn add(
        &mut self,
        act: &Act<'_, Tx>,
        known: &Known,
        body: &Body,
        mac_key: Option<&Zeroizing<Vec<u8>>>,
        number: usize,
        candidate: Candidate,
        sound: Sound,
    ) -> Result<(), Problem> {
        let row = staged(act, &candidate, sound);
        let row = match &candidate.found_by {
            FoundBy::Itself(hashed) => {
                let fast = self.profiles.fast(act, known, hashed, mac_key)?;
                let digest = act.app.hasher.imported(&fast, hashed.bytes());
                let taken = self.digests.take(&digest.to_hex(), number, "hash", "hash");
                taken.map(|()| StagedRow { digest: Some((digest, act.app.hasher.key_id())), ..row })
            }
            FoundBy::Identifier(identifier, stored) => {
                if let Some(shape) = &body.settings.shape {
                    self.profiles.shape(known, shape)?;
                }
                let taken = self.identifiers.take(identifier, number, "identifier", "identifier");
                let (identifier, hash) = (Some(identifier.clone()), Some(stored.to_string()));
                taken.map(|()| StagedRow { identifier, hash, ..row })
            }
            FoundBy::Client(client, stored) => {
                let taken = self.clients.take(client, number, "identifier", "client id");
                let secret = format!("{}{stored}", db::access_keys::IMPORTED);
                taken.map(|()| StagedRow { client: Some((client.clone(), secret)), ..row })
            }
        };
        match row {
            Ok(row) => {
                for weakness in candidate.weaknesses {
                    self.findings.warn(number, weakness);
                }
                self.rows.push((number, row));
            }
            Err(error) => self.findings.wrong(number, error),
        }
        Ok(())
    }

    /// Leaves out what somebody has already. That is unique in the installation, and only that it is taken is told.
    async fn without_taken(&mut self, act: &mut Act<'_, Tx>) -> Result<Vec<StagedRow>, Problem> {
        let tx = &mut act.tx;
        let digests = db::imports::digests_taken(tx, &self.digests.values()).await.map_err(internal)?;
        let identifiers = db::imports::identifiers_taken(tx, &self.identifiers.values()).await.map_err(internal)?;
        let clients = db::imports::clients_taken(tx, &self.clients.values()).await.map_err(internal)?;
        let mut kept = Vec::with_capacity(self.rows.len());
        for (number, row) in std::mem::take(&mut self.rows) {
            let taken = if row.digest.is_some_and(|(digest, _)| digests.contains(&digest.to_hex())) {
                Some(("hash", "hash"))
            } else if row.identifier.as_ref().is_some_and(|known| identifiers.contains(known)) {
                Some(("identifier", "identifier"))
            } else if row.client.as_ref().is_some_and(|(client, _)| clients.contains(client)) {
                Some(("identifier", "client id"))
            } else {
                None
            };
            if let Some((field, what)) = taken {
                let why = format!("this {what} is there already: it was imported before");
                self.findings.wrong(number, RowError::new(field, why));
            } else {
                let ordinal = i64::try_from(kept.len()).unwrap_or(i64::MAX);
                kept.push(StagedRow { ordinal, ..row });
            }
        }
        Ok(kept)
    }
}

impl Plan {
    /// Refuses where a row is wrong, unless wrong rows are to be left out; and where nothing would be left.
    pub fn require_sound(&self, skip_wrong_rows: bool) -> Result<(), Problem> {
        let report = &self.report;
        if report.wrong_rows == 0 || (skip_wrong_rows && !self.rows.is_empty()) {
            return Ok(());
        }
        let detail = format!(
            "{} of {} rows are wrong, and nothing was imported: correct them, or leave them out with `skip_wrong_rows`",
            report.wrong_rows, report.rows
        );
        let error = |error: &RowProblem| {
            let dot = if error.field.is_empty() { "" } else { "." };
            FieldError { field: format!("rows[{}]{dot}{}", error.row, error.field), message: error.message.clone() }
        };
        Err(Problem { errors: report.errors.iter().map(error).collect(), ..Problem::new(Code::Invalid, detail) })
    }
}

fn staged(act: &Act<'_, Tx>, candidate: &Candidate, sound: Sound) -> StagedRow {
    let (kind, coverage) = match candidate.kind {
        Kind::PersonalToken => (CredentialKind::PersonalToken, Coverage::Listed),
        Kind::OrganizationKey => (CredentialKind::OrganizationKey, Coverage::Listed),
        Kind::AccessKey => (CredentialKind::AccessKey, Coverage::Roles),
    };
    let grants = sound.grants.iter().map(|grant| StagedGrant {
        id: act.id(GrantId::new).to_string(),
        api: grant.api.to_string(),
        context: grant.context.map(|context| context.to_string()),
        permissions: grant.permissions.join(" "),
    });
    StagedRow {
        ordinal: 0,
        token: act.id(TokenId::new),
        owner: sound.owner,
        kind: kind.as_str(),
        coverage: coverage.as_str(),
        name: candidate.name.clone(),
        reason: candidate.reason.clone(),
        expires_at: sound.expires_at.unwrap_or(Timestamp::MAX),
        digest: None,
        identifier: None,
        hash: None,
        client: None,
        grants: grants.collect(),
    }
}

/// How imported keys are recognized here already.
struct Known {
    profiles: Vec<Profile>,
    keys: Vec<(String, String, Zeroizing<Vec<u8>>)>,
}

impl Known {
    async fn read(act: &mut Act<'_, Tx>) -> Result<Self, Problem> {
        let profiles = db::imports::profiles(&mut act.tx).await.map_err(internal)?;
        let mut keys = Vec::new();
        for profile in &profiles {
            let opened = profile.sealed.as_ref().and_then(|sealed| act.app.sealer.open(&profile.id, sealed).ok());
            keys.extend(opened.map(|key| (profile.id.clone(), profile.document.clone(), key)));
        }
        Ok(Self { profiles, keys })
    }
}

/// What is new about that.
#[derive(Default)]
struct New {
    list: Vec<Profile>,
    macs: HashMap<String, String>,
}

impl New {
    fn add(&mut self, known: &Known, profile: Profile) -> Result<(), Problem> {
        let alike = |other: &&Profile| other.kind == profile.kind;
        if known.profiles.iter().filter(alike).count() + self.list.iter().filter(alike).count() >= PROFILES_MAX {
            let detail = format!(
                "this installation recognizes imported keys in {PROFILES_MAX} ways of this sort already: use the same function, key or shape"
            );
            return Err(Problem::new(Code::Conflict, detail));
        }
        self.list.push(profile);
        Ok(())
    }

    /// The name of the function that a hash was made with.
    fn fast(
        &mut self,
        act: &Act<'_, Tx>,
        known: &Known,
        hashed: &Hashed,
        mac_key: Option<&Zeroizing<Vec<u8>>>,
    ) -> Result<String, Problem> {
        let Hashed::Fast { sha, keyed, .. } = hashed else { return Err(Problem::internal()) };
        let document = Fast::new(*sha, None).format;
        let here = |id: &str| known.profiles.iter().any(|profile| profile.id == id);
        if !keyed {
            if !here(&document) && !self.list.iter().any(|profile| profile.id == document) {
                let id = document.clone();
                self.add(known, Profile { id, kind: "fast".to_owned(), document: document.clone(), sealed: None })?;
            }
            return Ok(document);
        }
        if let Some(id) = self.macs.get(&document) {
            return Ok(id.clone());
        }
        let key = mac_key.ok_or_else(Problem::internal)?;
        let same = |other: &[u8]| verify_slices_are_equal(other, key).is_ok();
        if let Some((id, ..)) = known.keys.iter().find(|(_, function, other)| *function == document && same(other)) {
            self.macs.insert(document, id.clone());
            return Ok(id.clone());
        }
        let id = format!("hmac_{}", crate::authn::hasher::hex(&act.app.entropy.bytes::<10>()));
        let sealed = act.app.sealer.seal(&act.app.entropy, &id, key).map_err(|error| {
            tracing::error!(%error, "the key of an import could not be sealed");
            Problem::internal()
        })?;
        let profile =
            Profile { id: id.clone(), kind: "fast".to_owned(), document: document.clone(), sealed: Some(sealed) };
        self.add(known, profile)?;
        self.macs.insert(document, id.clone());
        Ok(id)
    }

    fn shape(&mut self, known: &Known, shape: &crate::imports::Shape) -> Result<(), Problem> {
        let document = serde_json::to_string(shape).map_err(|_| Problem::internal())?;
        let same = |profile: &Profile| profile.kind == "shape" && profile.document == document;
        if known.profiles.iter().any(same) || self.list.iter().any(same) {
            return Ok(());
        }
        let number = known.profiles.len() + self.list.len() + 1;
        self.add(known, Profile { id: format!("shape_{number}"), kind: "shape".to_owned(), document, sealed: None })
    }
}

/// The operation that all of it is for.
pub const OPERATION: &operations::Operation = operations::CREDENTIAL_IMPORT_CREATE;
