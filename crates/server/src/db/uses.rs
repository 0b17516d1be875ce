//! When credentials were last used, in each organization.

use super::{DbError, Tx, WriteTx};
use sqlx::AssertSqlSafe;
use std::fmt::Write as _;
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
