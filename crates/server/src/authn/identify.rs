//! The one door: a presented secret in, an actor out. Everything that calls Tegata's own API passes here, within the
//! transaction of its call, so that what was stopped a moment ago is stopped for this call too.

use super::Hasher;
use crate::db::tokens::Token;
use crate::db::users::User;
use crate::db::{self, DbError, Tx};
use ipnet::IpNet;
use secrecy::{ExposeSecret as _, SecretString};
use std::net::IpAddr;
use tegata_core::credential::{CredentialKind, CredentialState, PartState};
use tegata_core::ids::{OrgId, SessionId, TokenId, UserId};
use tegata_core::owner::Owner;
use tegata_core::problem::{Code, Problem};
use tegata_core::secret::{Product, SecretKind, classify};
use tegata_core::time::Timestamp;

/// What a caller showed.
#[derive(Debug, Clone)]
pub enum Presented {
    /// Nothing.
    Nothing,
    /// A bearer secret (RFC 6750 §2.1).
    Bearer(SecretString),
}

/// Whom a door is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// People: a session, or a personal token.
    People,
    /// Identity providers: an organization key. Nothing else that an organization key shows itself at opens.
    Provisioning,
    /// Applications, about themselves: their token.
    Applications,
    /// Whoever has a credential that was denied: a session, a personal token, or a token of an application.
    Holders,
}

/// What acts for itself, and for no person: an organization key, or an application.
#[derive(Debug, Clone)]
pub struct Itself {
    /// The organization, or the application.
    pub owner: Owner,
    /// What was shown.
    pub kind: CredentialKind,
    /// Where it acts.
    pub org: OrgId,
    /// What the key, or the application, is called.
    pub name: String,
}

/// Who acts.
#[derive(Debug, Clone)]
pub struct Actor {
    /// The person; where something acts for itself, nobody: an account with no rights, no address and an id that nobody has.
    pub user: User,
    /// The sign-in session, if that was shown.
    pub session: Option<SessionId>,
    /// The token, if that was shown.
    pub token: Option<TokenId>,
    /// What the token is of, where that acts for itself, and no person does.
    pub itself: Option<Itself>,
}

impl Actor {
    /// On whose account it is.
    pub fn owner(&self) -> Owner {
        self.itself.as_ref().map_or(Owner::User(self.user.id), |itself| itself.owner)
    }

    /// The person who acts; none where something acts for itself.
    pub fn person(&self) -> Option<UserId> {
        self.itself.is_none().then_some(self.user.id)
    }

    /// The id and the name under which activity tells of the actor.
    pub fn named(&self) -> (String, String) {
        match (&self.itself, self.token) {
            (Some(Itself { owner: Owner::Application(id), name, .. }), _) => (id.to_string(), name.clone()),
            (Some(key), Some(token)) => (token.to_string(), key.name.clone()),
            _ => (self.user.id.to_string(), self.user.name.clone()),
        }
    }

    /// The id of what was shown.
    pub fn credential(&self) -> Option<String> {
        self.session.map(|id| id.to_string()).or_else(|| self.token.map(|id| id.to_string()))
    }

    /// Whoever calls what anybody may call.
    pub fn nobody() -> Self {
        Self { user: no_person(), session: None, token: None, itself: None }
    }

    /// Under whose name repetitions of a call are recognized: a token's own, so that it repeats nothing that its owner
    /// did in person, and otherwise the person's, so that a new sign-in changes nothing.
    pub fn repeats_as(&self) -> String {
        self.token.map_or_else(|| self.user.id.to_string(), |token| token.to_string())
    }

    /// Whether nobody in particular acts.
    pub const fn is_nobody(&self) -> bool {
        self.session.is_none() && self.token.is_none()
    }

    /// What kind of credential was shown.
    pub const fn kind(&self) -> &'static str {
        match (&self.itself, self.token) {
            (Some(itself), _) => itself.kind.as_str(),
            (None, Some(_)) => "personal_token",
            (None, None) => "session",
        }
    }
}

fn no_person() -> User {
    User {
        id: UserId::from_u128(0),
        email: String::new(),
        name: String::new(),
        active: false,
        created_at: Timestamp::EPOCH,
    }
}

/// Why nobody was identified.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The caller is told.
    #[error(transparent)]
    Told(#[from] Problem),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

fn unauthenticated(why: &str) -> Refused {
    Refused::Told(Problem::new(Code::Unauthenticated, why))
}

/// Finds out who acts at a door.
pub async fn identify(
    tx: &mut Tx,
    door: Door,
    (hasher, product): (&Hasher, &Product),
    presented: &Presented,
    address: Option<IpAddr>,
    now: Timestamp,
) -> Result<Actor, Refused> {
    let Presented::Bearer(secret) = presented else {
        return Err(unauthenticated(match door {
            Door::People => "send a session or token as `Authorization: Bearer …`",
            Door::Provisioning => "send an organization key as `Authorization: Bearer …`",
            Door::Applications => "send an application's token as `Authorization: Bearer …`",
            Door::Holders => {
                "send the credential that was denied, or its owner's session, as `Authorization: Bearer …`"
            }
        }));
    };
    let text = secret.expose_secret();
    let kind = match (door, classify(product, text)) {
        (Door::People, Some(kind @ (SecretKind::Session | SecretKind::PersonalToken)))
        | (Door::Provisioning, Some(kind @ SecretKind::OrganizationKey))
        | (Door::Applications, Some(kind @ SecretKind::ApplicationToken))
        | (
            Door::Holders,
            Some(kind @ (SecretKind::Session | SecretKind::PersonalToken | SecretKind::ApplicationToken)),
        ) => kind,
        (
            _,
            Some(
                SecretKind::Session
                | SecretKind::PersonalToken
                | SecretKind::Verifier
                | SecretKind::Setup
                | SecretKind::LegacyToken
                | SecretKind::OrganizationKey
                | SecretKind::AccessSession
                | SecretKind::ApplicationToken
                | SecretKind::ClientSecret,
            ),
        ) => {
            return Err(unauthenticated("this kind of credential does not open this door"));
        }
        (_, None) => return Err(unauthenticated("this is not a credential of this server")),
    };
    let mut holder = db::secrets::find(tx, hasher.digest(text)).await?;
    if holder.is_none()
        && let Some(previous) = hasher.previous_digest(text)
    {
        holder = db::secrets::find(tx, previous).await?;
    }
    let holder = holder.ok_or_else(|| unauthenticated("nobody knows this credential"))?;
    if holder.valid_until.is_some_and(|until| now >= until) {
        return Err(unauthenticated("this secret was replaced by a newer one"));
    }
    if kind == SecretKind::Session {
        by_session(tx, &holder.subject, now).await
    } else {
        by_token(tx, &holder.subject, address, now).await
    }
}

async fn by_session(tx: &mut Tx, subject: &str, now: Timestamp) -> Result<Actor, Refused> {
    let gone = || unauthenticated("this session has ended; sign in again");
    let id: SessionId = subject.parse().map_err(|_| gone())?;
    let session = db::sessions::get(tx, id).await?.ok_or_else(gone)?;
    if session.ended_at.is_some() || now >= session.expires_at {
        return Err(gone());
    }
    let user = db::users::get(tx, session.user).await?.filter(|user| user.active).ok_or_else(gone)?;
    Ok(Actor { user, session: Some(id), token: None, itself: None })
}

async fn by_token(tx: &mut Tx, subject: &str, address: Option<IpAddr>, now: Timestamp) -> Result<Actor, Refused> {
    let unknown = || unauthenticated("nobody knows this credential");
    let id: TokenId = subject.parse().map_err(|_| unknown())?;
    let token = db::tokens::get(tx, id).await?.ok_or_else(unknown)?;
    if token.state == CredentialState::Revoked {
        return Err(unauthenticated("this token was revoked"));
    }
    if now >= token.expires_at {
        return Err(unauthenticated("this token has expired"));
    }
    if !is_inside(&token.addresses, address) {
        return Err(unauthenticated("this token does not count from this address"));
    }
    let owner = match token.owner {
        Owner::User(owner) => owner,
        Owner::Organization(org) => {
            let itself = Itself { owner: token.owner, kind: token.kind, org, name: token.name };
            return Ok(Actor { user: no_person(), session: None, token: Some(id), itself: Some(itself) });
        }
        Owner::Application(_) => return application(tx, &token).await,
        // These have no door here: their credentials were turned away by their form.
        Owner::ServiceAccount(_) => return Err(unknown()),
    };
    let user = db::users::get(tx, owner).await?.filter(|user| user.active);
    let user = user.ok_or_else(|| unauthenticated("the owner's account is not active"))?;
    Ok(Actor { user, session: None, token: Some(id), itself: None })
}

/// An application, where its token was made, as long as neither of the two was stopped there.
async fn application(tx: &mut Tx, token: &Token) -> Result<Actor, Refused> {
    let stopped = || unauthenticated("this application, or this token of it, was stopped");
    let parts = db::tokens::parts(tx, token.id).await?;
    let part = parts.iter().find(|part| part.state == PartState::Active).ok_or_else(stopped)?;
    let found = db::applications::find(tx, part.org, &token.owner.to_string()).await?;
    let (application, install) = found.ok_or_else(stopped)?;
    let rights = db::tokens::part(tx, part.org, install.token).await?;
    if rights.is_none_or(|rights| rights.state != PartState::Active) {
        return Err(stopped());
    }
    let itself = Itself { owner: token.owner, kind: token.kind, org: part.org, name: application.name };
    Ok(Actor { user: no_person(), session: None, token: Some(token.id), itself: Some(itself) })
}

fn is_inside(ranges: &[IpNet], address: Option<IpAddr>) -> bool {
    ranges.is_empty() || address.is_some_and(|address| ranges.iter().any(|range| range.contains(&address)))
}
