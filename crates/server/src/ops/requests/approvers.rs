//! Who is asked to decide: everybody who answers for the place itself, by a role given to them or to one of their teams;
//! where nobody active does, those of the next place up.

use crate::app::App;
use crate::db::assignments::Principal;
use crate::db::members::Member;
use crate::db::{self, DbError, Tx};
use crate::ops::rights::{self, RoleContent};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use tegata_core::bits::PermissionNumber;
use tegata_core::ids::{ApiId, ContextId, OrgId, RoleId, UserId};

/// Who answers for a place.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The place whose administrators are asked; none for the whole organization.
    pub context: Option<ContextId>,
    /// Whether it is not the place itself.
    pub escalated: bool,
    /// They, by id.
    pub people: Vec<Member>,
}

/// Finds who is asked about the place whose ids, innermost first, are `chain`. Nobody is asked about a request that is
/// `theirs`, as long as anybody else can be.
pub async fn of_place(
    app: &App,
    tx: &mut Tx,
    approving: (ApiId, PermissionNumber),
    org: OrgId,
    chain: &[ContextId],
    theirs: &BTreeSet<UserId>,
) -> Result<Asked, DbError> {
    let mut own = None;
    for context in chain.iter().copied().map(Some).chain([None]) {
        let mut people = at(app, tx, approving, org, context).await?;
        let escalated = context != chain.first().copied();
        if people.is_empty() {
            continue;
        }
        let by_others = people.keys().any(|person| !theirs.contains(person));
        people.retain(|person, _| !(by_others && theirs.contains(person)));
        let asked = Asked { context, escalated, people: people.into_values().collect() };
        if !by_others {
            // They alone answer for it. Somebody further up may look, too.
            own.get_or_insert(asked);
            continue;
        }
        return Ok(asked);
    }
    Ok(own.unwrap_or(Asked { context: None, escalated: !chain.is_empty(), people: Vec::new() }))
}

/// The active members who have the right by a role in this very place.
async fn at(
    app: &App,
    tx: &mut Tx,
    (own, approve): (ApiId, PermissionNumber),
    org: OrgId,
    context: Option<ContextId>,
) -> Result<BTreeMap<UserId, Member>, DbError> {
    let mut answering: HashMap<RoleId, bool> = HashMap::new();
    let mut people = BTreeMap::new();
    for assignment in db::assignments::at(tx, org, context).await? {
        let answers = match answering.get(&assignment.role) {
            Some(known) => *known,
            None => match rights::content_of_role(app, tx, org, assignment.role).await? {
                RoleContent::Everything => true,
                RoleContent::Listed(list) => list.iter().any(|(api, set)| *api == own && set.contains(approve)),
            },
        };
        answering.insert(assignment.role, answers);
        if !answers {
            continue;
        }
        let members = match assignment.principal {
            Principal::User(user) => db::members::get(tx, org, user).await?.into_iter().collect(),
            Principal::Team(team) => db::members::of_team(tx, org, team).await?,
            // No person acts as one, so nobody is asked.
            Principal::ServiceAccount(_) => Vec::new(),
        };
        let active = members.into_iter().filter(|member| member.active && member.account_active);
        people.extend(active.map(|member| (member.user, member)));
    }
    Ok(people)
}
