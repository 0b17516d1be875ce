//! List the tokens that are used in an organization, or show its part of one.

use crate::db::orgs::Org;
use crate::db::tokens::{Part, Token};
use crate::db::{self, Tx};
use crate::ops::act::{Reading, internal};
use crate::ops::tokens::show::Names;
use crate::ops::tokens::view::OrgTokenView;
use crate::ops::{Act, Page, PageRequest, Query};
use tegata_core::ids::TokenId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// List the tokens that are used here, newest first.
pub struct ListOrgTokens {
    /// The organization.
    pub org: String,
    /// Which page.
    pub page: PageRequest,
}

impl Query for ListOrgTokens {
    const OPERATION: &'static Operation = operations::ORG_TOKEN_LIST;
    type Output = Page<OrgTokenView>;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Self::Output, Problem> {
        let allowed = act.require(Self::OPERATION, &self.org).await?;
        let (app, now) = (act.app, act.now);
        let rows = db::tokens::of_org(&mut act.tx, allowed.org.id, &self.page.ask()?).await.map_err(internal)?;
        let page = self.page.page(rows, |row| row.id.to_string(), |row| row)?;
        let mut names = Names::default();
        let mut items = Vec::with_capacity(page.items.len());
        for token in &page.items {
            let part = db::tokens::part(&mut act.tx, allowed.org.id, token.id).await.map_err(internal)?;
            if let Some(part) = part {
                let shown = names.for_org(app, &mut act.tx, &allowed.org, token, &part, now).await;
                items.push(shown.map_err(internal)?);
            }
        }
        Ok(Page { items, next_cursor: page.next_cursor })
    }
}

/// Show this organization's part of a token.
pub struct ShowOrgToken {
    /// The organization.
    pub org: String,
    /// Which.
    pub token: TokenId,
}

impl Query for ShowOrgToken {
    const OPERATION: &'static Operation = operations::ORG_TOKEN_SHOW;
    type Output = OrgTokenView;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Self::Output, Problem> {
        let allowed = act.require(Self::OPERATION, &self.org).await?;
        let (token, part) = token_here(act, &allowed.org, self.token).await?;
        show(act, &allowed.org, &token, &part).await
    }
}

/// A token with this organization's part; what has no part here does not exist.
pub async fn token_here<T: Reading>(act: &mut Act<'_, T>, org: &Org, id: TokenId) -> Result<(Token, Part), Problem> {
    let part = db::tokens::part(act.tx(), org.id, id).await.map_err(internal)?;
    let part = part.ok_or_else(|| Problem::not_found("token"))?;
    let token = db::tokens::get(act.tx(), id).await.map_err(internal)?;
    Ok((token.ok_or_else(|| Problem::not_found("token"))?, part))
}

/// This organization's part of a token, as it is shown.
pub async fn show<T: Reading>(
    act: &mut Act<'_, T>,
    org: &Org,
    token: &Token,
    part: &Part,
) -> Result<OrgTokenView, Problem> {
    let (app, now) = (act.app, act.now);
    Names::default().for_org(app, act.tx(), org, token, part, now).await.map_err(internal)
}
