//! Look at imports.

use super::view::ImportView;
use crate::db::{self, Tx};
use crate::ops::act::internal;
use crate::ops::{Act, Page, PageRequest, Query};
use tegata_core::ids::ImportId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// List the imports of an organization, newest first.
pub struct ListImports {
    /// The organization.
    pub org: String,
    /// Which page.
    pub page: PageRequest,
}

impl Query for ListImports {
    const OPERATION: &'static Operation = operations::CREDENTIAL_IMPORT_LIST;
    type Output = Page<ImportView>;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Self::Output, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org;
        let rows = db::imports::list(&mut act.tx, org.id, &self.page.ask()?).await.map_err(internal)?;
        let page = self.page.page(rows, |row| row.id.to_string(), |row| row)?;
        let mut items = Vec::with_capacity(page.items.len());
        for import in &page.items {
            items.push(ImportView::of(&mut act.tx, import).await?);
        }
        Ok(Page { items, next_cursor: page.next_cursor })
    }
}

/// Show an import.
pub struct ShowImport {
    /// The organization.
    pub org: String,
    /// Which.
    pub import: ImportId,
}

impl Query for ShowImport {
    const OPERATION: &'static Operation = operations::CREDENTIAL_IMPORT_SHOW;
    type Output = ImportView;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Self::Output, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org;
        let found = db::imports::get(&mut act.tx, org.id, self.import).await.map_err(internal)?;
        let import = found.ok_or_else(|| Problem::not_found("import"))?;
        ImportView::of(&mut act.tx, &import).await
    }
}
