//! List the applications of an organization, what is offered to it, and what an application may do.

use super::holder::{Held, held};
use super::view::{ApplicationView, OfferView, required_view};
use crate::db::{self, PageAsk, Tx};
use crate::ops::act::internal;
use crate::ops::contexts::place;
use crate::ops::tokens::show::Names;
use crate::ops::tokens::view::GrantView;
use crate::ops::{Act, Page, PageRequest, Query};
use serde::Deserialize;
use tegata_core::credential::{GrantState, PartState};
use tegata_core::ids::OrgId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use utoipa::ToSchema;

/// How many applications are looked at for one page that asks about a place.
const LOOKED_AT_MAX: i64 = 500;

/// Which applications.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = ApplicationListParams)]
pub struct ListParams {
    /// Only those that have rights in this place, or above it: an id, or as in scopes.
    pub context: Option<String>,
    /// How many at most: 1 to 200, 50 if not said.
    #[schema(minimum = 1, maximum = 200)]
    pub limit: Option<i64>,
    /// Where to go on: the `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// List the applications.
#[derive(Debug, Clone)]
pub struct ListApplications {
    /// The organization.
    pub org: String,
    /// Which.
    pub params: ListParams,
}

impl Query for ListApplications {
    const OPERATION: &'static Operation = operations::APPLICATION_LIST;
    type Output = Page<ApplicationView>;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Self::Output, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        let page = PageRequest { limit: self.params.limit, cursor: self.params.cursor.clone() };
        let Some(text) = &self.params.context else {
            let rows = db::applications::list(act.tx(), org, &page.ask()?).await.map_err(internal)?;
            let rows = page.page(rows, |(application, _)| application.id.to_string(), |row| row)?;
            let mut items = Vec::with_capacity(rows.items.len());
            for (application, install) in &rows.items {
                items.push(ApplicationView::read(act, application, install).await.map_err(internal)?);
            }
            return Ok(Page { items, next_cursor: rows.next_cursor });
        };
        let context = place::of_field(act, org, "context", Some(text)).await.map_err(as_parameter)?;
        let chain = place::chain(act, org, context.map(|context| context.id)).await?;
        let wanted = usize::try_from(page.limit()?).unwrap_or(usize::MAX);
        let (mut items, mut ask) = (Vec::new(), PageAsk { limit: LOOKED_AT_MAX, ..page.ask()? });
        let rows = db::applications::list(act.tx(), org, &ask).await.map_err(internal)?;
        let whole = rows.len() == usize::try_from(LOOKED_AT_MAX).unwrap_or(0);
        let (mut looked_at, total) = (0, rows.len());
        for (application, install) in rows {
            if items.len() == wanted {
                break;
            }
            looked_at += 1;
            ask.after = Some(application.id.to_string());
            let grants = db::grants::of_token(act.tx(), install.token).await.map_err(internal)?;
            let reaches = grants.iter().any(|grant| {
                grant.state == GrantState::Granted
                    && !grant.is_over(act.now)
                    && grant.context.is_none_or(|place| chain.contains(&place))
            });
            if reaches {
                items.push(ApplicationView::read(act, &application, &install).await.map_err(internal)?);
            }
        }
        let next = ask.after.filter(|_| whole || looked_at < total);
        Ok(Page { items, next_cursor: next.map(|after| PageRequest::cursor_after(&after)) })
    }
}

fn as_parameter(problem: Problem) -> Problem {
    Problem { code: Code::InvalidParameter, ..problem }
}

/// List what the publisher offers.
#[derive(Debug, Clone)]
pub struct ListOffers {
    /// The organization.
    pub org: String,
    /// Which page.
    pub page: PageRequest,
}

impl Query for ListOffers {
    const OPERATION: &'static Operation = operations::APPLICATION_OFFER_LIST;
    type Output = Page<OfferView>;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Self::Output, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        let app = act.app;
        let rows = db::applications::shared(act.tx(), &self.page.ask()?).await.map_err(internal)?;
        let rows = self.page.page(rows, |row| row.id.to_string(), |row| row)?;
        let (mut items, mut names) = (Vec::with_capacity(rows.items.len()), Names::default());
        for application in rows.items {
            let required = db::applications::required(act.tx(), application.id).await.map_err(internal)?;
            let required = required_view(app, act.tx(), &mut names, required).await.map_err(internal)?;
            let lives = |org: OrgId| (org, application.id);
            if !is_live(act, lives(application.org)).await? {
                continue;
            }
            items.push(OfferView {
                id: application.id.to_string(),
                name: application.name.clone(),
                description: application.description.clone(),
                required,
                installed: is_live(act, lives(org)).await?,
            });
        }
        Ok(Page { items, next_cursor: rows.next_cursor })
    }
}

/// Whether an organization has an application, and did not remove it.
async fn is_live(
    act: &mut Act<'_, Tx>,
    (org, application): (OrgId, tegata_core::ids::ApplicationId),
) -> Result<bool, Problem> {
    let found = db::applications::find(act.tx(), org, &application.to_string()).await.map_err(internal)?;
    let Some((_, install)) = found else { return Ok(false) };
    let part = db::tokens::part(act.tx(), org, install.token).await.map_err(internal)?;
    Ok(part.is_some_and(|part| part.state != PartState::Revoked))
}

/// Show an application.
#[derive(Debug, Clone)]
pub struct ShowApplication {
    /// The organization.
    pub org: String,
    /// Its id, client id or name.
    pub application: String,
}

impl Query for ShowApplication {
    const OPERATION: &'static Operation = operations::APPLICATION_SHOW;
    type Output = ApplicationView;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Self::Output, Problem> {
        let held = held(act, Self::OPERATION, &self.org, &self.application).await?;
        ApplicationView::of(act, &held).await.map_err(internal)
    }
}

/// Which rights.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = ApplicationRightListParams)]
pub struct RightParams {
    /// Only those in this place: an id, or as in scopes.
    pub context: Option<String>,
    /// Only those in this state: `requested`, `granted`, `rejected`, `withdrawn`, `expired` or `ungranted`.
    pub state: Option<String>,
    /// How many at most: 1 to 200, 50 if not said.
    #[schema(minimum = 1, maximum = 200)]
    pub limit: Option<i64>,
    /// Where to go on: the `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// List the rights of an application.
#[derive(Debug, Clone)]
pub struct ListRights {
    /// The organization.
    pub org: String,
    /// Its id, client id or name.
    pub application: String,
    /// Which.
    pub params: RightParams,
}

impl Query for ListRights {
    const OPERATION: &'static Operation = operations::APPLICATION_RIGHT_LIST;
    type Output = Page<GrantView>;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Self::Output, Problem> {
        let held = held(act, Self::OPERATION, &self.org, &self.application).await?;
        rights(act, &held, &self.params).await
    }
}

/// A page of an application's rights.
pub async fn rights(act: &mut Act<'_, Tx>, held: &Held, params: &RightParams) -> Result<Page<GrantView>, Problem> {
    let state = params.state.as_deref().map(str::parse::<GrantState>).transpose().map_err(|_| {
        let message = "write `requested`, `granted`, `rejected`, `withdrawn`, `expired` or `ungranted`";
        Problem::new(Code::InvalidParameter, format!("state: {message}")).with("state", message)
    })?;
    let place = match &params.context {
        Some(text) => {
            let context =
                place::of_field(act, held.allowed.org.id, "context", Some(text)).await.map_err(as_parameter)?;
            Some(context.map(|context| context.id))
        }
        None => None,
    };
    let page = PageRequest { limit: params.limit, cursor: params.cursor.clone() };
    let ask = page.ask()?;
    let grants = db::grants::of_token(act.tx(), held.install.token).await.map_err(internal)?;
    let rows: Vec<_> = grants
        .into_iter()
        .filter(|grant| state.is_none_or(|state| grant.state == state))
        .filter(|grant| place.is_none_or(|place| grant.context == place))
        .filter(|grant| ask.after.as_ref().is_none_or(|after| grant.id.to_string() > *after))
        .take(usize::try_from(ask.limit).unwrap_or(usize::MAX))
        .collect();
    let rows = page.page(rows, |row| row.id.to_string(), |row| row)?;
    let (app, mut items, mut names) = (act.app, Vec::with_capacity(rows.items.len()), Names::default());
    for grant in &rows.items {
        items.push(names.grant(app, act.tx(), grant).await.map_err(internal)?);
    }
    Ok(Page { items, next_cursor: rows.next_cursor })
}
