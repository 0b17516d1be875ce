//! List one's own tokens, or show one.

use super::show::Names;
use super::view::TokenView;
use crate::db::tokens::Token;
use crate::db::{self, Tx};
use crate::ops::act::{Reading, internal};
use crate::ops::own_scope::require_own_scope;
use crate::ops::{Act, Page, PageRequest, Query};
use tegata_core::ids::TokenId;
use tegata_core::operations::{self, Operation};
use tegata_core::owner::Owner;
use tegata_core::problem::Problem;

/// List one's own tokens, newest first.
pub struct ListTokens {
    /// Which page.
    pub page: PageRequest,
}

impl Query for ListTokens {
    const OPERATION: &'static Operation = operations::TOKEN_LIST;
    type Output = Page<TokenView>;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Self::Output, Problem> {
        require_own_scope(act, Self::OPERATION).await?;
        let (app, now, owner) = (act.app, act.now, act.actor.user.id);
        let rows = db::tokens::of_owner(&mut act.tx, Owner::User(owner), &self.page.ask()?).await.map_err(internal)?;
        let page = self.page.page(rows, |row| row.id.to_string(), |row| row)?;
        let mut names = Names::default();
        let mut items = Vec::with_capacity(page.items.len());
        for token in &page.items {
            items.push(names.for_owner(app, &mut act.tx, token, now).await.map_err(internal)?);
        }
        Ok(Page { items, next_cursor: page.next_cursor })
    }
}

/// Show one of one's own tokens.
pub struct ShowToken {
    /// Which.
    pub token: TokenId,
}

impl Query for ShowToken {
    const OPERATION: &'static Operation = operations::TOKEN_SHOW;
    type Output = TokenView;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Self::Output, Problem> {
        require_own_scope(act, Self::OPERATION).await?;
        let token = own_token(act, self.token).await?;
        let (app, now) = (act.app, act.now);
        Names::default().for_owner(app, &mut act.tx, &token, now).await.map_err(internal)
    }
}

/// One of the actor's own tokens; anybody else's does not exist.
pub async fn own_token<T: Reading>(act: &mut Act<'_, T>, id: TokenId) -> Result<Token, Problem> {
    let owner = act.actor.user.id;
    let found = db::tokens::get(act.tx(), id).await.map_err(internal)?;
    found.filter(|token| token.owner == Owner::User(owner)).ok_or_else(|| Problem::not_found("token"))
}
