//! Limits as they are shown.

use crate::app::App;
use crate::db::limits::Limit;
use crate::db::{DbError, Tx};
use crate::verify::limits::policy;
use serde::Serialize;
use tegata_core::ids::ApiId;
use utoipa::ToSchema;

/// A limit on calls.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Limit)]
pub struct LimitView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The name that callers are told in `RateLimit` headers.
    pub policy: String,
    /// How many calls.
    pub quota: u64,
    /// In how many seconds.
    pub window_seconds: u64,
    /// For whom they are counted: each `credential`, each `principal`, or the `organization` as a whole.
    pub per: String,
    /// The key of the API whose calls are counted; null for every API.
    pub api: Option<String>,
    /// The class of endpoints whose calls are counted; null for every call.
    pub class: Option<String>,
    /// Whether it holds in every organization, as the publisher set it.
    pub everywhere: bool,
    /// Counts its changes; send it back with a change, and the change is refused where somebody else made one meanwhile.
    pub version: u64,
    /// When it was set.
    pub created_at: String,
    /// When it was last changed.
    pub updated_at: String,
}

impl LimitView {
    /// A limit.
    pub async fn of(app: &App, tx: &mut Tx, limit: &Limit) -> Result<Self, DbError> {
        let api = match limit.covers.api {
            Some(api) => Some(key_of(app, tx, api).await?),
            None => None,
        };
        Ok(Self {
            id: limit.id.to_string(),
            name: limit.name.clone(),
            policy: policy(limit.org, &limit.name),
            quota: limit.rate.quota(),
            window_seconds: limit.rate.window_seconds(),
            per: limit.per.as_str().to_owned(),
            api,
            class: limit.covers.class.as_deref().map(str::to_owned),
            everywhere: limit.org.is_none(),
            version: limit.version,
            created_at: limit.created_at.to_string(),
            updated_at: limit.updated_at.to_string(),
        })
    }
}

async fn key_of(app: &App, tx: &mut Tx, api: ApiId) -> Result<String, DbError> {
    let loaded = app.catalogues.of(tx, &api.to_string()).await?;
    Ok(loaded.map_or_else(|| api.to_string(), |loaded| loaded.key.clone()))
}
