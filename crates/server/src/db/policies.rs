//! What each organization allows for each kind of credential.

use super::{DbError, Tx, WriteTx, parsed};
use std::time::Duration;
use tegata_core::credential::CredentialKind;
use tegata_core::ids::OrgId;
use tegata_core::policy::KindPolicy;
use tegata_core::time::Timestamp;

type Row = (String, String, i64, i64, i64, i64, i64, String, i64);

/// The policy that governs a kind; what a fresh organization has where nothing was set.
pub async fn get(tx: &mut Tx, org: OrgId, kind: CredentialKind) -> Result<KindPolicy, DbError> {
    let kind = kind.governed_by().unwrap_or(kind);
    let row: Option<Row> = sqlx::query_as(
        "SELECT admission, level, max_lifetime_seconds, unscoped, without_end, four_eyes, request_lifetime_seconds,
            leaver, succession_seconds
         FROM policies WHERE org_id = $1 AND kind = $2",
    )
    .bind(org.to_string())
    .bind(kind.as_str())
    .fetch_optional(tx.connection())
    .await?;
    match row {
        None => Ok(KindPolicy::fresh(kind)),
        Some((admission, level, seconds, unscoped, without_end, four_eyes, request_seconds, leaver, succession)) => {
            Ok(KindPolicy {
                admission: parsed(&admission)?,
                level: parsed(&level)?,
                max_lifetime: Duration::from_secs(seconds.cast_unsigned()),
                unscoped: unscoped != 0,
                without_end: without_end != 0,
                four_eyes: four_eyes != 0,
                request_lifetime: Duration::from_secs(request_seconds.cast_unsigned()),
                leaver: parsed(&leaver)?,
                succession: Duration::from_secs(succession.cast_unsigned()),
            })
        }
    }
}

/// Sets the policy for a kind.
pub async fn set(
    tx: &mut WriteTx,
    org: OrgId,
    kind: CredentialKind,
    policy: &KindPolicy,
    now: Timestamp,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO policies (org_id, kind, admission, level, max_lifetime_seconds, unscoped, without_end, four_eyes,
            request_lifetime_seconds, leaver, succession_seconds, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         ON CONFLICT (org_id, kind) DO UPDATE SET admission = excluded.admission, level = excluded.level,
            max_lifetime_seconds = excluded.max_lifetime_seconds, unscoped = excluded.unscoped,
            without_end = excluded.without_end, four_eyes = excluded.four_eyes,
            request_lifetime_seconds = excluded.request_lifetime_seconds, leaver = excluded.leaver,
            succession_seconds = excluded.succession_seconds, updated_at = excluded.updated_at",
    )
    .bind(org.to_string())
    .bind(kind.as_str())
    .bind(policy.admission.as_str())
    .bind(policy.level.as_str())
    .bind(policy.max_lifetime.as_secs().cast_signed())
    .bind(i64::from(policy.unscoped))
    .bind(i64::from(policy.without_end))
    .bind(i64::from(policy.four_eyes))
    .bind(policy.request_lifetime.as_secs().cast_signed())
    .bind(policy.leaver.as_str())
    .bind(policy.succession.as_secs().cast_signed())
    .bind(now.as_micros())
    .execute(tx.connection())
    .await?;
    Ok(())
}
