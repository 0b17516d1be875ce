//! When credentials were last used, in each organization.

use super::{DbError, Tx, WriteTx, parsed};
use sqlx::AssertSqlSafe;
use std::fmt::Write as _;
use tegata_core::credential::CredentialKind;
use tegata_core::ids::{OrgId, TokenId};
use tegata_core::time::Timestamp;

/// Notes uses, of each credential and organization at most one. An earlier one than is known changes nothing.
pub async fn put(
    tx: &mut WriteTx,
    uses: impl ExactSizeIterator<Item = (OrgId, TokenId, Timestamp)>,
) -> Result<(), DbError> {
    let mut text = "INSERT INTO credential_uses (org_id, credential, used_at) VALUES ".to_owned();
    for number in 0..uses.len() {
        let comma = if number == 0 { "" } else { ", " };
        // Writing to memory has no errors.
        let _ = write!(text, "{comma}(${}, ${}, ${})", 3 * number + 1, 3 * number + 2, 3 * number + 3);
    }
    text.push_str(
        " ON CONFLICT (credential, org_id) DO UPDATE SET used_at = excluded.used_at
         WHERE credential_uses.used_at < excluded.used_at",
    );
    if uses.len() == 0 {
        return Ok(());
    }
    let mut statement = sqlx::query(AssertSqlSafe(text));
    for (org, credential, used_at) in uses {
        statement = statement.bind(org.to_string()).bind(credential.to_string()).bind(used_at.as_micros());
    }
    statement.execute(tx.connection()).await?;
    Ok(())
}

/// Credentials of a kind whose part in an organization is active and was neither used nor changed since a moment, the first of
/// them by id; what ends by itself until now is not among them.
pub async fn unused_since(
    tx: &mut Tx,
    org: OrgId,
    kind: CredentialKind,
    (since, now): (Timestamp, Timestamp),
    limit: i64,
) -> Result<Vec<TokenId>, DbError> {
    let rows: Vec<(String,)> = sqlx::query_as(
        "SELECT p.token_id FROM token_parts p JOIN tokens t ON t.id = p.token_id
            LEFT JOIN credential_uses u ON u.credential = p.token_id AND u.org_id = p.org_id
         WHERE p.org_id = $1 AND p.state = 'active' AND p.changed_at <= $2 AND t.kind = $3 AND t.state <> 'revoked'
            AND t.created_at <= $4 AND t.expires_at > $5 AND (u.used_at IS NULL OR u.used_at <= $6)
         ORDER BY p.token_id LIMIT $7",
    )
    .bind(org.to_string())
    .bind(since.as_micros())
    .bind(kind.as_str())
    .bind(since.as_micros())
    .bind(now.as_micros())
    .bind(since.as_micros())
    .bind(limit)
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(|(id,)| parsed(&id)).collect()
}

/// Whether a credential's part in an organization is active and was neither used nor changed since a moment.
pub async fn is_unused_since(tx: &mut Tx, org: OrgId, id: TokenId, since: Timestamp) -> Result<bool, DbError> {
    let row: Option<(i64,)> = sqlx::query_as(
        "SELECT 1 FROM token_parts p LEFT JOIN credential_uses u ON u.credential = p.token_id AND u.org_id = p.org_id
         WHERE p.org_id = $1 AND p.token_id = $2 AND p.state = 'active' AND p.changed_at <= $3
            AND (u.used_at IS NULL OR u.used_at <= $4)",
    )
    .bind(org.to_string())
    .bind(id.to_string())
    .bind(since.as_micros())
    .bind(since.as_micros())
    .fetch_optional(tx.connection())
    .await?;
    Ok(row.is_some())
}

/// When a credential was last used in an organization, as far as that was noted.
pub async fn last(tx: &mut Tx, org: OrgId, credential: &str) -> Result<Option<Timestamp>, DbError> {
    let row: Option<(i64,)> =
        sqlx::query_as("SELECT used_at FROM credential_uses WHERE credential = $1 AND org_id = $2")
            .bind(credential)
            .bind(org.to_string())
            .fetch_optional(tx.connection())
            .await?;
    Ok(row.map(|(used_at,)| Timestamp::from_micros(used_at)))
}
