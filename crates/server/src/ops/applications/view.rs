//! Applications as they are shown.

use super::holder::Held;
use crate::app::App;
use crate::db::applications::{Application, Install, Required};
use crate::db::{self, DbError, Tx};
use crate::ops::Act;
use crate::ops::act::Reading;
use crate::ops::tokens::show::Names;
use crate::ops::tokens::view::GrantView;
use crate::ops::view::PersonView;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tegata_core::credential::{GrantState, PartState};
use utoipa::ToSchema;

/// An application, in one organization.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Application)]
pub struct ApplicationView {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What it does.
    pub description: String,
    /// What it signs in with, beside its client secret.
    pub client_id: String,
    /// The key of the organization where it is registered.
    pub registered_in: String,
    /// Whether every organization may install it.
    pub shared: bool,
    /// `active`, `blocked` or `uninstalled`, in this organization.
    pub state: &'static str,
    /// Why it is blocked or uninstalled here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_reason: Option<String>,
    /// The member who answers for it here.
    pub owner: Option<PersonView>,
    /// The credential that carries its rights here: what requests and records name.
    pub credential: String,
    /// When it was registered.
    pub created_at: String,
    /// When it was installed here.
    pub installed_at: String,
    /// When it was last let in here by its client secret, give or take five minutes; absent where it was not yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
    /// What it needs in every place where it is let in.
    pub required: Vec<RequiredView>,
    /// The places that it has rights in, or asks for.
    pub contexts: Vec<ContextRightsView>,
}

/// Permissions of one API that an application needs.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ApplicationRequired)]
pub struct RequiredView {
    /// Key or id of the API.
    pub api: String,
    /// Names of permissions.
    pub permissions: Vec<String>,
}

/// What an application has in one place.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ApplicationContext)]
pub struct ContextRightsView {
    /// The place: `global`, or for example `project:key:MY-APP`.
    pub context: String,
    /// How many permissions were granted there.
    pub granted: usize,
    /// How many are asked for there.
    pub requested: usize,
}

/// An application with the client secret that was just made for it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ApplicationWithSecret {
    /// The application.
    #[serde(flatten)]
    pub view: ApplicationView,
    /// Its client secret: shown here, and never again.
    pub client_secret: String,
}

/// An application that the publisher offers.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ApplicationOffer)]
pub struct OfferView {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What it does.
    pub description: String,
    /// What it needs in every place where it is let in.
    pub required: Vec<RequiredView>,
    /// Whether this organization has installed it.
    pub installed: bool,
}

/// What became of what was asked for.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ApplicationAsked)]
pub struct AskedView {
    /// The ids of the requests that were filed: none where everything was granted at once.
    pub requests: Vec<String>,
    /// What was asked for: granted at once, or waiting.
    pub rights: Vec<GrantView>,
    /// How many permissions it had already, or asks for already.
    pub unchanged: usize,
}

/// The word for the state of an installation.
pub const fn state_word(state: PartState) -> &'static str {
    match state {
        PartState::Active => "active",
        PartState::Blocked => "blocked",
        PartState::Revoked => "uninstalled",
    }
}

impl ApplicationView {
    /// An application as an organization sees it.
    pub async fn of<T: Reading>(act: &mut Act<'_, T>, held: &Held) -> Result<Self, DbError> {
        Self::read(act, &held.application, &held.install).await
    }

    /// The same, from its rows.
    pub async fn read<T: Reading>(
        act: &mut Act<'_, T>,
        application: &Application,
        install: &Install,
    ) -> Result<Self, DbError> {
        let (app, now) = (act.app, act.now);
        let tx = act.tx();
        let mut names = Names::default();
        let owner = db::users::get(tx, install.owner).await?;
        let part = db::tokens::part(tx, install.org, install.token).await?;
        let part = part.ok_or_else(|| DbError::Corrupt(install.token.to_string()))?;
        let last_used_at = db::uses::last(tx, install.org, &install.token.to_string()).await?;
        let required = db::applications::required(tx, application.id).await?;
        let mut contexts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for grant in db::grants::of_token(tx, install.token).await? {
            let place = names.place(tx, install.org, grant.context).await?.to_string();
            match grant.state {
                GrantState::Granted if grant.is_over(now) => {}
                GrantState::Granted => contexts.entry(place).or_default().0 += grant.permissions.len(),
                GrantState::Requested => contexts.entry(place).or_default().1 += grant.permissions.len(),
                _ => {}
            }
        }
        Ok(Self {
            id: application.id.to_string(),
            name: application.name.clone(),
            description: application.description.clone(),
            client_id: application.client_id.clone(),
            registered_in: names.org(tx, application.org).await?,
            shared: application.shared,
            state: state_word(part.state),
            state_reason: part.state_reason,
            owner: owner.as_ref().map(PersonView::from),
            credential: install.token.to_string(),
            created_at: application.created_at.to_string(),
            installed_at: install.created_at.to_string(),
            last_used_at: last_used_at.map(|moment| moment.to_string()),
            required: required_view(app, tx, &mut names, required).await?,
            contexts: contexts
                .into_iter()
                .map(|(context, (granted, requested))| ContextRightsView { context, granted, requested })
                .collect(),
        })
    }
}

/// What an application needs, as it is shown.
pub async fn required_view(
    app: &App,
    tx: &mut Tx,
    names: &mut Names,
    required: Required,
) -> Result<Vec<RequiredView>, DbError> {
    let mut list = Vec::with_capacity(required.len());
    for (api, permissions) in required {
        list.push(RequiredView { api: names.api(app, tx, api).await?, permissions });
    }
    Ok(list)
}
