//! What an application does by itself, with its own token: look at itself, and ask for rights. It decides nothing.

use super::ask::{Body as AskBody, ask};
use super::holder::Held;
use super::look::{RightParams, rights};
use super::view::{ApplicationView, AskedView};
use crate::db::{self, Tx, WriteTx};
use crate::ops::act::{Reading, internal};
use crate::ops::requests::ask::{Body as FileBody, FileRequest, Filed};
use crate::ops::tokens::view::GrantView;
use crate::ops::{Act, Changes, Mutation, Page, Query};
use tegata_core::credential::CredentialKind;
use tegata_core::operations::{self, Operation};
use tegata_core::owner::Owner;
use tegata_core::policy::Admission;
use tegata_core::problem::{Code, Problem};

/// The application that acts, in the organization where its token counts.
pub async fn own<T: Reading>(act: &mut Act<'_, T>, operation: &Operation) -> Result<Held, Problem> {
    let acting = act.actor.itself.clone().filter(|itself| matches!(itself.owner, Owner::Application(_)));
    let acting = acting.ok_or_else(|| Problem::new(Code::Forbidden, "only an application asks this, about itself"))?;
    let org = act.visible_org(&acting.org.to_string()).await?;
    let policy = db::policies::get(act.tx(), org.id, CredentialKind::Application).await.map_err(internal)?;
    if policy.admission == Admission::Deny {
        let detail = format!("the policy of {} admits no applications", org.key);
        return Err(Problem::new(Code::Forbidden, detail).with("reason", "policy_denied"));
    }
    if !policy.admits_address(act.meta.address) {
        let detail = format!("the policy of {} admits no applications from this address", org.key);
        return Err(Problem::new(Code::Forbidden, detail).with("reason", "address_not_allowed"));
    }
    let allowed = act.allow_own(operation, org).await?;
    let found = db::applications::find(act.tx(), allowed.org.id, &acting.owner.to_string()).await.map_err(internal)?;
    let (application, install) = found.ok_or_else(|| Problem::not_found("application"))?;
    Ok(Held { allowed, application, install, owner: false })
}

/// Show the application that asks.
#[derive(Debug, Clone)]
pub struct ShowOwnApplication;

impl Query for ShowOwnApplication {
    const OPERATION: &'static Operation = operations::APPLICATION_OWN_SHOW;
    type Output = ApplicationView;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Self::Output, Problem> {
        let held = own(act, Self::OPERATION).await?;
        let view = ApplicationView::of(act, &held).await.map_err(internal)?;
        // It learns nothing of the organization's people.
        Ok(ApplicationView { owner: None, ..view })
    }
}

/// List the rights of the application that asks.
#[derive(Debug, Clone)]
pub struct ListOwnRights(pub RightParams);

impl Query for ListOwnRights {
    const OPERATION: &'static Operation = operations::APPLICATION_OWN_RIGHT_LIST;
    type Output = Page<GrantView>;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Self::Output, Problem> {
        let held = own(act, Self::OPERATION).await?;
        rights(act, &held, &self.0).await
    }
}

/// Ask for rights of the application that asks.
#[derive(Debug, Clone)]
pub struct AskOwnRights(pub AskBody);

impl Mutation for AskOwnRights {
    const OPERATION: &'static Operation = operations::APPLICATION_OWN_ASK;
    type Output = AskedView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let held = own(act, Self::OPERATION).await?;
        let requester = held.install.owner;
        ask(act, &held, &self.0, requester).await
    }
}

/// Ask for what a denial said was missing.
#[derive(Debug, Clone)]
pub struct FileOwnRequest(pub FileBody);

impl Mutation for FileOwnRequest {
    const OPERATION: &'static Operation = operations::APPLICATION_OWN_FILE;
    type Output = Filed;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        own(act, Self::OPERATION).await?;
        FileRequest { body: self.0.clone() }.apply(act).await
    }
}
