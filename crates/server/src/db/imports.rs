//! Imports of credentials that were made elsewhere: the import, its rows while it is under way, and what is known of an imported
//! credential beside its token.

use super::{DbError, PageAsk, Tx, WriteTx, exactly_one, parsed, parsed_option};
use crate::authn::Digest;
use sqlx::AssertSqlSafe;
use std::collections::HashSet;
use std::fmt::Write as _;
use tegata_core::ids::{ImportId, OrgId, TokenId, UserId};
use tegata_core::time::Timestamp;

/// Rows of one statement. With [`ROW_COLUMNS`] each, far below what either database takes.
const ROWS_AT_ONCE: usize = 200;
/// Values that are looked for at once.
const LOOKED_FOR_AT_ONCE: usize = 500;
const ROW_COLUMNS: [&str; 16] = [
    "import_id",
    "ordinal",
    "org_id",
    "token_id",
    "owner_id",
    "kind",
    "coverage",
    "name",
    "reason",
    "expires_at",
    "digest",
    "key_id",
    "identifier",
    "hash",
    "client_id",
    "secret_hash",
];
const GRANT_COLUMNS: [&str; 8] =
    ["id", "import_id", "ordinal", "org_id", "token_id", "api_id", "context_id", "permissions"];

/// How far an import has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportState {
    /// Nobody has said yet that it shall be.
    Staged,
    /// It shall be, and is on its way.
    Committed,
    /// All of it is there.
    Live,
}

impl ImportState {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Staged => "staged",
            Self::Committed => "committed",
            Self::Live => "live",
        }
    }
}

impl std::str::FromStr for ImportState {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Staged, Self::Committed, Self::Live].into_iter().find(|state| state.as_str() == text).ok_or(())
    }
}

/// An import.
#[derive(Debug, Clone)]
pub struct Import {
    /// Its id.
    pub id: ImportId,
    /// The organization.
    pub org: OrgId,
    /// How far it has come.
    pub state: ImportState,
    /// How many credentials it brings.
    pub credentials: i64,
    /// How many wrong rows were left out.
    pub skipped: i64,
    /// How many warnings it came with.
    pub warnings: i64,
    /// Why it was made.
    pub reason: String,
    /// Who made it.
    pub created_by: UserId,
    /// When.
    pub created_at: Timestamp,
    /// When all of it was there.
    pub live_at: Option<Timestamp>,
}

/// A row that is on its way to become a credential.
#[derive(Debug, Clone)]
pub struct StagedRow {
    /// Its number among the rows that are imported.
    pub ordinal: i64,
    /// The token that it will be.
    pub token: TokenId,
    /// Whose it is: the id of a user, an organization or a service account.
    pub owner: String,
    /// What it is.
    pub kind: &'static str,
    /// How it says what it covers.
    pub coverage: &'static str,
    /// What it is called.
    pub name: String,
    /// What it is for.
    pub reason: String,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Where its hash finds itself: our digest of it, and the number of the key.
    pub digest: Option<(Digest, i64)>,
    /// The visible beginning of its key.
    pub identifier: Option<String>,
    /// The hash that waits for the key to be shown.
    pub hash: Option<String>,
    /// Client id and hash of the secret, of an access key.
    pub client: Option<(String, String)>,
    /// What it is granted.
    pub grants: Vec<StagedGrant>,
}

/// What a row is granted.
#[derive(Debug, Clone)]
pub struct StagedGrant {
    /// The id of the grant.
    pub id: String,
    /// The API.
    pub api: String,
    /// The place; none for the whole organization.
    pub context: Option<String>,
    /// The permissions by name, with spaces between them.
    pub permissions: String,
}

/// How imported keys are recognized.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its id.
    pub id: String,
    /// `fast` or `shape`.
    pub kind: String,
    /// What it says, as JSON.
    pub document: String,
    /// The sealed key of an HMAC.
    pub sealed: Option<String>,
}

/// A credential whose key was not shown yet.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// The organization.
    pub org: OrgId,
    /// The token.
    pub token: TokenId,
    /// The hash.
    pub hash: String,
    /// When the key ends, where it was given a new one.
    pub valid_until: Option<Timestamp>,
}

type Row = (String, String, String, i64, i64, i64, String, String, i64, Option<i64>);

fn read((id, org, state, credentials, skipped, warnings, reason, by, at, live_at): Row) -> Result<Import, DbError> {
    Ok(Import {
        id: parsed(&id)?,
        org: parsed(&org)?,
        state: parsed(&state)?,
        credentials,
        skipped,
        warnings,
        reason,
        created_by: parsed(&by)?,
        created_at: Timestamp::from_micros(at),
        live_at: live_at.map(Timestamp::from_micros),
    })
}

/// Stores a new import.
pub async fn insert(tx: &mut WriteTx, import: &Import) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO credential_imports (id, org_id, state, credentials, skipped, warnings, reason, created_by, created_at, live_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, NULL)",
    )
    .bind(import.id.to_string())
    .bind(import.org.to_string())
    .bind(import.state.as_str())
    .bind(import.credentials)
    .bind(import.skipped)
    .bind(import.warnings)
    .bind(&import.reason)
    .bind(import.created_by.to_string())
    .bind(import.created_at.as_micros())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// An import of an organization; what is only staged is none yet.
pub async fn get(tx: &mut Tx, org: OrgId, id: ImportId) -> Result<Option<Import>, DbError> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, org_id, state, credentials, skipped, warnings, reason, created_by, created_at, live_at
         FROM credential_imports WHERE org_id = $1 AND id = $2 AND state <> 'staged'",
    )
    .bind(org.to_string())
    .bind(id.to_string())
    .fetch_optional(tx.connection())
    .await?;
    row.map(read).transpose()
}

/// The imports of an organization, newest first.
pub async fn list(tx: &mut Tx, org: OrgId, page: &PageAsk) -> Result<Vec<Import>, DbError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, org_id, state, credentials, skipped, warnings, reason, created_by, created_at, live_at
         FROM credential_imports WHERE org_id = $1 AND state <> 'staged' AND ($2 = '' OR id < $3) ORDER BY id DESC LIMIT $4",
    )
    .bind(org.to_string())
    .bind(page.after.as_deref().unwrap_or_default())
    .bind(page.after.as_deref().unwrap_or_default())
    .bind(page.limit)
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(read).collect()
}

/// Moves an import on.
pub async fn set_state(
    tx: &mut WriteTx,
    org: OrgId,
    id: ImportId,
    from: ImportState,
    to: ImportState,
    live_at: Option<Timestamp>,
) -> Result<(), DbError> {
    let done = sqlx::query(
        "UPDATE credential_imports SET state = $1, live_at = $2 WHERE org_id = $3 AND id = $4 AND state = $5",
    )
    .bind(to.as_str())
    .bind(live_at.map(Timestamp::as_micros))
    .bind(org.to_string())
    .bind(id.to_string())
    .bind(from.as_str())
    .execute(tx.connection())
    .await?;
    exactly_one(&done)
}

/// Imports that are on their way: an interrupted server left them so.
// tenant: they are finished by the server itself.
pub async fn under_way(tx: &mut Tx) -> Result<Vec<Import>, DbError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, org_id, state, credentials, skipped, warnings, reason, created_by, created_at, live_at
         FROM credential_imports WHERE state <> 'live' ORDER BY id",
    )
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(read).collect()
}

/// `INSERT` of so many rows of these columns.
fn insert_text(table: &str, columns: &[&str], rows: usize) -> String {
    let mut text = format!("INSERT INTO {table} ({}) VALUES ", columns.join(", "));
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..columns.len() {
            let _ = write!(text, "{}${}", if column == 0 { "" } else { ", " }, row * columns.len() + column + 1);
        }
        text.push(')');
    }
    text
}

/// Stages rows of an import.
pub async fn stage(tx: &mut WriteTx, org: OrgId, import: ImportId, rows: &[StagedRow]) -> Result<(), DbError> {
    let (org, import) = (org.to_string(), import.to_string());
    for rows in rows.chunks(ROWS_AT_ONCE) {
        let mut query = sqlx::query(AssertSqlSafe(insert_text("import_rows", &ROW_COLUMNS, rows.len())));
        for row in rows {
            query = query
                .bind(import.clone())
                .bind(row.ordinal)
                .bind(org.clone())
                .bind(row.token.to_string())
                .bind(row.owner.clone())
                .bind(row.kind)
                .bind(row.coverage)
                .bind(row.name.clone())
                .bind(row.reason.clone())
                .bind(row.expires_at.as_micros())
                .bind(row.digest.map(|(digest, _)| digest.to_hex()))
                .bind(row.digest.map(|(_, key_id)| key_id))
                .bind(row.identifier.clone())
                .bind(row.hash.clone())
                .bind(row.client.as_ref().map(|(id, _)| id.clone()))
                .bind(row.client.as_ref().map(|(_, hash)| hash.clone()));
        }
        query.execute(tx.connection()).await?;
    }
    let grants: Vec<_> = rows.iter().flat_map(|row| row.grants.iter().map(move |grant| (row, grant))).collect();
    for grants in grants.chunks(ROWS_AT_ONCE) {
        let mut query = sqlx::query(AssertSqlSafe(insert_text("import_grants", &GRANT_COLUMNS, grants.len())));
        for (row, grant) in grants {
            query = query
                .bind(grant.id.clone())
                .bind(import.clone())
                .bind(row.ordinal)
                .bind(org.clone())
                .bind(row.token.to_string())
                .bind(grant.api.clone())
                .bind(grant.context.clone())
                .bind(grant.permissions.clone());
        }
        query.execute(tx.connection()).await?;
    }
    Ok(())
}

/// Makes the rows from one number on, up to another, into credentials. Returns how many they are.
pub async fn apply(tx: &mut WriteTx, import: &Import, from: i64, to: i64) -> Result<u64, DbError> {
    // Whoever left meanwhile has no part that could come back.
    const STEPS: &[(&str, bool)] = &[
        (
            "INSERT INTO tokens (id, owner_id, kind, coverage, name, state, reason, addresses, created_by, created_at, expires_at)
             SELECT r.token_id, r.owner_id, r.kind, r.coverage, r.name, 'active', r.reason, '', i.created_by, i.created_at, r.expires_at
             FROM import_rows r JOIN credential_imports i ON i.id = r.import_id
             WHERE r.import_id = $1 AND r.ordinal >= $2 AND r.ordinal < $3 AND r.org_id = $4",
            true,
        ),
        (
            "INSERT INTO token_parts (org_id, token_id, state, state_reason, changed_at)
             SELECT r.org_id, r.token_id,
                CASE WHEN r.kind <> 'personal_token' OR EXISTS (SELECT 1 FROM memberships m
                    WHERE m.org_id = r.org_id AND m.user_id = r.owner_id AND m.state = 'active') THEN 'active' ELSE 'revoked' END,
                NULL, i.created_at
             FROM import_rows r JOIN credential_imports i ON i.id = r.import_id
             WHERE r.import_id = $1 AND r.ordinal >= $2 AND r.ordinal < $3 AND r.org_id = $4",
            false,
        ),
        (
            "INSERT INTO grants (id, org_id, token_id, api_id, context_id, permissions, state, self_granted, created_at)
             SELECT g.id, g.org_id, g.token_id, g.api_id, g.context_id, g.permissions, 'granted', 0, i.created_at
             FROM import_grants g JOIN credential_imports i ON i.id = g.import_id
             WHERE g.import_id = $1 AND g.ordinal >= $2 AND g.ordinal < $3 AND g.org_id = $4",
            false,
        ),
        (
            "INSERT INTO imported_credentials (token_id, org_id, import_id, identifier, hash, valid_until)
             SELECT r.token_id, r.org_id, r.import_id, r.identifier, r.hash, NULL
             FROM import_rows r WHERE r.import_id = $1 AND r.ordinal >= $2 AND r.ordinal < $3 AND r.org_id = $4",
            false,
        ),
        (
            "INSERT INTO access_keys (org_id, token_id, client_id, secret_hash)
             SELECT r.org_id, r.token_id, r.client_id, r.secret_hash
             FROM import_rows r WHERE r.import_id = $1 AND r.ordinal >= $2 AND r.ordinal < $3 AND r.org_id = $4
                AND r.client_id IS NOT NULL",
            false,
        ),
        (
            "INSERT INTO secrets (digest, key_id, subject, valid_until, created_at)
             SELECT r.digest, r.key_id, r.token_id, NULL, i.created_at
             FROM import_rows r JOIN credential_imports i ON i.id = r.import_id
             WHERE r.import_id = $1 AND r.ordinal >= $2 AND r.ordinal < $3 AND r.org_id = $4 AND r.digest IS NOT NULL",
            false,
        ),
        ("DELETE FROM import_grants WHERE import_id = $1 AND ordinal >= $2 AND ordinal < $3 AND org_id = $4", false),
        ("DELETE FROM import_rows WHERE import_id = $1 AND ordinal >= $2 AND ordinal < $3 AND org_id = $4", false),
    ];
    let mut made = 0;
    for (step, counted) in STEPS {
        let done = sqlx::query(*step)
            .bind(import.id.to_string())
            .bind(from)
            .bind(to)
            .bind(import.org.to_string())
            .execute(tx.connection())
            .await?;
        if *counted {
            made = done.rows_affected();
        }
    }
    Ok(made)
}

/// The first row of an import that is not a credential yet.
// tenant: the import was found in its organization, or is finished by the server itself.
pub async fn next_row(tx: &mut Tx, import: ImportId) -> Result<Option<i64>, DbError> {
    let (next,): (Option<i64>,) = sqlx::query_as("SELECT MIN(ordinal) FROM import_rows WHERE import_id = $1")
        .bind(import.to_string())
        .fetch_one(tx.connection())
        .await?;
    Ok(next)
}

/// Throws away rows of an import that shall not be, from its beginning up to a number.
// tenant: the server throws away what it staged itself.
pub async fn discard(tx: &mut WriteTx, import: ImportId, to: i64) -> Result<(), DbError> {
    for text in [
        // tenant: the server throws away what it staged itself.
        "DELETE FROM import_grants WHERE import_id = $1 AND ordinal < $2",
        // tenant: the same.
        "DELETE FROM import_rows WHERE import_id = $1 AND ordinal < $2",
    ] {
        sqlx::query(text).bind(import.to_string()).bind(to).execute(tx.connection()).await?;
    }
    Ok(())
}

/// Forgets an import that shall not be, and has no rows any more.
// tenant: the server throws away what it staged itself.
pub async fn forget(tx: &mut WriteTx, import: ImportId) -> Result<(), DbError> {
    sqlx::query("DELETE FROM credential_imports WHERE id = $1 AND state = 'staged'")
        .bind(import.to_string())
        .execute(tx.connection())
        .await?;
    Ok(())
}

async fn which_exist(tx: &mut Tx, select: &str, values: &[String]) -> Result<HashSet<String>, DbError> {
    let mut found = HashSet::new();
    for values in values.chunks(LOOKED_FOR_AT_ONCE) {
        let places: Vec<_> = (1..=values.len()).map(|number| format!("${number}")).collect();
        let text = format!("{select} ({})", places.join(", "));
        let mut query = sqlx::query_as(AssertSqlSafe(text));
        for value in values {
            query = query.bind(value.clone());
        }
        let rows: Vec<(String,)> = query.fetch_all(tx.connection()).await?;
        found.extend(rows.into_iter().map(|(value,)| value));
    }
    Ok(found)
}

/// Which of these digests somebody has.
// tenant: digests are unique in the installation, and only that they are taken is told.
pub async fn digests_taken(tx: &mut Tx, digests: &[String]) -> Result<HashSet<String>, DbError> {
    which_exist(tx, "SELECT digest FROM secrets WHERE digest IN", digests).await
}

/// Which of these visible beginnings lead to somebody.
// tenant: they are unique in the installation, and only that they are taken is told.
pub async fn identifiers_taken(tx: &mut Tx, identifiers: &[String]) -> Result<HashSet<String>, DbError> {
    which_exist(tx, "SELECT identifier FROM imported_credentials WHERE identifier IN", identifiers).await
}

/// Which of these client ids are taken.
// tenant: they are unique in the installation, and only that they are taken is told.
pub async fn clients_taken(tx: &mut Tx, clients: &[String]) -> Result<HashSet<String>, DbError> {
    which_exist(tx, "SELECT client_id FROM access_keys WHERE client_id IN", clients).await
}

/// How imported keys are recognized.
// tenant: whoever shows a key is nobody yet.
pub async fn profiles(tx: &mut Tx) -> Result<Vec<Profile>, DbError> {
    let rows: Vec<(String, String, String, Option<String>)> =
        sqlx::query_as("SELECT id, kind, document, sealed FROM import_profiles ORDER BY created_at, id")
            .fetch_all(tx.connection())
            .await?;
    Ok(rows.into_iter().map(|(id, kind, document, sealed)| Profile { id, kind, document, sealed }).collect())
}

/// Adds a way to recognize imported keys.
pub async fn insert_profile(tx: &mut WriteTx, profile: &Profile, now: Timestamp) -> Result<(), DbError> {
    sqlx::query("INSERT INTO import_profiles (id, kind, document, sealed, created_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(&profile.id)
        .bind(&profile.kind)
        .bind(&profile.document)
        .bind(profile.sealed.as_deref())
        .bind(now.as_micros())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Stores the key of an HMAC as it is sealed now.
pub async fn reseal(tx: &mut WriteTx, profile: &Profile) -> Result<(), DbError> {
    let done = sqlx::query("UPDATE import_profiles SET sealed = $1 WHERE id = $2")
        .bind(profile.sealed.as_deref())
        .bind(&profile.id)
        .execute(tx.connection())
        .await?;
    exactly_one(&done)
}

/// The credential that a visible beginning leads to, while its key was not shown yet.
// tenant: whoever shows a key is nobody yet.
pub async fn waiting(tx: &mut Tx, identifier: &str) -> Result<Option<Waiting>, DbError> {
    let row: Option<(String, String, String, Option<i64>)> = sqlx::query_as(
        "SELECT org_id, token_id, hash, valid_until FROM imported_credentials WHERE identifier = $1 AND hash IS NOT NULL",
    )
    .bind(identifier)
    .fetch_optional(tx.connection())
    .await?;
    row.map(|(org, token, hash, until)| {
        Ok(Waiting { org: parsed(&org)?, token: parsed(&token)?, hash, valid_until: until.map(Timestamp::from_micros) })
    })
    .transpose()
}

/// Forgets a hash that was waited with: the key was shown, and ours has taken its place.
pub async fn settle(tx: &mut WriteTx, waiting: &Waiting) -> Result<(), DbError> {
    let done =
        sqlx::query("UPDATE imported_credentials SET hash = NULL WHERE org_id = $1 AND token_id = $2 AND hash = $3")
            .bind(waiting.org.to_string())
            .bind(waiting.token.to_string())
            .bind(&waiting.hash)
            .execute(tx.connection())
            .await?;
    exactly_one(&done)
}

/// Ends the key of an imported credential that was not shown yet, at a moment; what ends earlier anyway stays so.
// tenant: the owner of a token gives it a new secret, in all organizations.
pub async fn end_at(tx: &mut WriteTx, token: TokenId, moment: Timestamp) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE imported_credentials SET valid_until = $1
         WHERE token_id = $2 AND hash IS NOT NULL AND (valid_until IS NULL OR valid_until > $3)",
    )
    .bind(moment.as_micros())
    .bind(token.to_string())
    .bind(moment.as_micros())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// The import that a token came with; none for one that was made here.
// tenant: the token was found by its owner, or in its organization.
pub async fn of_token(tx: &mut Tx, token: TokenId) -> Result<Option<ImportId>, DbError> {
    let row: Option<(String,)> = sqlx::query_as("SELECT import_id FROM imported_credentials WHERE token_id = $1")
        .bind(token.to_string())
        .fetch_optional(tx.connection())
        .await?;
    parsed_option(row.map(|(id,)| id).as_deref())
}
