//! Applications: programs that organizations let in, where each is installed, and what it needs.

use super::{DbError, PageAsk, Tx, WriteTx, exactly_one, parsed};
use std::collections::BTreeMap;
use tegata_core::ids::{ApiId, ApplicationId, OrgId, TokenId, UserId};
use tegata_core::time::Timestamp;

/// An application.
#[derive(Debug, Clone)]
pub struct Application {
    /// Its id.
    pub id: ApplicationId,
    /// Where it is registered.
    pub org: OrgId,
    /// What it signs in with, beside its client secret.
    pub client_id: String,
    /// What people call it; once in the organization where it is registered.
    pub name: String,
    /// What it does.
    pub description: String,
    /// Whether other organizations may install it.
    pub shared: bool,
    /// Who registered it.
    pub created_by: UserId,
    /// When.
    pub created_at: Timestamp,
}

/// An application in one organization.
#[derive(Debug, Clone)]
pub struct Install {
    /// The organization.
    pub org: OrgId,
    /// The application.
    pub application: ApplicationId,
    /// The credential whose grants there are the application's rights.
    pub token: TokenId,
    /// The member who answers for it.
    pub owner: UserId,
    /// Who installed it.
    pub created_by: UserId,
    /// When.
    pub created_at: Timestamp,
}

/// What an application needs in every place: names of permissions, by API.
pub type Required = BTreeMap<ApiId, Vec<String>>;

type AppRow = (String, String, String, String, String, i64, String, i64);
type InstallRow = (String, String, String, String, String, i64);
type BothRow = (String, String, String, String, String, i64, String, i64, String, String, String, String, i64);

fn read_app(
    (id, org, client_id, name, description, shared, created_by, created_at): AppRow,
) -> Result<Application, DbError> {
    Ok(Application {
        id: parsed(&id)?,
        org: parsed(&org)?,
        client_id,
        name,
        description,
        shared: shared != 0,
        created_by: parsed(&created_by)?,
        created_at: Timestamp::from_micros(created_at),
    })
}

fn read_install((org, application, token, owner, created_by, created_at): InstallRow) -> Result<Install, DbError> {
    Ok(Install {
        org: parsed(&org)?,
        application: parsed(&application)?,
        token: parsed(&token)?,
        owner: parsed(&owner)?,
        created_by: parsed(&created_by)?,
        created_at: Timestamp::from_micros(created_at),
    })
}

fn read_both(row: BothRow) -> Result<(Application, Install), DbError> {
    let (id, home, client, name, description, shared, by, at, org, token, owner, installed_by, installed_at) = row;
    let install = (org, id.clone(), token, owner, installed_by, installed_at);
    Ok((read_app((id, home, client, name, description, shared, by, at))?, read_install(install)?))
}

/// Registers an application.
pub async fn insert(tx: &mut WriteTx, application: &Application) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO applications (id, org_id, client_id, name, description, shared, created_by, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(application.id.to_string())
    .bind(application.org.to_string())
    .bind(&application.client_id)
    .bind(&application.name)
    .bind(&application.description)
    .bind(i64::from(application.shared))
    .bind(application.created_by.to_string())
    .bind(application.created_at.as_micros())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Changes what people read of an application, and who may install it.
pub async fn update(tx: &mut WriteTx, application: &Application) -> Result<(), DbError> {
    let done =
        sqlx::query("UPDATE applications SET name = $1, description = $2, shared = $3 WHERE org_id = $4 AND id = $5")
            .bind(&application.name)
            .bind(&application.description)
            .bind(i64::from(application.shared))
            .bind(application.org.to_string())
            .bind(application.id.to_string())
            .execute(tx.connection())
            .await?;
    exactly_one(&done)
}

/// Installs an application, in the place of an older installation that came to its end.
pub async fn install(tx: &mut WriteTx, install: &Install) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO application_installs (org_id, application_id, token_id, owner_id, created_by, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (application_id, org_id) DO UPDATE SET token_id = excluded.token_id,
            owner_id = excluded.owner_id, created_by = excluded.created_by, created_at = excluded.created_at",
    )
    .bind(install.org.to_string())
    .bind(install.application.to_string())
    .bind(install.token.to_string())
    .bind(install.owner.to_string())
    .bind(install.created_by.to_string())
    .bind(install.created_at.as_micros())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Gives an installation to another member.
pub async fn set_owner(tx: &mut WriteTx, org: OrgId, id: ApplicationId, owner: UserId) -> Result<(), DbError> {
    let done = sqlx::query("UPDATE application_installs SET owner_id = $1 WHERE org_id = $2 AND application_id = $3")
        .bind(owner.to_string())
        .bind(org.to_string())
        .bind(id.to_string())
        .execute(tx.connection())
        .await?;
    exactly_one(&done)
}

/// The application that an organization has under this id, client id or name. Of several with one name, what was not removed
/// comes first, and its own before others'.
pub async fn find(tx: &mut Tx, org: OrgId, named: &str) -> Result<Option<(Application, Install)>, DbError> {
    let row: Option<BothRow> = sqlx::query_as(
        "SELECT a.id, a.org_id, a.client_id, a.name, a.description, a.shared, a.created_by, a.created_at,
            i.org_id, i.token_id, i.owner_id, i.created_by, i.created_at
         FROM application_installs i JOIN applications a ON a.id = i.application_id
         JOIN token_parts p ON p.token_id = i.token_id AND p.org_id = i.org_id
         WHERE i.org_id = $1 AND (a.id = $2 OR a.client_id = $3 OR a.name = $4)
         ORDER BY CASE WHEN p.state = 'revoked' THEN 1 ELSE 0 END, CASE WHEN a.org_id = $5 THEN 0 ELSE 1 END, a.id LIMIT 1",
    )
    .bind(org.to_string())
    .bind(named)
    .bind(named)
    .bind(named)
    .bind(org.to_string())
    .fetch_optional(tx.connection())
    .await?;
    row.map(read_both).transpose()
}

/// The application of an organization's own that has this name and was not removed.
pub async fn named(tx: &mut Tx, org: OrgId, name: &str) -> Result<Option<ApplicationId>, DbError> {
    let row: Option<(String,)> = sqlx::query_as(
        "SELECT a.id FROM applications a JOIN application_installs i ON i.application_id = a.id AND i.org_id = a.org_id
         JOIN token_parts p ON p.token_id = i.token_id AND p.org_id = i.org_id
         WHERE a.org_id = $1 AND a.name = $2 AND p.state <> 'revoked' ORDER BY a.id LIMIT 1",
    )
    .bind(org.to_string())
    .bind(name)
    .fetch_optional(tx.connection())
    .await?;
    row.map(|(id,)| parsed(&id)).transpose()
}

/// The application whose rights in an organization are the grants of this credential.
// tenant: the credential was found in its organization.
pub async fn of_token(tx: &mut Tx, token: TokenId) -> Result<Option<(Application, Install)>, DbError> {
    let row: Option<BothRow> = sqlx::query_as(
        "SELECT a.id, a.org_id, a.client_id, a.name, a.description, a.shared, a.created_by, a.created_at,
            i.org_id, i.token_id, i.owner_id, i.created_by, i.created_at
         FROM application_installs i JOIN applications a ON a.id = i.application_id WHERE i.token_id = $1",
    )
    .bind(token.to_string())
    .fetch_optional(tx.connection())
    .await?;
    row.map(read_both).transpose()
}

/// The application with this id, whoever has it.
// tenant: whoever may install it, or sees something that it owns, sees it.
pub async fn get(tx: &mut Tx, id: ApplicationId) -> Result<Option<Application>, DbError> {
    let row: Option<AppRow> = sqlx::query_as(
        "SELECT id, org_id, client_id, name, description, shared, created_by, created_at FROM applications WHERE id = $1",
    )
    .bind(id.to_string())
    .fetch_optional(tx.connection())
    .await?;
    row.map(read_app).transpose()
}

/// The application with this client id.
// tenant: whoever shows it is asked for its secret before anything is told.
pub async fn by_client(tx: &mut Tx, client_id: &str) -> Result<Option<Application>, DbError> {
    let row: Option<AppRow> = sqlx::query_as(
        "SELECT id, org_id, client_id, name, description, shared, created_by, created_at FROM applications
         WHERE client_id = $1",
    )
    .bind(client_id)
    .fetch_optional(tx.connection())
    .await?;
    row.map(read_app).transpose()
}

/// Where an application is, or was, installed.
// tenant: for the memory of all organizations, and for its end in all of them.
pub async fn installs(tx: &mut Tx, id: ApplicationId) -> Result<Vec<Install>, DbError> {
    let rows: Vec<InstallRow> = sqlx::query_as(
        "SELECT org_id, application_id, token_id, owner_id, created_by, created_at FROM application_installs
         WHERE application_id = $1 ORDER BY org_id",
    )
    .bind(id.to_string())
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(read_install).collect()
}

/// The applications that an organization has, by id.
pub async fn list(tx: &mut Tx, org: OrgId, page: &PageAsk) -> Result<Vec<(Application, Install)>, DbError> {
    let rows: Vec<BothRow> = sqlx::query_as(
        "SELECT a.id, a.org_id, a.client_id, a.name, a.description, a.shared, a.created_by, a.created_at,
            i.org_id, i.token_id, i.owner_id, i.created_by, i.created_at
         FROM application_installs i JOIN applications a ON a.id = i.application_id
         WHERE i.org_id = $1 AND a.id > $2 ORDER BY a.id LIMIT $3",
    )
    .bind(org.to_string())
    .bind(page.after.as_deref().unwrap_or_default())
    .bind(page.limit)
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(read_both).collect()
}

/// The applications that a member answers for in an organization.
pub async fn of_owner(tx: &mut Tx, org: OrgId, owner: UserId) -> Result<Vec<(Application, Install)>, DbError> {
    let rows: Vec<BothRow> = sqlx::query_as(
        "SELECT a.id, a.org_id, a.client_id, a.name, a.description, a.shared, a.created_by, a.created_at,
            i.org_id, i.token_id, i.owner_id, i.created_by, i.created_at
         FROM application_installs i JOIN applications a ON a.id = i.application_id
         WHERE i.org_id = $1 AND i.owner_id = $2 ORDER BY a.id",
    )
    .bind(org.to_string())
    .bind(owner.to_string())
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(read_both).collect()
}

/// The applications that any organization may install, by id.
// tenant: their owners offer them to every organization.
pub async fn shared(tx: &mut Tx, page: &PageAsk) -> Result<Vec<Application>, DbError> {
    let rows: Vec<AppRow> = sqlx::query_as(
        "SELECT id, org_id, client_id, name, description, shared, created_by, created_at FROM applications
         WHERE shared = 1 AND id > $1 ORDER BY id LIMIT $2",
    )
    .bind(page.after.as_deref().unwrap_or_default())
    .bind(page.limit)
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(read_app).collect()
}

/// Every application.
// tenant: the memory holds all organizations.
pub async fn all(tx: &mut Tx) -> Result<Vec<ApplicationId>, DbError> {
    let rows: Vec<(String,)> =
        sqlx::query_as("SELECT id FROM applications ORDER BY id").fetch_all(tx.connection()).await?;
    rows.iter().map(|(id,)| parsed(id)).collect()
}

/// What an application needs.
// tenant: whoever has the application, or may install it, sees what it needs.
pub async fn required(tx: &mut Tx, id: ApplicationId) -> Result<Required, DbError> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT api_id, permission FROM application_permissions WHERE application_id = $1 ORDER BY api_id, permission",
    )
    .bind(id.to_string())
    .fetch_all(tx.connection())
    .await?;
    let mut required = Required::new();
    for (api, permission) in rows {
        required.entry(parsed(&api)?).or_default().push(permission);
    }
    Ok(required)
}

/// Sets what an application needs.
pub async fn set_required(tx: &mut WriteTx, org: OrgId, id: ApplicationId, required: &Required) -> Result<(), DbError> {
    sqlx::query("DELETE FROM application_permissions WHERE org_id = $1 AND application_id = $2")
        .bind(org.to_string())
        .bind(id.to_string())
        .execute(tx.connection())
        .await?;
    for (api, permissions) in required {
        for permission in permissions {
            sqlx::query(
                "INSERT INTO application_permissions (org_id, application_id, api_id, permission) VALUES ($1, $2, $3, $4)",
            )
            .bind(org.to_string())
            .bind(id.to_string())
            .bind(api.to_string())
            .bind(permission)
            .execute(tx.connection())
            .await?;
        }
    }
    Ok(())
}
