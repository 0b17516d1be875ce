//! Reading from the truth what goes into memory. Each function reads one noun within one consistent view; none
//! installs anything.

use super::entry::{
    ApplicationEntry, MemberEntry, Noted, OrgEntry, PartEntry, Policies, ServiceAccountEntry, TeamEntry, TokenEntry,
    TokenReading, UserEntry, VerifierEntry,
};
use crate::authn::Digest;
use crate::catalogues::Catalogues;
use crate::db::assignments::Principal;
use crate::db::grants::StoredGrant;
use crate::db::tokens::{Part, Token};
use crate::db::{self, DbError, Tx};
use crate::ops::rights::{self, RoleContent};
use crate::verify::limits::List;
use smallvec::SmallVec;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tegata_core::bits::PermissionSet;
use tegata_core::ceiling::Ceiling;
use tegata_core::credential::CredentialKind;
use tegata_core::decide::Grant;
use tegata_core::ids::{
    AccessPolicyId, ApiId, ApplicationId, OrgId, RoleId, ServiceAccountId, TeamId, TokenId, UserId, VerifierId,
};
use tegata_core::owner::Owner;
use tegata_core::time::Timestamp;

/// A token with all of its secrets.
pub async fn token(tx: &mut Tx, catalogues: &Catalogues, id: TokenId) -> Result<TokenReading, DbError> {
    let Some(token) = db::tokens::get(tx, id).await? else {
        return Ok(TokenReading::default());
    };
    let parts = parts(tx, catalogues, id).await?;
    let secrets = db::secrets::of_subject(tx, &id.to_string()).await?;
    let entries = secrets.into_iter().map(|(digest, until)| (digest, entry(&token, &parts, until))).collect();
    let application = match (token.kind, token.owner) {
        (CredentialKind::Application, Owner::Application(id)) => Some(id),
        _ => None,
    };
    Ok(TokenReading { entries, application })
}

/// A token as it counts under a secret that is stored elsewhere, or nowhere; none where there is no such token.
pub async fn entry_of(tx: &mut Tx, catalogues: &Catalogues, id: TokenId) -> Result<Option<TokenEntry>, DbError> {
    let Some(token) = db::tokens::get(tx, id).await? else {
        return Ok(None);
    };
    let parts = parts(tx, catalogues, id).await?;
    Ok(Some(entry(&token, &parts, None)))
}

fn entry(token: &Token, parts: &[PartEntry], valid_until: Option<Timestamp>) -> TokenEntry {
    TokenEntry {
        id: token.id,
        kind: token.kind,
        name: token.name.as_str().into(),
        coverage: token.coverage,
        owner: token.owner,
        state: token.state,
        expires_at: valid_until.map_or(token.expires_at, |until| until.min(token.expires_at)),
        addresses: token.addresses.clone().into(),
        parts: parts.into(),
        used: AtomicBool::new(true),
    }
}

async fn parts(tx: &mut Tx, catalogues: &Catalogues, id: TokenId) -> Result<Vec<PartEntry>, DbError> {
    let parts = db::tokens::parts(tx, id).await?;
    let fresh =
        |part: &Part| PartEntry { org: part.org, state: part.state, grants: SmallVec::new(), noted: Noted::default() };
    let mut parts: Vec<PartEntry> = parts.iter().map(fresh).collect();
    for stored in db::grants::of_token(tx, id).await?.into_iter().filter(|stored| stored.state.counts()) {
        let Some(part) = parts.iter_mut().find(|part| part.org == stored.org) else { continue };
        let permissions = expand(tx, catalogues, stored.api, &stored.permissions).await?;
        add_grant(part, &stored, permissions);
    }
    Ok(parts)
}

/// Adds what was granted, to that which shares its fate where there is such.
fn add_grant(part: &mut PartEntry, stored: &StoredGrant, permissions: PermissionSet) {
    let grant = Grant::new(stored.api, stored.context, permissions, stored.state);
    let grant = grant.within(stored.until, stored.access_policy);
    let alike = |other: &&mut Grant| {
        (other.api, other.context, other.state, &other.bounds) == (grant.api, grant.context, grant.state, &grant.bounds)
    };
    match part.grants.iter_mut().find(alike) {
        Some(other) => other.permissions.extend(&grant.permissions),
        None => part.grants.push(grant),
    }
}

/// Tokens that were read, with all of their secrets; they stand in the order of their ids, either way, and no other lies
/// between them. A page costs as many statements as one token.
pub async fn page(
    tx: &mut Tx,
    catalogues: &Catalogues,
    tokens: &[Token],
) -> Result<Vec<(Digest, TokenEntry)>, DbError> {
    let ids = || tokens.iter().map(|token| token.id);
    let (Some(first), Some(last)) = (ids().min(), ids().max()) else { return Ok(Vec::new()) };
    let mut parts: HashMap<TokenId, Vec<PartEntry>> = HashMap::new();
    for (token, part) in db::tokens::parts_between(tx, first, last).await? {
        let part = PartEntry { org: part.org, state: part.state, grants: SmallVec::new(), noted: Noted::default() };
        parts.entry(token).or_default().push(part);
    }
    // Most tokens of a page were granted what others were, too.
    let mut expanded: HashMap<(ApiId, Vec<String>), PermissionSet> = HashMap::new();
    for stored in db::grants::between(tx, first, last).await?.into_iter().filter(|stored| stored.state.counts()) {
        let part = parts.get_mut(&stored.token).and_then(|parts| parts.iter_mut().find(|part| part.org == stored.org));
        let Some(part) = part else { continue };
        let names = (stored.api, stored.permissions.clone());
        let permissions = if let Some(known) = expanded.get(&names) {
            known.clone()
        } else {
            let permissions = expand(tx, catalogues, stored.api, &names.1).await?;
            expanded.entry(names).or_insert(permissions).clone()
        };
        add_grant(part, &stored, permissions);
    }
    let tokens: HashMap<String, &Token> = tokens.iter().map(|token| (token.id.to_string(), token)).collect();
    let secrets = db::secrets::between(tx, &first.to_string(), &last.to_string()).await?;
    let entries = secrets.into_iter().filter_map(|(subject, digest, until)| {
        let token = tokens.get(&subject)?;
        Some((digest, entry(token, parts.get(&token.id).map_or(&[], Vec::as_slice), until)))
    });
    Ok(entries.collect())
}

/// Names of an API as a set, with what they imply; names that no longer exist fall away.
async fn expand(tx: &mut Tx, catalogues: &Catalogues, api: ApiId, names: &[String]) -> Result<PermissionSet, DbError> {
    let Some(loaded) = catalogues.of(tx, &api.to_string()).await? else {
        return Ok(PermissionSet::new());
    };
    let set: PermissionSet = names.iter().filter_map(|name| loaded.catalogue.number(name)).collect();
    Ok(loaded.catalogue.with_implied(&set))
}

/// A verifier with all of its secrets.
pub async fn verifier(tx: &mut Tx, id: VerifierId) -> Result<Vec<(Digest, Arc<VerifierEntry>)>, DbError> {
    let Some(verifier) = db::verifiers::get(tx, id).await? else {
        return Ok(Vec::new());
    };
    let secrets = db::secrets::of_subject(tx, &id.to_string()).await?;
    Ok(secrets
        .into_iter()
        .map(|(digest, valid_until)| {
            let apis = verifier.apis.clone().into();
            let revoked = verifier.revoked_at.is_some();
            (digest, Arc::new(VerifierEntry { id, revoked, valid_until, apis }))
        })
        .collect())
}

/// An account, with the memberships in these organizations.
pub async fn user(
    tx: &mut Tx,
    id: UserId,
    orgs: impl Iterator<Item = OrgId> + Send,
) -> Result<Option<UserEntry>, DbError> {
    let Some(user) = db::users::get(tx, id).await? else {
        return Ok(None);
    };
    let mut members = SmallVec::new();
    for org in orgs {
        members.push((org, member(tx, org, id).await?));
    }
    Ok(Some(UserEntry { active: user.active, name: user.name.into(), members }))
}

/// A membership with what it brings; one that is not active where there is none.
pub async fn member(tx: &mut Tx, org: OrgId, user: UserId) -> Result<MemberEntry, DbError> {
    let active = db::members::get(tx, org, user).await?.is_some_and(|member| member.active);
    let roles = db::assignments::of_principal(tx, org, Principal::User(user)).await?;
    let teams = db::teams::of_user(tx, org, user).await?;
    Ok(MemberEntry {
        active,
        roles: roles.into_iter().map(|assignment| (assignment.role, assignment.context)).collect(),
        teams: teams.into(),
    })
}

/// The roles of a team; none where the team is gone.
pub async fn team(tx: &mut Tx, org: OrgId, team: TeamId) -> Result<TeamEntry, DbError> {
    let roles = db::assignments::of_principal(tx, org, Principal::Team(team)).await?;
    Ok(roles.into_iter().map(|assignment| (assignment.role, assignment.context)).collect())
}

/// A service account with its roles; none where there is no such account.
pub async fn service_account(
    tx: &mut Tx,
    org: OrgId,
    id: ServiceAccountId,
) -> Result<Option<ServiceAccountEntry>, DbError> {
    let Some(account) = db::service_accounts::find(tx, org, &id.to_string()).await? else {
        return Ok(None);
    };
    let roles = db::assignments::of_principal(tx, org, Principal::ServiceAccount(id)).await?;
    let roles = roles.into_iter().map(|assignment| (assignment.role, assignment.context)).collect();
    Ok(Some(ServiceAccountEntry { org, name: account.name.into(), active: account.active, roles }))
}

/// An application with what it was granted in each organization; none where there is no such application.
pub async fn application(
    tx: &mut Tx,
    catalogues: &Catalogues,
    id: ApplicationId,
) -> Result<Option<ApplicationEntry>, DbError> {
    let Some(application) = db::applications::get(tx, id).await? else {
        return Ok(None);
    };
    let mut all = SmallVec::new();
    for install in db::applications::installs(tx, id).await? {
        let there = parts(tx, catalogues, install.token).await?;
        all.extend(there.into_iter().find(|part| part.org == install.org));
    }
    Ok(Some(ApplicationEntry { name: application.name.into(), parts: all }))
}

/// What a role holds; none where the role is gone.
pub async fn role(
    tx: &mut Tx,
    catalogues: &Catalogues,
    org: OrgId,
    id: RoleId,
) -> Result<Option<RoleContent>, DbError> {
    let Some(role) = db::roles::find(tx, org, &id.to_string()).await? else {
        return Ok(None);
    };
    if role.everything {
        return Ok(Some(RoleContent::Everything));
    }
    let mut list = Vec::new();
    for (api, names) in db::roles::permissions(tx, org, id).await? {
        list.push((api, expand(tx, catalogues, api, &names).await?));
    }
    Ok(Some(RoleContent::Listed(list)))
}

/// What an access policy admits; none where it is gone.
pub async fn access_policy(
    tx: &mut Tx,
    catalogues: &Catalogues,
    org: OrgId,
    id: AccessPolicyId,
) -> Result<Option<Ceiling>, DbError> {
    match db::access_policies::parts(tx, org, id).await? {
        Some(parts) => rights::ceiling(catalogues, tx, &parts).await.map(Some),
        None => Ok(None),
    }
}

/// An organization, whose own limits are known.
pub async fn org(tx: &mut Tx, id: OrgId, limits: List) -> Result<Option<OrgEntry>, DbError> {
    let Some(org) = db::orgs::find(tx, &id.to_string()).await? else {
        return Ok(None);
    };
    let apis = db::orgs::apis(tx, id).await?;
    let policies = Policies {
        personal_token: db::policies::with_contexts(tx, id, CredentialKind::PersonalToken).await?,
        legacy_token: db::policies::with_contexts(tx, id, CredentialKind::LegacyToken).await?,
        organization_key: db::policies::with_contexts(tx, id, CredentialKind::OrganizationKey).await?,
        access_key: db::policies::with_contexts(tx, id, CredentialKind::AccessKey).await?,
        application_token: db::policies::with_contexts(tx, id, CredentialKind::ApplicationToken).await?,
    };
    let apis = apis.into_iter().map(|(api, _)| api).collect();
    Ok(Some(OrgEntry { key: org.key.into(), name: org.name.into(), policies, apis, limits }))
}
