//! Show an account.

use super::view::UserView;
use crate::db::Tx;
use crate::ops::{Act, Query};
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// Shows an account.
#[derive(Debug)]
pub struct ShowUser {
    /// Its id.
    pub user: String,
}

impl Query for ShowUser {
    const OPERATION: &'static Operation = operations::USER_SHOW;
    type Output = UserView;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<UserView, Problem> {
        act.require_publisher(Self::OPERATION).await?;
        Ok(UserView::from(&super::find(&mut act.tx, &self.user).await?))
    }
}
