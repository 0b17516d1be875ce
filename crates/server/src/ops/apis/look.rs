//! List the protected APIs, show one, show its whole catalogue. People see the APIs that one of their organizations
//! uses and Tegata's own; whoever imports catalogues sees all. The rest does not exist.

use super::view::{ApiSummary, ApiView, CatalogueView};
use crate::catalogues::Loaded;
use crate::db::{self, Tx};
use crate::ops::act::internal;
use crate::ops::{Act, Page, PageRequest, Query};
use std::collections::HashSet;
use std::sync::Arc;
use tegata_core::credential::PartState;
use tegata_core::ids::ApiId;
use tegata_core::operations::{self, Operation};
use tegata_core::permissions::OWN_API;
use tegata_core::problem::Problem;

/// List the protected APIs.
pub struct ListApis {
    /// Which page.
    pub page: PageRequest,
}

impl Query for ListApis {
    const OPERATION: &'static Operation = operations::API_LIST;
    type Output = Page<ApiSummary>;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Self::Output, Problem> {
        let ask = self.page.ask()?;
        let seen = Seen::by(act).await?;
        let after = ask.after.unwrap_or_default();
        let limit = usize::try_from(ask.limit).unwrap_or_default();
        let app = act.app;
        let mut rows = Vec::new();
        for known in db::apis::all(&mut act.tx).await.map_err(internal)? {
            if rows.len() == limit {
                break;
            }
            if known.key > after && seen.has(known.id, &known.key) {
                rows.extend(app.catalogues.of(&mut act.tx, &known.key).await.map_err(internal)?);
            }
        }
        self.page.page(rows, |row| row.key.clone(), |row| ApiSummary::from(row.as_ref()))
    }
}

/// Show an API with its permissions and roles.
pub struct ShowApi {
    /// Its key or id.
    pub api: String,
}

impl Query for ShowApi {
    const OPERATION: &'static Operation = operations::API_SHOW;
    type Output = ApiView;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Self::Output, Problem> {
        let api = visible(act, &self.api).await?;
        Ok(ApiView::from(api.as_ref()))
    }
}

/// Show the whole catalogue of an API.
pub struct ShowCatalogue {
    /// Its key or id.
    pub api: String,
}

impl Query for ShowCatalogue {
    const OPERATION: &'static Operation = operations::API_CATALOGUE;
    type Output = CatalogueView;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Self::Output, Problem> {
        let api = visible(act, &self.api).await?;
        let stored = db::apis::find(&mut act.tx, &api.key).await.map_err(internal)?;
        let stored = stored.ok_or_else(|| Problem::not_found("API"))?;
        let document = serde_json::from_str(&stored.document).map_err(|error| {
            tracing::error!(%error, api = %api.key, "a stored catalogue cannot be read");
            Problem::internal()
        })?;
        Ok(CatalogueView { api: stored.key, id: stored.id.to_string(), version: stored.version, document })
    }
}

/// Which APIs an actor may know of.
enum Seen {
    All,
    Only(HashSet<ApiId>),
}

impl Seen {
    async fn by(act: &mut Act<'_, Tx>) -> Result<Self, Problem> {
        if imports(act).await? {
            return Ok(Self::All);
        }
        let used = db::apis::of_user(&mut act.tx, act.actor.user.id).await.map_err(internal)?;
        Ok(Self::Only(used.into_iter().collect()))
    }

    fn has(&self, id: ApiId, key: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(ids) => key == OWN_API || ids.contains(&id),
        }
    }
}

/// Whether the actor may import catalogues.
async fn imports(act: &mut Act<'_, Tx>) -> Result<bool, Problem> {
    let app = act.app;
    let publisher = db::orgs::publisher(&mut act.tx).await.map_err(internal)?;
    let own = app.catalogues.of(&mut act.tx, OWN_API).await.map_err(internal)?;
    let (Some(publisher), Some(own)) = (publisher, own) else {
        return Ok(false);
    };
    let Some(number) = own.catalogue.number("apis:write") else {
        return Ok(false);
    };
    let rights = act.rights_in(publisher.id).await?;
    let counts = rights.owner_active && rights.part_state == PartState::Active;
    Ok(counts && rights.with_authority(|authority| authority.covers(own.id, number, &[])))
}

async fn visible(act: &mut Act<'_, Tx>, key: &str) -> Result<Arc<Loaded>, Problem> {
    let seen = Seen::by(act).await?;
    let app = act.app;
    let found = app.catalogues.of(&mut act.tx, key).await.map_err(internal)?;
    found.filter(|api| seen.has(api.id, &api.key)).ok_or_else(|| Problem::not_found("API"))
}
