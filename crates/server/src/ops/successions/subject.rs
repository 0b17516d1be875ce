//! What somebody can answer for: service accounts and applications. Whatever else gets an owner joins here.

use crate::db::applications::{Application, Install};
use crate::db::feed::Topic;
use crate::db::service_accounts::ServiceAccount;
use crate::db::{self, DbError, Tx, WriteTx};
use crate::maintenance::stops::Kind;
use tegata_core::credential::PartState;
use tegata_core::ids::{OrgId, TokenId, UserId};
use tegata_core::operations::{self, Operation};
use tegata_core::owner::Owner;
use tegata_core::time::Timestamp;

/// Why it is stopped, as it is stored with it.
const NO_SUCCESSOR: &str = "no successor";

/// Something that somebody answers for.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Which.
    pub id: Owner,
    /// What it is called.
    pub name: String,
    /// Who answers for it.
    pub owner: UserId,
    /// Whether its credentials count.
    pub active: bool,
    /// The credential whose part here stops all of it, for an application.
    token: Option<TokenId>,
}

/// How something was stopped.
pub struct Stopped {
    /// The operation that does the same by hand.
    pub operation: &'static Operation,
    /// What a restore does about it.
    pub kind: Kind,
    /// The id of what was stopped.
    pub id: String,
}

impl From<ServiceAccount> for Subject {
    fn from(account: ServiceAccount) -> Self {
        Self {
            id: Owner::ServiceAccount(account.id),
            name: account.name,
            owner: account.owner,
            active: account.active,
            token: None,
        }
    }
}

impl Subject {
    /// An application as it is installed here; none where it was removed.
    async fn of_install(
        tx: &mut Tx,
        org: OrgId,
        (app, install): (Application, Install),
    ) -> Result<Option<Self>, DbError> {
        let part = db::tokens::part(tx, org, install.token).await?;
        Ok(part.filter(|part| part.state != PartState::Revoked).map(|part| Self {
            id: Owner::Application(app.id),
            name: app.name,
            owner: install.owner,
            active: part.state == PartState::Active,
            token: Some(install.token),
        }))
    }

    /// What somebody answers for in an organization.
    pub async fn of_owner(tx: &mut Tx, org: OrgId, owner: UserId) -> Result<Vec<Self>, DbError> {
        let accounts = db::service_accounts::of_owner(tx, org, owner).await?;
        let mut found: Vec<Self> = accounts.into_iter().map(Self::from).collect();
        for application in db::applications::of_owner(tx, org, owner).await? {
            found.extend(Self::of_install(tx, org, application).await?);
        }
        Ok(found)
    }

    /// One of an organization.
    pub async fn find(tx: &mut Tx, org: OrgId, id: Owner) -> Result<Option<Self>, DbError> {
        match id {
            Owner::ServiceAccount(id) => {
                Ok(db::service_accounts::find(tx, org, &id.to_string()).await?.map(Self::from))
            }
            Owner::Application(id) => match db::applications::find(tx, org, &id.to_string()).await? {
                Some(found) => Self::of_install(tx, org, found).await,
                None => Ok(None),
            },
            Owner::User(_) | Owner::Organization(_) => Ok(None),
        }
    }

    /// Stops its credentials, which somebody can start again.
    pub async fn stop(&self, tx: &mut WriteTx, org: OrgId, now: Timestamp) -> Result<Option<Stopped>, DbError> {
        if !self.active {
            return Ok(None);
        }
        match (self.id, self.token) {
            (Owner::ServiceAccount(id), _) => {
                db::service_accounts::set_active(tx, org, id, false).await?;
                let (operation, kind) = (operations::SERVICE_ACCOUNT_DEACTIVATE, Kind::ServiceAccount);
                Ok(Some(Stopped { operation, kind, id: id.to_string() }))
            }
            (_, Some(token)) => {
                let (from, to) = (PartState::Active, PartState::Blocked);
                db::tokens::set_part_state(tx, org, token, from, to, Some(NO_SUCCESSOR), now).await?;
                let (operation, kind) = (operations::APPLICATION_BLOCK, Kind::TokenBlock);
                Ok(Some(Stopped { operation, kind, id: token.to_string() }))
            }
            _ => Ok(None),
        }
    }

    /// What has to be looked at again when it changes.
    pub fn feed(&self, org: OrgId) -> (Topic, Option<OrgId>, String) {
        match self.token {
            Some(token) => (Topic::Token, None, token.to_string()),
            None => (Topic::ServiceAccount, Some(org), self.id.to_string()),
        }
    }
}
