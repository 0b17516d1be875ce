//! List the organization keys, or show one.

use super::view::OrganizationKeyView;
use crate::db::orgs::Org;
use crate::db::tokens::{Part, Token};
use crate::db::{self, Tx};
use crate::ops::act::{Reading, internal};
use crate::ops::tokens::org::look::token_here;
use crate::ops::{Act, Page, PageRequest, Query};
use serde::Deserialize;
use tegata_core::credential::CredentialKind;
use tegata_core::ids::TokenId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;
use utoipa::ToSchema;

/// Which organization keys.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = OrganizationKeyListParams)]
pub struct ListParams {
    /// `true` for the risk report: those that cover everything; `false` for the others.
    pub unscoped: Option<bool>,
    /// How many at most: 1 to 200, 50 if not said.
    #[schema(minimum = 1, maximum = 200)]
    pub limit: Option<i64>,
    /// Where to go on: the `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// List the organization keys, newest first.
pub struct ListOrganizationKeys {
    /// The organization.
    pub org: String,
    /// Which.
    pub params: ListParams,
}

impl Query for ListOrganizationKeys {
    const OPERATION: &'static Operation = operations::ORGANIZATION_KEY_LIST;
    type Output = Page<OrganizationKeyView>;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Self::Output, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org;
        let page = PageRequest { limit: self.params.limit, cursor: self.params.cursor.clone() };
        let rows = db::tokens::keys_of_org(&mut act.tx, org.id, self.params.unscoped, &page.ask()?).await;
        let page = page.page(rows.map_err(internal)?, |row| row.id.to_string(), |row| row)?;
        let mut items = Vec::with_capacity(page.items.len());
        for key in &page.items {
            if let Some(part) = db::tokens::part(&mut act.tx, org.id, key.id).await.map_err(internal)? {
                items.push(OrganizationKeyView::of(act, &org, key, &part).await?);
            }
        }
        Ok(Page { items, next_cursor: page.next_cursor })
    }
}

/// Show an organization key.
pub struct ShowOrganizationKey {
    /// The organization.
    pub org: String,
    /// Which.
    pub key: TokenId,
}

impl Query for ShowOrganizationKey {
    const OPERATION: &'static Operation = operations::ORGANIZATION_KEY_SHOW;
    type Output = OrganizationKeyView;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Self::Output, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org;
        let (key, part) = key_here(act, &org, self.key).await?;
        OrganizationKeyView::of(act, &org, &key, &part).await
    }
}

/// A key of this organization; any other credential is none.
pub async fn key_here<T: Reading>(act: &mut Act<'_, T>, org: &Org, id: TokenId) -> Result<(Token, Part), Problem> {
    let hidden = || Problem::not_found("organization key");
    let (key, part) = token_here(act, org, id).await.map_err(|_| hidden())?;
    if key.kind == CredentialKind::OrganizationKey { Ok((key, part)) } else { Err(hidden()) }
}
