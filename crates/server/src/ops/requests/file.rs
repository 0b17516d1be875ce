//! Filing what has to be decided: one request for each organization, one line for each permission in a place.

use super::told;
use crate::db::grants::StoredGrant;
use crate::db::requests::Request;
use crate::db::tokens::Token;
use crate::db::{self, DbError, WriteTx};
use crate::ops::Act;
use crate::ops::act::internal;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Duration;
use tegata_core::credential::GrantState;
use tegata_core::ids::{OrgId, RequestId, UserId};
use tegata_core::policy::KindPolicies;
use tegata_core::problem::Problem;
use tegata_core::request::RequestState;

/// Stores the grants of a token; those that wait become lines of requests of a person, whose ids are told.
pub async fn grants(
    act: &mut Act<'_, WriteTx>,
    token: &Token,
    requester: UserId,
    reason: &str,
    grants: Vec<StoredGrant>,
) -> Result<Vec<String>, Problem> {
    let mut filed: BTreeMap<OrgId, (Request, i64)> = BTreeMap::new();
    let waits = waits(act, token, &grants).await.map_err(internal)?;
    for mut grant in grants {
        if grant.state == GrantState::Requested {
            let (request, line) = match filed.entry(grant.org) {
                Entry::Occupied(occupied) => occupied.into_mut(),
                Entry::Vacant(vacant) => {
                    let waits = waits.get(&grant.org).copied().unwrap_or_default();
                    let request = file(act, token, (requester, reason), (grant.org, waits)).await?;
                    vacant.insert((request, 0))
                }
            };
            *line += 1;
            grant.line = Some((request.id, *line));
        }
        db::grants::insert(&mut act.tx, &grant).await.map_err(internal)?;
    }
    for (request, lines) in filed.values() {
        told::filed(act, request, token, *lines).await.map_err(internal)?;
    }
    Ok(filed.values().map(|(request, _)| request.id.to_string()).collect())
}

/// How long requests wait in each organization: the shortest that the places say in which something is asked for.
async fn waits(
    act: &mut Act<'_, WriteTx>,
    token: &Token,
    grants: &[StoredGrant],
) -> Result<BTreeMap<OrgId, Duration>, DbError> {
    let mut all = BTreeMap::new();
    let mut known: BTreeMap<OrgId, KindPolicies> = BTreeMap::new();
    for grant in grants.iter().filter(|grant| grant.state == GrantState::Requested) {
        let policies = match known.entry(grant.org) {
            Entry::Occupied(occupied) => occupied.into_mut(),
            Entry::Vacant(vacant) => {
                vacant.insert(db::policies::with_contexts(&mut act.tx, grant.org, token.kind).await?)
            }
        };
        let chain = match grant.context.filter(|_| !policies.contexts().is_empty()) {
            Some(context) => db::contexts::chain(&mut act.tx, grant.org, context).await?,
            None => Vec::new(),
        };
        let here = policies.counting_in(&chain).request_lifetime;
        let shortest = all.entry(grant.org).or_insert(here);
        *shortest = here.min(*shortest);
    }
    Ok(all)
}

async fn file(
    act: &mut Act<'_, WriteTx>,
    token: &Token,
    (requester, reason): (UserId, &str),
    (org, waits): (OrgId, Duration),
) -> Result<Request, Problem> {
    let request = Request {
        id: act.id(RequestId::new),
        org,
        token: token.id,
        requester,
        reason: reason.to_owned(),
        state: RequestState::Open,
        created_at: act.now,
        // What ends with its credential need not be decided after it.
        expires_at: act.now.plus(waits).min(token.expires_at),
        closed_at: None,
    };
    db::requests::insert(&mut act.tx, &request).await.map_err(internal)?;
    Ok(request)
}
