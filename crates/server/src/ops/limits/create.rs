//! Limit the calls in an organization, or in every one.

use super::Whose;
use super::view::LimitView;
use crate::db::feed::Topic;
use crate::db::limits::Limit;
use crate::db::{self, DbError, PageAsk, WriteTx};
use crate::ops::act::internal;
use crate::ops::{Act, Change, Changes, Mutation};
use crate::verify::limits::{EVERYWHERE_MAX, OWN_MAX};
use serde::Deserialize;
use serde_json::json;
use std::marker::PhantomData;
use tegata_core::ids::{LimitId, OrgId};
use tegata_core::limit::{Covers, Per};
use tegata_core::name;
use tegata_core::operations::Operation;
use tegata_core::permissions::OWN_API;
use tegata_core::problem::{Code, Problem};
use utoipa::ToSchema;

/// The limit.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LimitCreate)]
pub struct Body {
    /// Its name, which callers are told: lower-case letters, digits, `.`, `_` and `-`.
    pub name: String,
    /// How many calls, from 1 to 1,000,000,000, and at most 1,000,000 for each second of the window.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    pub quota: u64,
    /// In how many seconds, from 1 to 2,678,400, which is 31 days.
    #[schema(minimum = 1, maximum = 2_678_400)]
    pub window_seconds: u64,
    /// For whom calls are counted: each `credential`, each `principal`, or the `organization` as a whole.
    pub per: String,
    /// The key or id of the API whose calls are counted; every API if left out.
    pub api: Option<String>,
    /// The class of endpoints whose calls are counted; every call if left out.
    pub class: Option<String>,
    /// Why, for the activity.
    pub reason: Option<String>,
}

/// Limit calls.
#[derive(Debug, Clone)]
pub struct CreateLimit<W> {
    org: String,
    body: Body,
    whose: PhantomData<W>,
}

impl<W> CreateLimit<W> {
    /// In an organization; its name is not looked at where the limit is for every one.
    pub const fn new(org: String, body: Body) -> Self {
        Self { org, body, whose: PhantomData }
    }
}

impl<W: Whose> Mutation for CreateLimit<W> {
    const OPERATION: &'static Operation = W::CREATE;
    type Output = LimitView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(LimitView, Changes), Problem> {
        let body = &self.body;
        let (allowed, owner) = super::require(act, W::CREATE, &self.org).await?;
        check_name(&body.name)?;
        let rate = super::rate(body.quota, body.window_seconds)?;
        let per: Per =
            body.per.parse().map_err(|_| Problem::field("per", "write `credential`, `principal` or `organization`"))?;
        let covers = covers(act, owner, body).await?;
        if let Some(reason) = &body.reason {
            name::check_reason(reason).map_err(|error| Problem::field("reason", error))?;
        }
        let most = if owner.is_none() { EVERYWHERE_MAX } else { OWN_MAX };
        let page = PageAsk { after: None, limit: i64::try_from(EVERYWHERE_MAX + OWN_MAX).unwrap_or(i64::MAX) };
        let there = db::limits::list(act.tx(), owner, &page).await.map_err(internal)?;
        if there.iter().filter(|limit| limit.org == owner).count() >= most {
            let detail = format!("there are {most} limits, which is the most; delete one that is not needed");
            return Err(Problem::new(Code::Conflict, detail));
        }
        let limit = Limit {
            id: act.id(LimitId::new),
            org: owner,
            name: body.name.clone(),
            rate,
            per,
            covers,
            version: 1,
            created_at: act.now,
            updated_at: act.now,
        };
        db::limits::insert(&mut act.tx, &limit).await.map_err(duplicate)?;
        let app = act.app;
        let view = LimitView::of(app, act.tx(), &limit).await.map_err(internal)?;
        let change = Change::new(allowed.org.id, limit.id).after(json!(view)).because(body.reason.as_deref()).feed(
            Topic::Limit,
            owner,
            limit.id,
        );
        Ok((view, change.into()))
    }
}

/// A name that can stand in headers and URLs.
pub(super) fn check_name(name: &str) -> Result<(), Problem> {
    name::check_key(name).map_err(|error| Problem::field("name", error))
}

/// What is told where the name is taken.
pub(super) fn duplicate(error: DbError) -> Problem {
    match error {
        DbError::Duplicate => {
            let message = "there is a limit of this name; change that one, or choose another name";
            Problem::new(Code::Duplicate, message).with("name", message)
        }
        other => internal(other),
    }
}

/// Which calls are counted.
async fn covers(act: &mut Act<'_, WriteTx>, owner: Option<OrgId>, body: &Body) -> Result<Covers, Problem> {
    if let Some(class) = &body.class {
        name::check_class(class).map_err(|error| Problem::field("class", error))?;
    }
    let class = body.class.as_deref().map(Box::from);
    let Some(key) = &body.api else { return Ok(Covers { api: None, class }) };
    let app = act.app;
    let loaded = app.catalogues.of(act.tx(), key).await.map_err(internal)?;
    let used = match owner {
        Some(org) => {
            let apis = db::orgs::apis(act.tx(), org).await.map_err(internal)?;
            loaded.filter(|loaded| loaded.key == OWN_API || apis.iter().any(|(api, _)| *api == loaded.id))
        }
        None => loaded,
    };
    let nobody = if owner.is_some() { "this organization uses no such API" } else { "there is no such API" };
    let loaded = used.ok_or_else(|| Problem::field("api", nobody))?;
    let known =
        |class: &str| loaded.catalogue.endpoints().iter().any(|endpoint| endpoint.class.as_deref() == Some(class));
    if body.class.as_deref().is_some_and(|class| !known(class)) {
        let message =
            format!("no endpoint of the API `{}` has this class; its catalogue says which there are", loaded.key);
        return Err(Problem::field("class", message));
    }
    Ok(Covers { api: Some(loaded.id), class })
}
