//! Context types of a new catalogue beside those of the other APIs: contexts of a type are shared by the APIs of an
//! organization, so everybody who declares a type declares the same thing, and what is registered stays readable.

use crate::app::App;
use crate::catalogues::Loaded;
use crate::db::{self, Tx};
use crate::ops::act::internal;
use std::sync::Arc;
use tegata_core::catalogue::{ContextTypeEntry, Diff, Document};
use tegata_core::permissions::OWN_API;
use tegata_core::problem::{Code, Problem};

/// Refuses types that another API declares otherwise, and changes under contexts that are registered.
pub async fn check(app: &App, tx: &mut Tx, document: &Document, diff: Option<&Diff>) -> Result<(), Problem> {
    let others = others(app, tx, &document.api).await?;
    disagreement(document, &others)?;
    let Some(diff) = diff else { return Ok(()) };
    for name in &diff.context_types.removed {
        if others.iter().any(|other| other.catalogue.is_type(name)) {
            continue;
        }
        let why = "the catalogue no longer declares it, and nobody else does: keep it declared";
        require_unused(tx, name, why).await?;
    }
    for change in &diff.context_types.changed {
        if change.case_sensitive.is_some() || change.parent.is_some() {
            let why = "its parent or the case of its keys would change under them: use a new type";
            require_unused(tx, &change.name, why).await?;
        }
    }
    Ok(())
}

async fn others(app: &App, tx: &mut Tx, key: &str) -> Result<Vec<Arc<Loaded>>, Problem> {
    let mut others = Vec::new();
    for known in db::apis::all(tx).await.map_err(internal)? {
        if known.key != key && known.key != OWN_API {
            others.extend(app.catalogues.of(tx, &known.key).await.map_err(internal)?);
        }
    }
    Ok(others)
}

fn disagreement(document: &Document, others: &[Arc<Loaded>]) -> Result<(), Problem> {
    let mut problem: Option<Problem> = None;
    for (place, entry) in document.context_types.iter().enumerate() {
        if let Some(other) = others.iter().find(|other| declares_otherwise(other, entry)) {
            let message = format!(
                "the API `{}` declares `{}` with another parent or another rule for case, and contexts of a type are shared: declare the same, or choose another name",
                other.key, entry.name
            );
            let told = problem.unwrap_or_else(|| Problem::new(Code::InvalidCatalogue, message.clone()));
            problem = Some(told.with(format!("context_types[{place}].name"), message));
        }
    }
    problem.map_or(Ok(()), Err)
}

fn declares_otherwise(other: &Loaded, entry: &ContextTypeEntry) -> bool {
    other.catalogue.context_type(&entry.name).is_some_and(|known| {
        known.case_sensitive != entry.case_sensitive || known.parent().unwrap_or("global") != entry.parent
    })
}

async fn require_unused(tx: &mut Tx, kind: &str, why: &str) -> Result<(), Problem> {
    let used = db::apis::contexts_of_type(tx, kind).await.map_err(internal)?;
    if used.is_empty() {
        return Ok(());
    }
    let places: Vec<_> = used.iter().map(|(org, count)| format!("{org}: {count}")).collect();
    let detail = format!("contexts of the type `{kind}` are registered, and {why}");
    Err(Problem::new(Code::InUse, detail).with(format!("context_types.{kind}"), places.join("; ")))
}
