//! Verifiers as they are shown.

use crate::db::verifiers::Verifier;
use crate::db::{self, DbError, Tx};
use serde::Serialize;
use std::collections::HashMap;
use tegata_core::ids::ApiId;
use utoipa::ToSchema;

/// A verifier.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct VerifierView {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// `active` or `revoked`.
    pub state: String,
    /// The keys of the APIs that it may ask about.
    pub apis: Vec<String>,
    /// When it was made.
    pub created_at: String,
    /// When it was stopped for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<String>,
}

/// A verifier with the secret that was just made for it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct VerifierWithSecret {
    /// The verifier.
    #[serde(flatten)]
    pub verifier: VerifierView,
    /// Its secret: shown here, and never again.
    pub token: String,
}

/// The keys of APIs by id.
pub struct ApiKeys(HashMap<ApiId, String>);

impl ApiKeys {
    /// Reads them.
    pub async fn read(tx: &mut Tx) -> Result<Self, DbError> {
        Ok(Self(db::apis::all(tx).await?.into_iter().map(|api| (api.id, api.key)).collect()))
    }

    /// The key of an API.
    pub fn of(&self, id: ApiId) -> String {
        self.0.get(&id).cloned().unwrap_or_else(|| id.to_string())
    }
}

impl VerifierView {
    /// Shows a verifier.
    pub fn of(verifier: &Verifier, keys: &ApiKeys) -> Self {
        Self {
            id: verifier.id.to_string(),
            name: verifier.name.clone(),
            state: if verifier.revoked_at.is_some() { "revoked" } else { "active" }.to_owned(),
            apis: verifier.apis.iter().map(|api| keys.of(*api)).collect(),
            created_at: verifier.created_at.to_string(),
            revoked_at: verifier.revoked_at.map(|moment| moment.to_string()),
        }
    }
}
