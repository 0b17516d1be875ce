//! What each organization allows for each kind of credential, and what its contexts say beyond that.

use super::access_policies::Part;
use super::{DbError, Tx, WriteTx, exactly_one, parsed, parsed_option};
use ipnet::IpNet;
use std::time::Duration;
use tegata_core::credential::CredentialKind;
use tegata_core::ids::{ContextId, OrgId};
use tegata_core::policy::{Admission, ContextPolicy, KindPolicies, KindPolicy, LevelLimit};
use tegata_core::time::Timestamp;

type Row = (String, String, i64, i64, i64, i64, i64, String, i64, String, Option<i64>);

/// The policy that governs a kind; what a fresh organization has where nothing was set.
pub async fn get(tx: &mut Tx, org: OrgId, kind: CredentialKind) -> Result<KindPolicy, DbError> {
    let kind = kind.governed_by().unwrap_or(kind);
    let row: Option<Row> = sqlx::query_as(
        "SELECT admission, level, max_lifetime_seconds, unscoped, without_end, four_eyes, request_lifetime_seconds,
            leaver, succession_seconds, addresses, unused_seconds
         FROM policies WHERE org_id = $1 AND kind = $2",
    )
    .bind(org.to_string())
    .bind(kind.as_str())
    .fetch_optional(tx.connection())
    .await?;
    let Some(row) = row else { return Ok(KindPolicy::fresh(kind)) };
    let (
        admission,
        level,
        seconds,
        unscoped,
        without_end,
        four_eyes,
        request_seconds,
        leaver,
        succession,
        ranges,
        unused,
    ) = row;
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
        addresses: read_ranges(&ranges)?,
        unused: unused.map(|seconds| Duration::from_secs(seconds.cast_unsigned())),
    })
}

/// The policy that governs a kind, with what contexts say.
pub async fn with_contexts(tx: &mut Tx, org: OrgId, kind: CredentialKind) -> Result<KindPolicies, DbError> {
    let kind = kind.governed_by().unwrap_or(kind);
    let organization = get(tx, org, kind).await?;
    let rows: Vec<ContextRow> = sqlx::query_as(
        "SELECT context_id, admission, level, max_lifetime_seconds, four_eyes, request_lifetime_seconds, addresses
         FROM context_policies WHERE org_id = $1 AND kind = $2",
    )
    .bind(org.to_string())
    .bind(kind.as_str())
    .fetch_all(tx.connection())
    .await?;
    let contexts = rows.into_iter().map(read_context).collect::<Result<_, _>>()?;
    Ok(KindPolicies::new(organization, contexts))
}

/// Which contexts of an organization say something, and of which kinds.
pub async fn of_contexts(tx: &mut Tx, org: OrgId) -> Result<Vec<(ContextId, CredentialKind)>, DbError> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT context_id, kind FROM context_policies WHERE org_id = $1 ORDER BY context_id, kind")
            .bind(org.to_string())
            .fetch_all(tx.connection())
            .await?;
    rows.into_iter().map(|(context, kind)| Ok((parsed(&context)?, parsed(&kind)?))).collect()
}

type ContextRow = (String, Option<String>, Option<String>, Option<i64>, i64, Option<i64>, String);

fn read_context(row: ContextRow) -> Result<(ContextId, ContextPolicy), DbError> {
    let (context, admission, level, lifetime, four_eyes, request_lifetime, addresses) = row;
    let seconds = |seconds: Option<i64>| seconds.map(|seconds| Duration::from_secs(seconds.cast_unsigned()));
    let policy = ContextPolicy {
        admission: parsed_option(admission.as_deref())?,
        level: parsed_option(level.as_deref())?,
        max_lifetime: seconds(lifetime),
        four_eyes: four_eyes != 0,
        request_lifetime: seconds(request_lifetime),
        addresses: read_ranges(&addresses)?,
    };
    Ok((parsed(&context)?, policy))
}

fn read_ranges(text: &str) -> Result<Vec<IpNet>, DbError> {
    text.split_whitespace().map(parsed).collect()
}

fn written(ranges: &[IpNet]) -> String {
    ranges.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
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
            request_lifetime_seconds, leaver, succession_seconds, addresses, unused_seconds, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
         ON CONFLICT (org_id, kind) DO UPDATE SET admission = excluded.admission, level = excluded.level,
            max_lifetime_seconds = excluded.max_lifetime_seconds, unscoped = excluded.unscoped,
            without_end = excluded.without_end, four_eyes = excluded.four_eyes,
            request_lifetime_seconds = excluded.request_lifetime_seconds, leaver = excluded.leaver,
            succession_seconds = excluded.succession_seconds, addresses = excluded.addresses,
            unused_seconds = excluded.unused_seconds, updated_at = excluded.updated_at",
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
    .bind(written(&policy.addresses))
    .bind(policy.unused.map(|unused| unused.as_secs().cast_signed()))
    .bind(now.as_micros())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// What an organization says of credentials that nobody uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unused {
    /// The organization.
    pub org: OrgId,
    /// The kind of credential.
    pub kind: CredentialKind,
    /// After how long they are revoked.
    pub after: Duration,
    /// When the policy was last changed.
    pub changed_at: Timestamp,
}

/// What organizations say of credentials that nobody uses, as far as they say something and admit the kind.
// tenant: one task looks in every organization, each by its own policy.
pub async fn unused(tx: &mut Tx) -> Result<Vec<Unused>, DbError> {
    let rows: Vec<(String, String, i64, i64)> = sqlx::query_as(
        "SELECT org_id, kind, unused_seconds, updated_at FROM policies
         WHERE unused_seconds IS NOT NULL AND admission <> 'deny' ORDER BY org_id, kind",
    )
    .fetch_all(tx.connection())
    .await?;
    let read = |(org, kind, seconds, changed_at): (String, String, i64, i64)| {
        Ok(Unused {
            org: parsed(&org)?,
            kind: parsed(&kind)?,
            after: Duration::from_secs(seconds.cast_unsigned()),
            changed_at: Timestamp::from_micros(changed_at),
        })
    };
    rows.into_iter().map(read).collect()
}

/// What may be asked for of a kind: of each that says something, of the organization (none) or a context, its list.
pub type Askable = Vec<(Option<ContextId>, Vec<Part>)>;

/// What the organization and its contexts let be asked for of a kind. Where nobody says anything, everything may be.
pub async fn askable(tx: &mut Tx, org: OrgId, kind: CredentialKind) -> Result<Askable, DbError> {
    let kind = kind.governed_by().unwrap_or(kind);
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT '', permissions FROM policies WHERE org_id = $1 AND kind = $2 AND permissions <> ''
         UNION ALL
         SELECT context_id, permissions FROM context_policies WHERE org_id = $3 AND kind = $4 AND permissions <> ''",
    )
    .bind(org.to_string())
    .bind(kind.as_str())
    .bind(org.to_string())
    .bind(kind.as_str())
    .fetch_all(tx.connection())
    .await?;
    let read = |(context, text): (String, String)| {
        let context = if context.is_empty() { None } else { Some(parsed(&context)?) };
        Ok((context, text.lines().map(read_part).collect::<Result<_, DbError>>()?))
    };
    rows.into_iter().map(read).collect()
}

fn read_part(line: &str) -> Result<Part, DbError> {
    let mut words = line.split(' ');
    let (api, context) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let context = if context == "-" { None } else { Some(parsed(context)?) };
    Ok(Part { api: parsed(api)?, context, permissions: words.map(str::to_owned).collect() })
}

/// Sets what may be asked for, of the organization (none) or of a context, whose policy is there; an empty list for everything.
pub async fn set_askable(
    tx: &mut WriteTx,
    org: OrgId,
    (context, kind): (Option<ContextId>, CredentialKind),
    parts: &[Part],
) -> Result<(), DbError> {
    let line = |part: &Part| {
        let context = part.context.map_or_else(|| "-".to_owned(), |context| context.to_string());
        format!("{} {context} {}", part.api, part.permissions.join(" "))
    };
    let text = parts.iter().map(line).collect::<Vec<_>>().join("\n");
    let query = match context {
        None => sqlx::query("UPDATE policies SET permissions = $1 WHERE org_id = $2 AND kind = $3")
            .bind(text)
            .bind(org.to_string())
            .bind(kind.as_str()),
        Some(context) => sqlx::query(
            "UPDATE context_policies SET permissions = $1 WHERE org_id = $2 AND kind = $3 AND context_id = $4",
        )
        .bind(text)
        .bind(org.to_string())
        .bind(kind.as_str())
        .bind(context.to_string()),
    };
    exactly_one(&query.execute(tx.connection()).await?)
}

/// How many policies contexts of an organization have.
pub async fn count_contexts(tx: &mut Tx, org: OrgId) -> Result<i64, DbError> {
    let (count,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM context_policies WHERE org_id = $1")
        .bind(org.to_string())
        .fetch_one(tx.connection())
        .await?;
    Ok(count)
}

/// Sets what a context says of a kind.
pub async fn set_context(
    tx: &mut WriteTx,
    org: OrgId,
    (context, kind): (ContextId, CredentialKind),
    policy: &ContextPolicy,
    now: Timestamp,
) -> Result<(), DbError> {
    let seconds = |duration: Option<Duration>| duration.map(|duration| duration.as_secs().cast_signed());
    sqlx::query(
        "INSERT INTO context_policies (org_id, context_id, kind, admission, level, max_lifetime_seconds, four_eyes,
            request_lifetime_seconds, addresses, permissions, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', $10)
         ON CONFLICT (context_id, kind) DO UPDATE SET admission = excluded.admission, level = excluded.level,
            max_lifetime_seconds = excluded.max_lifetime_seconds, four_eyes = excluded.four_eyes,
            request_lifetime_seconds = excluded.request_lifetime_seconds, addresses = excluded.addresses,
            updated_at = excluded.updated_at",
    )
    .bind(org.to_string())
    .bind(context.to_string())
    .bind(kind.as_str())
    .bind(policy.admission.map(Admission::as_str))
    .bind(policy.level.map(LevelLimit::as_str))
    .bind(seconds(policy.max_lifetime))
    .bind(i64::from(policy.four_eyes))
    .bind(seconds(policy.request_lifetime))
    .bind(written(&policy.addresses))
    .bind(now.as_micros())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Takes back what a context says of a kind.
pub async fn delete_context(
    tx: &mut WriteTx,
    org: OrgId,
    (context, kind): (ContextId, CredentialKind),
) -> Result<(), DbError> {
    let done = sqlx::query("DELETE FROM context_policies WHERE org_id = $1 AND context_id = $2 AND kind = $3")
        .bind(org.to_string())
        .bind(context.to_string())
        .bind(kind.as_str())
        .execute(tx.connection())
        .await?;
    exactly_one(&done)
}
