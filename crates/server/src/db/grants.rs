//! What tokens were granted, or ask for: permissions of one API in one place. A line of a request is a grant, too.

use super::{DbError, PageAsk, Tx, WriteTx, exactly_one, parsed, parsed_option};
use sqlx::Row as _;
use sqlx::any::AnyRow;
use tegata_core::credential::GrantState;
use tegata_core::ids::{AccessPolicyId, ApiId, ContextId, GrantId, OrgId, RequestId, TokenId, UserId};
use tegata_core::time::Timestamp;

/// Permissions of one API in one place, given to a token or asked for.
#[derive(Debug, Clone)]
pub struct StoredGrant {
    /// Its id.
    pub id: GrantId,
    /// The organization.
    pub org: OrgId,
    /// The token.
    pub token: TokenId,
    /// The API.
    pub api: ApiId,
    /// The place; none for the whole organization.
    pub context: Option<ContextId>,
    /// The permissions by name, as they were asked for; a line of a request has one.
    pub permissions: Vec<String>,
    /// Whether it is in force.
    pub state: GrantState,
    /// Whether the owner granted it to themself, as somebody who answers for the place.
    pub self_granted: bool,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// The request it is a line of, and its number there.
    pub line: Option<(RequestId, i64)>,
    /// The scope that was asked for, where less was granted.
    pub asked: Option<String>,
    /// When it ends by itself.
    pub until: Option<Timestamp>,
    /// The access policy that was laid on it.
    pub access_policy: Option<AccessPolicyId>,
    /// Who decided it, and when.
    pub decided: Option<Decided>,
}

impl StoredGrant {
    /// Whether it ended by itself.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

/// Who decided something, when, and with which words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// Who; none where time did.
    pub by: Option<UserId>,
    /// When.
    pub at: Timestamp,
    /// What they said.
    pub comment: Option<String>,
}

macro_rules! grants_where {
    ($rest:literal) => {
        concat!(
            "SELECT g.id, g.org_id, g.token_id, g.api_id, g.context_id, g.permissions, g.state, g.self_granted, g.created_at,
                g.request_id, g.line, g.asked, g.until, g.access_policy_id, g.decided_by, g.decided_at, g.comment
             FROM grants g ",
            $rest
        )
    };
}

fn read(row: &AnyRow) -> Result<StoredGrant, DbError> {
    let text = |name: &str| row.try_get::<Option<String>, _>(name);
    let number = |name: &str| row.try_get::<Option<i64>, _>(name);
    let permissions: String = row.try_get("permissions")?;
    let (request, line): (Option<RequestId>, _) = (parsed_option(text("request_id")?.as_deref())?, number("line")?);
    let at = number("decided_at")?.map(Timestamp::from_micros);
    let (by, comment) = (parsed_option(text("decided_by")?.as_deref())?, text("comment")?);
    Ok(StoredGrant {
        id: parsed(&row.try_get::<String, _>("id")?)?,
        org: parsed(&row.try_get::<String, _>("org_id")?)?,
        token: parsed(&row.try_get::<String, _>("token_id")?)?,
        api: parsed(&row.try_get::<String, _>("api_id")?)?,
        context: parsed_option(text("context_id")?.as_deref())?,
        permissions: permissions.split(' ').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        state: parsed(&row.try_get::<String, _>("state")?)?,
        self_granted: row.try_get::<i64, _>("self_granted")? != 0,
        created_at: Timestamp::from_micros(row.try_get("created_at")?),
        line: request.zip(line),
        asked: text("asked")?,
        until: number("until")?.map(Timestamp::from_micros),
        access_policy: parsed_option(text("access_policy_id")?.as_deref())?,
        decided: at.map(|at| Decided { by, at, comment }),
    })
}

fn read_all(rows: &[AnyRow]) -> Result<Vec<StoredGrant>, DbError> {
    rows.iter().map(read).collect()
}

/// Stores a grant.
pub async fn insert(tx: &mut WriteTx, grant: &StoredGrant) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO grants (id, org_id, token_id, api_id, context_id, permissions, state, self_granted, created_at,
            request_id, line, until, access_policy_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(grant.id.to_string())
    .bind(grant.org.to_string())
    .bind(grant.token.to_string())
    .bind(grant.api.to_string())
    .bind(grant.context.map(|context| context.to_string()))
    .bind(grant.permissions.join(" "))
    .bind(grant.state.as_str())
    .bind(i64::from(grant.self_granted))
    .bind(grant.created_at.as_micros())
    .bind(grant.line.map(|(request, _)| request.to_string()))
    .bind(grant.line.map(|(_, line)| line))
    .bind(grant.until.map(Timestamp::as_micros))
    .bind(grant.access_policy.map(|policy| policy.to_string()))
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Moves a grant from one state to another, with all that was decided of it. It has to be in the first state still.
pub async fn settle(tx: &mut WriteTx, from: GrantState, to: &StoredGrant) -> Result<(), DbError> {
    let decided = to.decided.as_ref();
    let done = sqlx::query(
        "UPDATE grants SET state = $1, context_id = $2, permissions = $3, self_granted = $4, asked = $5, until = $6,
            access_policy_id = $7, decided_by = $8, decided_at = $9, comment = $10
         WHERE org_id = $11 AND id = $12 AND state = $13",
    )
    .bind(to.state.as_str())
    .bind(to.context.map(|context| context.to_string()))
    .bind(to.permissions.join(" "))
    .bind(i64::from(to.self_granted))
    .bind(to.asked.as_deref())
    .bind(to.until.map(Timestamp::as_micros))
    .bind(to.access_policy.map(|policy| policy.to_string()))
    .bind(decided.and_then(|decided| decided.by).map(|user| user.to_string()))
    .bind(decided.map(|decided| decided.at.as_micros()))
    .bind(decided.and_then(|decided| decided.comment.as_deref()))
    .bind(to.org.to_string())
    .bind(to.id.to_string())
    .bind(from.as_str())
    .execute(tx.connection())
    .await?;
    exactly_one(&done)
}

/// Takes a grant away that is in force, where nobody decides but a record of an earlier decision.
pub async fn ungrant(tx: &mut WriteTx, org: OrgId, id: GrantId, now: Timestamp, comment: &str) -> Result<(), DbError> {
    let done = sqlx::query(
        "UPDATE grants SET state = 'ungranted', decided_by = NULL, decided_at = $1, comment = $2
         WHERE org_id = $3 AND id = $4 AND state = 'granted'",
    )
    .bind(now.as_micros())
    .bind(comment)
    .bind(org.to_string())
    .bind(id.to_string())
    .execute(tx.connection())
    .await?;
    exactly_one(&done)
}

/// Every grant of a token: for its owner, and for the memory of live credentials.
// tenant: callers show an organization its own grants only.
pub async fn of_token(tx: &mut Tx, token: TokenId) -> Result<Vec<StoredGrant>, DbError> {
    let rows = sqlx::query(grants_where!("WHERE g.token_id = $1 ORDER BY g.id"))
        .bind(token.to_string())
        .fetch_all(tx.connection())
        .await?;
    read_all(&rows)
}

/// The lines of a request, by number.
pub async fn of_request(tx: &mut Tx, org: OrgId, request: RequestId) -> Result<Vec<StoredGrant>, DbError> {
    let rows = sqlx::query(grants_where!("WHERE g.org_id = $1 AND g.request_id = $2 ORDER BY g.line"))
        .bind(org.to_string())
        .bind(request.to_string())
        .fetch_all(tx.connection())
        .await?;
    read_all(&rows)
}

/// Every grant of the tokens with ids in a range, both ends included: for filling the memory of live credentials.
// tenant: it is the memory of all organizations.
pub async fn between(tx: &mut Tx, first: TokenId, last: TokenId) -> Result<Vec<StoredGrant>, DbError> {
    let rows = sqlx::query(grants_where!("WHERE g.token_id >= $1 AND g.token_id <= $2 ORDER BY g.token_id, g.id"))
        .bind(first.to_string())
        .bind(last.to_string())
        .fetch_all(tx.connection())
        .await?;
    read_all(&rows)
}

/// Grants of an API, a page at a time: for finding where a permission is granted.
// tenant: taking a permission out of a catalogue concerns every organization that uses the API.
pub async fn of_api(tx: &mut Tx, api: ApiId, page: &PageAsk) -> Result<Vec<StoredGrant>, DbError> {
    let rows = sqlx::query(grants_where!("WHERE g.api_id = $1 AND g.id > $2 ORDER BY g.id LIMIT $3"))
        .bind(api.to_string())
        .bind(page.after.as_deref().unwrap_or_default())
        .bind(page.limit)
        .fetch_all(tx.connection())
        .await?;
    read_all(&rows)
}

/// Grants of an API that count or may come to count, a page at a time: those of live tokens, in parts that are not
/// revoked, in force or waiting.
// tenant: taking a permission out of a catalogue concerns every organization that uses the API.
pub async fn live_of_api(tx: &mut Tx, api: ApiId, now: Timestamp, page: &PageAsk) -> Result<Vec<StoredGrant>, DbError> {
    let rows = sqlx::query(grants_where!(
        "JOIN tokens t ON t.id = g.token_id
         JOIN token_parts p ON p.token_id = g.token_id AND p.org_id = g.org_id
         WHERE g.api_id = $1 AND g.id > $2 AND g.state IN ('requested', 'granted') AND p.state <> 'revoked'
           AND t.state = 'active' AND t.expires_at > $3
         ORDER BY g.id LIMIT $4"
    ))
    .bind(api.to_string())
    .bind(page.after.as_deref().unwrap_or_default())
    .bind(now.as_micros())
    .bind(page.limit)
    .fetch_all(tx.connection())
    .await?;
    read_all(&rows)
}

/// How many grants an access policy bounds that are in force and can be used, or will be once they are unblocked.
pub async fn count_under(tx: &mut Tx, org: OrgId, policy: AccessPolicyId, now: Timestamp) -> Result<i64, DbError> {
    let (count,): (i64,) = sqlx::query_as(
        "SELECT COUNT(*) FROM grants g JOIN tokens t ON t.id = g.token_id
         JOIN token_parts p ON p.token_id = g.token_id AND p.org_id = g.org_id
         WHERE g.org_id = $1 AND g.access_policy_id = $2 AND g.state = 'granted' AND t.state = 'active'
           AND p.state <> 'revoked' AND t.expires_at > $3 AND (g.until IS NULL OR g.until > $4)",
    )
    .bind(org.to_string())
    .bind(policy.to_string())
    .bind(now.as_micros())
    .bind(now.as_micros())
    .fetch_one(tx.connection())
    .await?;
    Ok(count)
}
