//! The permissions that may be asked for at all. They bound asking and granting: what was granted before goes on, and a policy
//! that says nothing lets everything be asked for.

use crate::app::App;
use crate::db::access_policies::Part;
use crate::db::{self, DbError, Tx};
use crate::ops::access_policies::view::{PartView, shown};
use crate::ops::rights;
use tegata_core::catalogue::PermissionInfo;
use tegata_core::ceiling::Ceiling;
use tegata_core::credential::CredentialKind;
use tegata_core::ids::{ApiId, ContextId, OrgId};
use tegata_core::problem::Problem;

/// What may be asked for of a kind of credential in one organization.
#[derive(Debug, Default)]
pub struct Askable(Vec<List>);

/// What one policy lets be asked for.
#[derive(Debug)]
struct List {
    /// The context whose policy says it; none for the organization's.
    context: Option<ContextId>,
    /// Whose policy it is, for messages.
    whose: String,
    ceiling: Ceiling,
}

impl Askable {
    /// Reads it.
    pub async fn read(app: &App, tx: &mut Tx, org: &db::orgs::Org, kind: CredentialKind) -> Result<Self, DbError> {
        let mut lists = Vec::new();
        for (context, parts) in db::policies::askable(tx, org.id, kind).await? {
            let whose = match context {
                None => org.key.clone(),
                Some(context) => place(tx, org.id, context).await?,
            };
            let ceiling = rights::ceiling(&app.catalogues, tx, &parts).await?;
            lists.push(List { context, whose: format!("the policy of {whose} for {kind}"), ceiling });
        }
        Ok(Self(lists))
    }

    /// The same, but for what one context says.
    #[must_use]
    pub fn without(mut self, context: Option<ContextId>) -> Self {
        self.0.retain(|list| list.context.is_none() || list.context != context);
        self
    }

    /// Whether the organization itself lets everything be asked for.
    pub fn is_everything(&self) -> bool {
        self.0.iter().all(|list| list.context.is_some())
    }

    /// Whether a permission may be asked for in a place, whose ids come innermost first: every policy on the way has to
    /// have it.
    pub fn admits(&self, api: ApiId, known: &PermissionInfo, chain: &[ContextId]) -> Result<(), String> {
        let here = |list: &&List| list.context.is_none_or(|context| chain.contains(&context));
        match self.0.iter().filter(here).find(|list| !list.ceiling.admits(api, known.number, chain)) {
            None => Ok(()),
            Some(list) => {
                Err(format!("{} does not have `{}` among what may be asked for here", list.whose, known.name))
            }
        }
    }
}

/// A context as scopes write it.
pub async fn place(tx: &mut Tx, org: OrgId, context: ContextId) -> Result<String, DbError> {
    let found = db::contexts::get(tx, org, context).await?;
    Ok(found.map_or_else(|| context.to_string(), |found| format!("{}:key:{}", found.kind, found.key)))
}

/// The own list of the organization (none) or of a context, as it is stored; empty where everything may be asked for.
pub async fn own(
    tx: &mut Tx,
    org: OrgId,
    kind: CredentialKind,
    context: Option<ContextId>,
) -> Result<Vec<Part>, DbError> {
    let all = db::policies::askable(tx, org, kind).await?;
    Ok(all.into_iter().find(|(whose, _)| *whose == context).map(|(_, parts)| parts).unwrap_or_default())
}

/// The same, as it is shown.
pub async fn view(
    app: &App,
    tx: &mut Tx,
    org: OrgId,
    kind: CredentialKind,
    context: Option<ContextId>,
) -> Result<Vec<PartView>, DbError> {
    let parts = own(tx, org, kind, context).await?;
    shown(app, tx, org, parts).await
}

/// Whether anything is asked for with credentials of a kind, so that a list of it says something.
pub fn check_kind(kind: CredentialKind, parts: &[Part]) -> Result<(), Problem> {
    if !parts.is_empty() && matches!(kind, CredentialKind::LegacyToken | CredentialKind::AccessKey) {
        let message = "credentials of this kind list no permissions, so none are asked for: leave the list empty";
        return Err(Problem::field("permissions", message));
    }
    Ok(())
}
