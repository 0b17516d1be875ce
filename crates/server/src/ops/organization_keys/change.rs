//! Block, unblock and revoke an organization key.

use super::look::key_here;
use super::view::OrganizationKeyView;
use crate::db::WriteTx;
use crate::ops::receipt::Receipt;
use crate::ops::tokens::org::change::OnPart;
use crate::ops::{Act, Changes, Mutation};
use tegata_core::credential::PartState;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// Stop an organization key for now.
pub struct BlockOrganizationKey(pub OnPart);

/// Let an organization key go on.
pub struct UnblockOrganizationKey(pub OnPart);

/// Stop an organization key for good.
pub struct RevokeOrganizationKey(pub OnPart);

impl Mutation for BlockOrganizationKey {
    const OPERATION: &'static Operation = operations::ORGANIZATION_KEY_BLOCK;
    type Output = Receipt;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let allowed = act.require(Self::OPERATION, &self.0.org).await?;
        key_here(act, &allowed.org, self.0.token).await?;
        let (key, _, change) = self.0.step(act, &allowed, PartState::block).await?;
        Ok((Receipt::of(key.id, "blocked"), change.into()))
    }
}

impl Mutation for UnblockOrganizationKey {
    const OPERATION: &'static Operation = operations::ORGANIZATION_KEY_UNBLOCK;
    type Output = OrganizationKeyView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let allowed = act.require(Self::OPERATION, &self.0.org).await?;
        key_here(act, &allowed.org, self.0.token).await?;
        let (key, part, change) = self.0.step(act, &allowed, PartState::unblock).await?;
        let view = OrganizationKeyView::of(act, &allowed.org, &key, &part).await?;
        Ok((view, change.into()))
    }
}

impl Mutation for RevokeOrganizationKey {
    const OPERATION: &'static Operation = operations::ORGANIZATION_KEY_REVOKE;
    type Output = Receipt;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let allowed = act.require(Self::OPERATION, &self.0.org).await?;
        key_here(act, &allowed.org, self.0.token).await?;
        let (key, _, change) = self.0.step(act, &allowed, PartState::revoke).await?;
        Ok((Receipt::of(key.id, "revoked"), change.into()))
    }
}
