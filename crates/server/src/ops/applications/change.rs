//! Block an application in an organization, let it go on, and remove it for good.

use super::holder::{Held, managed};
use super::view::{ApplicationView, state_word};
use crate::db::feed::Topic;
use crate::db::{self, WriteTx};
use crate::ops::act::{Reading, internal};
use crate::ops::receipt::Receipt;
use crate::ops::requests;
use crate::ops::tokens::org::change::OnPart;
use crate::ops::tokens::revoke::{Body, checked_reason};
use crate::ops::{Act, Change, Changes, Mutation};
use serde_json::json;
use tegata_core::credential::PartState;
use tegata_core::ids::{OrgId, TokenId};
use tegata_core::operations::{self, Operation};
use tegata_core::owner::Owner;
use tegata_core::problem::{Code, Problem};

/// Which application, and why.
#[derive(Debug, Clone)]
pub struct OnApplication {
    /// The organization.
    pub org: String,
    /// Its id, client id or name.
    pub application: String,
    /// Why.
    pub body: Body,
}

/// Stop an application here for now.
pub struct BlockApplication(pub OnApplication);

/// Let an application go on here.
pub struct UnblockApplication(pub OnApplication);

/// Remove an application for good: here, or everywhere where it is registered here.
pub struct UninstallApplication(pub OnApplication);

impl OnApplication {
    fn on(&self, token: TokenId) -> OnPart {
        OnPart { org: self.org.clone(), token, body: self.body.clone() }
    }
}

impl Mutation for BlockApplication {
    const OPERATION: &'static Operation = operations::APPLICATION_BLOCK;
    type Output = Receipt;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let held = managed(act, Self::OPERATION, &self.0.org, &self.0.application).await?;
        let (_, _, change) = self.0.on(held.install.token).step(act, &held.allowed, PartState::block).await?;
        Ok((Receipt::of(held.application.id, "blocked"), change.into()))
    }
}

impl Mutation for UnblockApplication {
    const OPERATION: &'static Operation = operations::APPLICATION_UNBLOCK;
    type Output = ApplicationView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let held = managed(act, Self::OPERATION, &self.0.org, &self.0.application).await?;
        let (_, _, change) = self.0.on(held.install.token).step(act, &held.allowed, PartState::unblock).await?;
        let view = ApplicationView::of(act, &held).await.map_err(internal)?;
        Ok((view, change.into()))
    }
}

impl Mutation for UninstallApplication {
    const OPERATION: &'static Operation = operations::APPLICATION_UNINSTALL;
    type Output = Receipt;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let held = managed(act, Self::OPERATION, &self.0.org, &self.0.application).await?;
        checked_reason(&self.0.body)?;
        require_alive(act, &held).await?;
        let installs = db::applications::installs(act.tx(), held.application.id).await.map_err(internal)?;
        let mut changes = Vec::new();
        for install in installs.iter().filter(|install| held.at_home() || install.org == held.allowed.org.id) {
            let owner = Owner::Application(held.application.id);
            // Its own credential is among them.
            for token in db::tokens::parts_of_owner(act.tx(), install.org, owner).await.map_err(internal)? {
                let change = self.end(act, &held, install.org, token).await?;
                let elsewhere = install.org != held.allowed.org.id;
                let name = &held.application.name;
                changes.push(if elsewhere { change.by_other(held.application.id, name) } else { change });
            }
        }
        if held.at_home() {
            let (subject, now) = (held.application.id.to_string(), act.now);
            db::secrets::end_at(&mut act.tx, &subject, now).await.map_err(internal)?;
        }
        Ok((Receipt::of(held.application.id, "uninstalled"), Changes { list: changes }))
    }
}

impl UninstallApplication {
    /// Stops one of its credentials in an organization for good, and takes back what is asked for it there.
    async fn end(
        &self,
        act: &mut Act<'_, WriteTx>,
        held: &Held,
        org: OrgId,
        token: TokenId,
    ) -> Result<Change, Problem> {
        let (now, user, reason) = (act.now, act.actor.user.id, self.0.body.reason.as_deref());
        let part = db::tokens::part(act.tx(), org, token).await.map_err(internal)?.ok_or_else(Problem::internal)?;
        let at_home = org == held.allowed.org.id;
        let kept = reason.filter(|reason| at_home && !reason.is_empty());
        db::tokens::set_part_state(&mut act.tx, org, token, part.state, PartState::Revoked, kept, now)
            .await
            .map_err(internal)?;
        let by = Some(user).filter(|_| at_home);
        requests::close::with_token(&mut act.tx, Some(org), token, by, now).await.map_err(internal)?;
        Ok(Change::new(org, token)
            .before(json!({"application": held.application.name, "state": part.state}))
            .after(json!({"application": held.application.name, "state": PartState::Revoked}))
            .because(kept)
            .feed(Topic::Token, None, token))
    }
}

/// Requires that an application was not uninstalled here.
pub async fn require_alive<T: Reading>(act: &mut Act<'_, T>, held: &Held) -> Result<(), Problem> {
    let part = db::tokens::part(act.tx(), held.allowed.org.id, held.install.token).await.map_err(internal)?;
    match part.map(|part| part.state) {
        Some(PartState::Active | PartState::Blocked) => Ok(()),
        Some(PartState::Revoked) | None => {
            let detail = format!("this application is {} here", state_word(PartState::Revoked));
            Err(Problem::new(Code::Conflict, detail))
        }
    }
}
