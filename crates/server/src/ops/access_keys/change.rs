//! Block, unblock and revoke an access key.

use super::look::key_here;
use super::view::AccessKeyView;
use crate::db::WriteTx;
use crate::ops::receipt::Receipt;
use crate::ops::tokens::org::change::OnPart;
use crate::ops::{Act, Changes, Mutation};
use tegata_core::credential::PartState;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// Stop an access key for now.
pub struct BlockAccessKey(pub OnPart);

/// Let an access key go on.
pub struct UnblockAccessKey(pub OnPart);

/// Stop an access key for good.
pub struct RevokeAccessKey(pub OnPart);

impl Mutation for BlockAccessKey {
    const OPERATION: &'static Operation = operations::ACCESS_KEY_BLOCK;
    type Output = Receipt;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let allowed = act.require(Self::OPERATION, &self.0.org).await?;
        key_here(act, &allowed.org, self.0.token).await?;
        let (key, _, change) = self.0.step(act, &allowed, PartState::block).await?;
        Ok((Receipt::of(key.id, "blocked"), change.into()))
    }
}

impl Mutation for UnblockAccessKey {
    const OPERATION: &'static Operation = operations::ACCESS_KEY_UNBLOCK;
    type Output = AccessKeyView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let allowed = act.require(Self::OPERATION, &self.0.org).await?;
        let key = key_here(act, &allowed.org, self.0.token).await?;
        let (_, _, change) = self.0.step(act, &allowed, PartState::unblock).await?;
        let view = AccessKeyView::read(act, &allowed.org, &key).await?;
        Ok((view, change.into()))
    }
}

impl Mutation for RevokeAccessKey {
    const OPERATION: &'static Operation = operations::ACCESS_KEY_REVOKE;
    type Output = Receipt;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let allowed = act.require(Self::OPERATION, &self.0.org).await?;
        key_here(act, &allowed.org, self.0.token).await?;
        let (key, _, change) = self.0.step(act, &allowed, PartState::revoke).await?;
        Ok((Receipt::of(key.id, "revoked"), change.into()))
    }
}
