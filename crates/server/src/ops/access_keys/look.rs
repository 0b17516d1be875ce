//! List the access keys, or show one.

use super::view::AccessKeyView;
use crate::db::access_keys::AccessKey;
use crate::db::orgs::Org;
use crate::db::{self, Tx};
use crate::ops::act::{Reading, internal};
use crate::ops::service_accounts::look::account_here;
use crate::ops::{Act, Page, PageRequest, Query};
use serde::Deserialize;
use tegata_core::ids::TokenId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;
use utoipa::ToSchema;

/// Which access keys.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = AccessKeyListParams)]
pub struct ListParams {
    /// Only of this service account (id or name).
    pub service_account: Option<String>,
    /// How many at most: 1 to 200, 50 if not said.
    #[schema(minimum = 1, maximum = 200)]
    pub limit: Option<i64>,
    /// Where to go on: the `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// List the access keys, newest first.
pub struct ListAccessKeys {
    /// The organization.
    pub org: String,
    /// Which.
    pub params: ListParams,
}

impl Query for ListAccessKeys {
    const OPERATION: &'static Operation = operations::ACCESS_KEY_LIST;
    type Output = Page<AccessKeyView>;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Self::Output, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org;
        let page = PageRequest { limit: self.params.limit, cursor: self.params.cursor.clone() };
        let account = match &self.params.service_account {
            Some(named) => Some(account_here(&mut act.tx, org.id, named).await?.id.to_string()),
            None => None,
        };
        let rows = db::access_keys::list(&mut act.tx, org.id, account.as_deref(), &page.ask()?).await;
        let page = page.page(rows.map_err(internal)?, |row| row.token.to_string(), |row| row)?;
        let mut items = Vec::with_capacity(page.items.len());
        for key in &page.items {
            items.push(AccessKeyView::read(act, &org, key).await?);
        }
        Ok(Page { items, next_cursor: page.next_cursor })
    }
}

/// Show an access key.
pub struct ShowAccessKey {
    /// The organization.
    pub org: String,
    /// Which.
    pub key: TokenId,
}

impl Query for ShowAccessKey {
    const OPERATION: &'static Operation = operations::ACCESS_KEY_SHOW;
    type Output = AccessKeyView;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Self::Output, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org;
        let key = key_here(act, &org, self.key).await?;
        AccessKeyView::read(act, &org, &key).await
    }
}

/// An access key of this organization; any other credential is none.
pub async fn key_here<T: Reading>(act: &mut Act<'_, T>, org: &Org, id: TokenId) -> Result<AccessKey, Problem> {
    let found = db::access_keys::of_token(act.tx(), id).await.map_err(internal)?;
    found.filter(|key| key.org == org.id).ok_or_else(|| Problem::not_found("access key"))
}
