//! List or find members, and show one.

use super::view;
use crate::db::scim::Person;
use crate::db::{self, Tx};
use crate::ops::act::internal;
use crate::ops::scim::listing::{Listing, Page};
use crate::ops::{Act, Query};
use crate::scim::filter::Filter;
use crate::scim::projection::Asked;
use crate::scim::{Resource, schema};
use serde_json::Value;
use tegata_core::ids::OrgId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// Members that are looked at at once.
const BATCH: i64 = 500;

/// List or find members.
#[derive(Debug)]
pub struct ListUsers {
    /// The organization.
    pub org: String,
    /// Which.
    pub listing: Listing,
}

/// The same, asked in a body.
#[derive(Debug)]
pub struct SearchUsers(pub ListUsers);

/// Show a member.
#[derive(Debug)]
pub struct ShowUser {
    /// The organization.
    pub org: String,
    /// The id of the person.
    pub user: String,
    /// Which attributes.
    pub asked: Asked,
}

impl Query for ListUsers {
    const OPERATION: &'static Operation = operations::SCIM_USER_LIST;
    type Output = Value;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Value, Problem> {
        listed(act, Self::OPERATION, self).await
    }
}

impl Query for SearchUsers {
    const OPERATION: &'static Operation = operations::SCIM_USER_SEARCH;
    type Output = Value;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Value, Problem> {
        listed(act, Self::OPERATION, &self.0).await
    }
}

impl Query for ShowUser {
    const OPERATION: &'static Operation = operations::SCIM_USER_SHOW;
    type Output = Value;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Value, Problem> {
        let (allowed, base) = crate::ops::scim::allowed(act, Self::OPERATION, &self.org).await?;
        let person = super::find(&mut act.tx, allowed.org.id, &self.user).await?;
        let mut shown = view::shown(&mut act.tx, allowed.org.id, &person, &base).await.map_err(internal)?;
        self.asked.project(Resource::User, &mut shown);
        Ok(shown)
    }
}

async fn listed(act: &mut Act<'_, Tx>, operation: &'static Operation, ask: &ListUsers) -> Result<Value, Problem> {
    let (allowed, base) = crate::ops::scim::allowed(act, operation, &ask.org).await?;
    let filter = ask.listing.read(Resource::User)?;
    let page = find(act, allowed.org.id, &base, &ask.listing, filter.as_ref()).await?;
    Ok(schema::list(page.total, ask.listing.skip + 1, &page.items))
}

/// Finds members: by what leads to few of them, where the filter says so, and otherwise by looking at all, some at a time.
pub async fn find(
    act: &mut Act<'_, Tx>,
    org: OrgId,
    base: &str,
    listing: &Listing,
    filter: Option<&Filter>,
) -> Result<Page<Value>, Problem> {
    let tx = &mut act.tx;
    let mut page = Page::new(listing.skip, listing.take);
    let Some(filter) = filter else {
        let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        page.total = usize::try_from(db::scim::count_people(tx, org).await.map_err(internal)?).unwrap_or(0);
        let people =
            db::scim::people_at(tx, org, number(listing.skip), number(listing.take)).await.map_err(internal)?;
        page.items = rendered(tx, org, base, listing, &people).await?;
        return Ok(page);
    };
    let mut found = Page::new(listing.skip, listing.take);
    let mut look = |people: Vec<Person>| {
        for person in people {
            if filter.fits_resource(Resource::User, &view::plain(&person, base)) {
                found.add(person);
            }
        }
    };
    if let Some(name) = filter.must_equal("userName") {
        look(db::scim::by_user_name(tx, org, name).await.map_err(internal)?);
    } else if let Some(external_id) = filter.must_equal("externalId") {
        look(db::scim::by_external_id(tx, org, external_id).await.map_err(internal)?);
    } else if let Some(id) = filter.must_equal("id") {
        if let Ok(user) = id.parse() {
            look(db::scim::person(tx, org, user).await.map_err(internal)?.into_iter().collect());
        }
    } else {
        let mut after = None;
        loop {
            let people = db::scim::people(tx, org, after, BATCH).await.map_err(internal)?;
            let Some(last) = people.last() else { break };
            after = Some(last.user);
            look(people);
        }
    }
    page.total = found.total;
    page.items = rendered(tx, org, base, listing, &found.items).await?;
    Ok(page)
}

async fn rendered(
    tx: &mut Tx,
    org: OrgId,
    base: &str,
    listing: &Listing,
    people: &[Person],
) -> Result<Vec<Value>, Problem> {
    let mut items = Vec::with_capacity(people.len());
    for person in people {
        let mut shown = view::shown(tx, org, person, base).await.map_err(internal)?;
        listing.asked.project(Resource::User, &mut shown);
        items.push(shown);
    }
    Ok(items)
}
