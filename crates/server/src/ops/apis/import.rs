//! Import a catalogue, or show what an import would change.

use super::document::{FormatBody, Raw, Source};
use super::in_use;
use super::plan::{Plan, plan};
use super::view::ImportView;
use crate::catalogues::Loaded;
use crate::db::apis::Api;
use crate::db::feed::Topic;
use crate::db::{self, Tx, WriteTx};
use crate::ops::act::internal;
use crate::ops::orgs::refresh_catalogue_roles;
use crate::ops::tokens::revoke::told_reason;
use crate::ops::{Act, Change, Changes, Mutation, Query};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::Arc;
use tegata_core::catalogue::Diff;
use tegata_core::ids::ApiId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;
use utoipa::ToSchema;

/// Import a catalogue.
pub struct ImportApi {
    raw: Arc<Raw>,
    force: bool,
    reason: Option<String>,
}

/// Show what an import would change.
pub struct PreviewImport {
    raw: Arc<Raw>,
}

/// A catalogue to import.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ApiImport)]
pub struct Body {
    /// The document: an object, or text in YAML or JSON.
    #[schema(value_type = CatalogueDocument)]
    pub document: Value,
    /// How the text is written; guessed if not said.
    #[serde(default)]
    pub format: Option<FormatBody>,
    /// What the document is: `tegata` if not said.
    #[serde(default)]
    pub source: Source,
    /// The key of the API; needed for an OpenAPI document without `x-tegata-api`.
    #[serde(default)]
    pub api: Option<String>,
    /// Only show what would change.
    #[serde(default)]
    pub dry_run: bool,
    /// Take permissions away that are granted somewhere.
    #[serde(default)]
    pub force: bool,
    /// Why; other people read it.
    #[serde(default)]
    pub reason: Option<String>,
}

/// A catalogue as an object, or as text in YAML or JSON.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
#[schema(as = CatalogueDocument)]
#[expect(dead_code, reason = "only its schema is used")]
enum CatalogueDocument {
    #[schema(value_type = Object)]
    Object(Value),
    Text(String),
}

impl Body {
    fn raw(self) -> Arc<Raw> {
        Arc::new(Raw { document: self.document, format: self.format, source: self.source, api: self.api })
    }

    /// The import that this body asks for.
    pub fn import(self) -> ImportApi {
        let (force, reason) = (self.force, self.reason.clone());
        ImportApi { raw: self.raw(), force, reason }
    }

    /// Only a look at what it would change.
    pub fn preview(self) -> PreviewImport {
        PreviewImport { raw: self.raw() }
    }
}

impl Query for PreviewImport {
    const OPERATION: &'static Operation = operations::API_IMPORT;
    type Output = ImportView;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Self::Output, Problem> {
        act.require_publisher(Self::OPERATION).await?;
        let plan = plan(act, &self.raw).await?;
        plan.view(plan.existing.as_ref().map(|api| api.id.to_string()), true)
    }
}

impl Mutation for ImportApi {
    const OPERATION: &'static Operation = operations::API_IMPORT;
    type Output = ImportView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let allowed = act.require_publisher(Self::OPERATION).await?;
        told_reason(self.reason.as_deref())?;
        let plan = plan(act, &self.raw).await?;
        if !plan.removed_in_use.is_empty() && !self.force {
            return Err(in_use::refusal(&plan.removed_in_use));
        }
        let id = store(act, &plan).await?;
        let view = plan.view(Some(id.to_string()), false)?;
        let after = json!({
            "api": view.api, "version": view.version, "permissions": view.permissions, "endpoints": view.endpoints,
            "removed_permissions": plan.diff.as_ref().map(Diff::removed_permissions), "widens": view.widens,
        });
        let mut change =
            Change::new(allowed.org.id, id).after(after).because(self.reason.as_deref()).feed(Topic::Api, None, id);
        if let Some(api) = &plan.existing {
            change = change.before(json!({"api": api.key, "version": api.version}));
        }
        let loaded = Loaded { id, key: plan.document.api, version: view.version, catalogue: plan.catalogue };
        for org in db::orgs::using_api(&mut act.tx, id).await.map_err(internal)? {
            let roles = refresh_catalogue_roles(act.app, &mut act.tx, org, &loaded).await.map_err(internal)?;
            for role in roles {
                change = change.feed(Topic::Role, Some(org), role);
            }
        }
        Ok((view, change.into()))
    }
}

/// Stores document and numbers.
///
/// From here on nobody may ask the server's catalogues for this API within the transaction: they would keep, under
/// the new version, what may never become true.
async fn store(act: &mut Act<'_, WriteTx>, plan: &Plan) -> Result<ApiId, Problem> {
    let document = serde_json::to_string(&plan.document).map_err(|error| {
        tracing::error!(%error, "a catalogue could not be written");
        Problem::internal()
    })?;
    let now = act.now;
    let id = if let Some(api) = &plan.existing {
        db::apis::update(&mut act.tx, api.id, api.version, &document, now).await.map_err(internal)?;
        api.id
    } else {
        let id = act.id(ApiId::new);
        let key = plan.document.api.clone();
        let api = Api { id, key, version: plan.version(), document, created_at: now, updated_at: now };
        db::apis::insert(&mut act.tx, &api).await.map_err(internal)?;
        id
    };
    let known: HashSet<&str> = plan.numbers.iter().map(|(name, _)| name.as_str()).collect();
    for (name, number) in plan.catalogue.numbers().iter().filter(|(name, _)| !known.contains(name.as_str())) {
        db::apis::insert_number(&mut act.tx, id, *number, name).await.map_err(internal)?;
    }
    Ok(id)
}
