//! Tokens and keys of every kind: the credential, and its part in each organization.

use super::{DbError, PageAsk, Tx, WriteTx, exactly_one, parsed};
use ipnet::IpNet;
use tegata_core::credential::{Coverage, CredentialKind, CredentialState, PartState};
use tegata_core::ids::{ApplicationId, OrgId, TokenId, UserId};
use tegata_core::owner::Owner;
use tegata_core::time::Timestamp;

/// A token.
#[derive(Debug, Clone)]
pub struct Token {
    /// Its id, which outlives its secrets.
    pub id: TokenId,
    /// Whose it is.
    pub owner: Owner,
    /// What it is.
    pub kind: CredentialKind,
    /// How it says what it covers.
    pub coverage: Coverage,
    /// What its owner calls it.
    pub name: String,
    /// Its state in all organizations.
    pub state: CredentialState,
    /// Why it was asked for.
    pub reason: String,
    /// Where it may be shown from; empty for anywhere.
    pub addresses: Vec<IpNet>,
    /// Who made it.
    pub created_by: UserId,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends; [`Timestamp::MAX`] for never.
    pub expires_at: Timestamp,
    /// When it was stopped everywhere for good.
    pub revoked_at: Option<Timestamp>,
}

/// One organization's part of a token.
#[derive(Debug, Clone)]
pub struct Part {
    /// The organization.
    pub org: OrgId,
    /// The state there.
    pub state: PartState,
    /// Why it is blocked or revoked there.
    pub state_reason: Option<String>,
    /// Since when.
    pub changed_at: Timestamp,
}

impl Token {
    /// When it ends; none where it does not.
    pub fn ends_at(&self) -> Option<Timestamp> {
        (self.expires_at < Timestamp::MAX).then_some(self.expires_at)
    }
}

type Row = (String, String, String, String, String, String, String, String, String, i64, i64, Option<i64>);

fn read(row: Row) -> Result<Token, DbError> {
    let (id, owner, kind, coverage, name, state, reason, addresses, created_by, created_at, expires_at, revoked_at) =
        row;
    Ok(Token {
        id: parsed(&id)?,
        owner: parsed(&owner)?,
        kind: parsed(&kind)?,
        coverage: parsed(&coverage)?,
        created_by: parsed(&created_by)?,
        name,
        state: parsed(&state)?,
        reason,
        addresses: addresses.split_whitespace().map(parsed).collect::<Result<_, _>>()?,
        created_at: Timestamp::from_micros(created_at),
        expires_at: Timestamp::from_micros(expires_at),
        revoked_at: revoked_at.map(Timestamp::from_micros),
    })
}

/// Stores a new token.
pub async fn insert(tx: &mut WriteTx, token: &Token) -> Result<(), DbError> {
    let addresses: Vec<_> = token.addresses.iter().map(ToString::to_string).collect();
    sqlx::query(
        "INSERT INTO tokens (id, owner_id, kind, coverage, name, state, reason, addresses, created_by, created_at, expires_at,
            revoked_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, NULL)",
    )
    .bind(token.id.to_string())
    .bind(token.owner.to_string())
    .bind(token.kind.as_str())
    .bind(token.coverage.as_str())
    .bind(&token.name)
    .bind(token.state.as_str())
    .bind(&token.reason)
    .bind(addresses.join(" "))
    .bind(token.created_by.to_string())
    .bind(token.created_at.as_micros())
    .bind(token.expires_at.as_micros())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// The token with this id.
pub async fn get(tx: &mut Tx, id: TokenId) -> Result<Option<Token>, DbError> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, owner_id, kind, coverage, name, state, reason, addresses, created_by, created_at, expires_at, revoked_at
         FROM tokens WHERE id = $1",
    )
    .bind(id.to_string())
    .fetch_optional(tx.connection())
    .await?;
    row.map(read).transpose()
}

/// Tokens of everybody, newest first, older than one that was seen: for filling the memory of live credentials.
pub async fn newest(tx: &mut Tx, before: Option<TokenId>, limit: i64) -> Result<Vec<Token>, DbError> {
    // `u` comes after every id. One plain comparison, so that each page begins where it should and walks over nothing.
    let before = before.map_or_else(|| "u".to_owned(), |id| id.to_string());
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, owner_id, kind, coverage, name, state, reason, addresses, created_by, created_at, expires_at, revoked_at
         FROM tokens WHERE id < $1 ORDER BY id DESC LIMIT $2",
    )
    .bind(before)
    .bind(limit)
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(read).collect()
}

/// The tokens of an owner, newest first.
pub async fn of_owner(tx: &mut Tx, owner: Owner, page: &PageAsk) -> Result<Vec<Token>, DbError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, owner_id, kind, coverage, name, state, reason, addresses, created_by, created_at, expires_at, revoked_at
         FROM tokens WHERE owner_id = $1 AND ($2 = '' OR id < $3) ORDER BY id DESC LIMIT $4",
    )
    .bind(owner.to_string())
    .bind(page.after.as_deref().unwrap_or_default())
    .bind(page.after.as_deref().unwrap_or_default())
    .bind(page.limit)
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(read).collect()
}

/// The tokens with a part in an organization, newest first.
pub async fn of_org(tx: &mut Tx, org: OrgId, page: &PageAsk) -> Result<Vec<Token>, DbError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT t.id, t.owner_id, t.kind, t.coverage, t.name, t.state, t.reason, t.addresses, t.created_by, t.created_at,
            t.expires_at, t.revoked_at
         FROM token_parts p JOIN tokens t ON t.id = p.token_id
         WHERE p.org_id = $1 AND ($2 = '' OR p.token_id < $3) ORDER BY p.token_id DESC LIMIT $4",
    )
    .bind(org.to_string())
    .bind(page.after.as_deref().unwrap_or_default())
    .bind(page.after.as_deref().unwrap_or_default())
    .bind(page.limit)
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(read).collect()
}

/// The parts of a token that still count, of the tokens of one owner in one organization: for a leaver.
pub async fn parts_of_owner(tx: &mut Tx, org: OrgId, owner: Owner) -> Result<Vec<TokenId>, DbError> {
    let rows: Vec<(String,)> = sqlx::query_as(
        "SELECT p.token_id FROM token_parts p JOIN tokens t ON t.id = p.token_id
         WHERE p.org_id = $1 AND t.owner_id = $2 AND p.state <> 'revoked' ORDER BY p.token_id",
    )
    .bind(org.to_string())
    .bind(owner.to_string())
    .fetch_all(tx.connection())
    .await?;
    rows.iter().map(|(id,)| parsed(id)).collect()
}

/// The organization keys that somebody made for an organization and that are not revoked there.
pub async fn keys_made_by(tx: &mut Tx, org: OrgId, maker: UserId) -> Result<Vec<Token>, DbError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT t.id, t.owner_id, t.kind, t.coverage, t.name, t.state, t.reason, t.addresses, t.created_by, t.created_at,
            t.expires_at, t.revoked_at
         FROM tokens t JOIN token_parts p ON p.token_id = t.id
         WHERE t.owner_id = $1 AND p.org_id = $2 AND t.kind = 'organization_key' AND t.created_by = $3
            AND t.state = 'active' AND p.state <> 'revoked' ORDER BY t.id",
    )
    .bind(org.to_string())
    .bind(org.to_string())
    .bind(maker.to_string())
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(read).collect()
}

/// The organization keys of an organization, newest first; only those that are unscoped, or only those that are not, where
/// that is asked for.
pub async fn keys_of_org(
    tx: &mut Tx,
    org: OrgId,
    unscoped: Option<bool>,
    page: &PageAsk,
) -> Result<Vec<Token>, DbError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, owner_id, kind, coverage, name, state, reason, addresses, created_by, created_at, expires_at, revoked_at
         FROM tokens WHERE owner_id = $1 AND kind = 'organization_key' AND ($2 = '' OR id < $3)
            AND ($4 < 0 OR ($5 = 1 AND coverage = 'unscoped') OR ($6 = 0 AND coverage <> 'unscoped'))
         ORDER BY id DESC LIMIT $7",
    )
    .bind(org.to_string())
    .bind(page.after.as_deref().unwrap_or_default())
    .bind(page.after.as_deref().unwrap_or_default())
    .bind(unscoped.map_or(-1, i64::from))
    .bind(unscoped.map_or(-1, i64::from))
    .bind(unscoped.map_or(-1, i64::from))
    .bind(page.limit)
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(read).collect()
}

/// The permanent tokens of an application in an organization, newest first.
pub async fn of_application(
    tx: &mut Tx,
    org: OrgId,
    application: ApplicationId,
    page: &PageAsk,
) -> Result<Vec<Token>, DbError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT t.id, t.owner_id, t.kind, t.coverage, t.name, t.state, t.reason, t.addresses, t.created_by, t.created_at,
            t.expires_at, t.revoked_at
         FROM tokens t JOIN token_parts p ON p.token_id = t.id
         WHERE p.org_id = $1 AND t.owner_id = $2 AND t.kind = 'application_token' AND ($3 = '' OR t.id < $4)
         ORDER BY t.id DESC LIMIT $5",
    )
    .bind(org.to_string())
    .bind(application.to_string())
    .bind(page.after.as_deref().unwrap_or_default())
    .bind(page.after.as_deref().unwrap_or_default())
    .bind(page.limit)
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(read).collect()
}

/// Gives the credential that carries an application's rights in an organization the application's new name.
pub async fn rename(tx: &mut WriteTx, org: OrgId, id: TokenId, name: &str) -> Result<(), DbError> {
    let done = sqlx::query(
        "UPDATE tokens SET name = $1 WHERE id = $2
         AND EXISTS (SELECT 1 FROM token_parts p WHERE p.token_id = tokens.id AND p.org_id = $3)",
    )
    .bind(name)
    .bind(id.to_string())
    .bind(org.to_string())
    .execute(tx.connection())
    .await?;
    exactly_one(&done)
}

/// Stops a token everywhere for good.
// tenant: its owner does, in all organizations at once.
pub async fn revoke(tx: &mut WriteTx, id: TokenId, now: Timestamp) -> Result<(), DbError> {
    let done = sqlx::query("UPDATE tokens SET state = 'revoked', revoked_at = $1 WHERE id = $2 AND state = 'active'")
        .bind(now.as_micros())
        .bind(id.to_string())
        .execute(tx.connection())
        .await?;
    exactly_one(&done)
}

/// Gives a token a part in an organization.
pub async fn insert_part(tx: &mut WriteTx, org: OrgId, token: TokenId, now: Timestamp) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO token_parts (org_id, token_id, state, state_reason, changed_at) VALUES ($1, $2, 'active', NULL, $3)",
    )
    .bind(org.to_string())
    .bind(token.to_string())
    .bind(now.as_micros())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Every part of a token: for its owner, and for the memory of live credentials.
// tenant: callers show an organization its own part only.
pub async fn parts(tx: &mut Tx, token: TokenId) -> Result<Vec<Part>, DbError> {
    let rows: Vec<(String, String, Option<String>, i64)> = sqlx::query_as(
        "SELECT org_id, state, state_reason, changed_at FROM token_parts WHERE token_id = $1 ORDER BY org_id",
    )
    .bind(token.to_string())
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter()
        .map(|(org, state, state_reason, changed_at)| {
            let changed_at = Timestamp::from_micros(changed_at);
            Ok(Part { org: parsed(&org)?, state: parsed(&state)?, state_reason, changed_at })
        })
        .collect()
}

/// Every part of the tokens with ids in a range, both ends included: for filling the memory of live credentials.
// tenant: it is the memory of all organizations.
pub async fn parts_between(tx: &mut Tx, first: TokenId, last: TokenId) -> Result<Vec<(TokenId, Part)>, DbError> {
    let rows: Vec<(String, String, String, Option<String>, i64)> = sqlx::query_as(
        "SELECT token_id, org_id, state, state_reason, changed_at FROM token_parts
         WHERE token_id >= $1 AND token_id <= $2 ORDER BY token_id, org_id",
    )
    .bind(first.to_string())
    .bind(last.to_string())
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter()
        .map(|(token, org, state, state_reason, changed_at)| {
            let changed_at = Timestamp::from_micros(changed_at);
            Ok((parsed(&token)?, Part { org: parsed(&org)?, state: parsed(&state)?, state_reason, changed_at }))
        })
        .collect()
}

/// One organization's part of a token.
pub async fn part(tx: &mut Tx, org: OrgId, token: TokenId) -> Result<Option<Part>, DbError> {
    let row: Option<(String, Option<String>, i64)> =
        sqlx::query_as("SELECT state, state_reason, changed_at FROM token_parts WHERE org_id = $1 AND token_id = $2")
            .bind(org.to_string())
            .bind(token.to_string())
            .fetch_optional(tx.connection())
            .await?;
    row.map(|(state, state_reason, changed_at)| {
        Ok(Part { org, state: parsed(&state)?, state_reason, changed_at: Timestamp::from_micros(changed_at) })
    })
    .transpose()
}

/// Moves an organization's part of a token from one state to another.
pub async fn set_part_state(
    tx: &mut WriteTx,
    org: OrgId,
    token: TokenId,
    from: PartState,
    to: PartState,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<(), DbError> {
    let done = sqlx::query(
        "UPDATE token_parts SET state = $1, state_reason = $2, changed_at = $3
         WHERE org_id = $4 AND token_id = $5 AND state = $6",
    )
    .bind(to.as_str())
    .bind(reason)
    .bind(now.as_micros())
    .bind(org.to_string())
    .bind(token.to_string())
    .bind(from.as_str())
    .execute(tx.connection())
    .await?;
    exactly_one(&done)
}

/// How many tokens of an owner are alive.
pub async fn count_live(tx: &mut Tx, owner: Owner, now: Timestamp) -> Result<i64, DbError> {
    let (count,): (i64,) =
        sqlx::query_as("SELECT COUNT(*) FROM tokens WHERE owner_id = $1 AND state = 'active' AND expires_at > $2")
            .bind(owner.to_string())
            .bind(now.as_micros())
            .fetch_one(tx.connection())
            .await?;
    Ok(count)
}
