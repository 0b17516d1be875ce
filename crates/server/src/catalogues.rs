//! Compiled catalogues, kept by API and version: whoever asks within a transaction gets the one that the transaction
//! sees.

mod own;

pub use own::own_document;

use crate::db::{self, DbError, Tx};
use arc_swap::ArcSwap;
use std::collections::HashMap;
use std::sync::Arc;
use tegata_core::catalogue::{Catalogue, Document};
use tegata_core::ids::ApiId;

/// A catalogue, ready for use.
#[derive(Debug)]
pub struct Loaded {
    /// The API.
    pub id: ApiId,
    /// Its key.
    pub key: String,
    /// How often it was imported.
    pub version: u64,
    /// The compiled catalogue.
    pub catalogue: Catalogue,
}

/// The catalogues that were compiled so far.
#[derive(Debug, Default)]
pub struct Catalogues {
    compiled: ArcSwap<HashMap<ApiId, Arc<Loaded>>>,
}

impl Catalogues {
    /// The catalogue of the API with this key or id, as the transaction sees it.
    pub async fn of(&self, tx: &mut Tx, key_or_id: &str) -> Result<Option<Arc<Loaded>>, DbError> {
        let Some((id, version)) = db::apis::version(tx, key_or_id).await? else {
            return Ok(None);
        };
        if let Some(known) = self.compiled.load().get(&id).filter(|known| known.version == version) {
            return Ok(Some(Arc::clone(known)));
        }
        let Some(api) = db::apis::find(tx, key_or_id).await? else {
            return Ok(None);
        };
        let numbers = db::apis::numbers(tx, id).await?;
        let document: Document =
            serde_json::from_str(&api.document).map_err(|error| DbError::Corrupt(error.to_string()))?;
        let catalogue =
            Catalogue::compile(&document, &numbers).map_err(|problems| DbError::Corrupt(problems.to_string()))?;
        let loaded = Arc::new(Loaded { id, key: api.key, version, catalogue });
        self.compiled.rcu(|before| {
            let mut after = HashMap::clone(before);
            after.insert(id, Arc::clone(&loaded));
            after
        });
        Ok(Some(loaded))
    }
}
