//! Filing what an application asks for: granted at once where whoever asks answers for the place and has it themself,
//! and otherwise a line for whoever does.

use super::view::AskedView;
use crate::catalogues::Loaded;
use crate::db::applications::Install;
use crate::db::grants::StoredGrant;
use crate::db::{self, WriteTx};
use crate::ops::Act;
use crate::ops::act::internal;
use crate::ops::requests::{LINES_MAX, file};
use crate::ops::tokens::create::world::World;
use crate::ops::tokens::show::Names;
use std::sync::Arc;
use tegata_core::bits::PermissionNumber;
use tegata_core::credential::GrantState;
use tegata_core::ids::{ContextId, GrantId, UserId};
use tegata_core::permissions::OWN_API;
use tegata_core::policy::Admission;
use tegata_core::problem::{Code, Problem};

/// One permission in one place.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The API.
    pub api: Arc<Loaded>,
    /// The place; none for the whole organization.
    pub context: Option<ContextId>,
    /// The ids of the place and of those above it, innermost first.
    pub chain: Vec<ContextId>,
    /// The permission.
    pub permission: PermissionNumber,
}

/// Files it. What the application has already, or asks for already, is left as it is.
pub async fn file(
    act: &mut Act<'_, WriteTx>,
    install: &Install,
    world: &World,
    wanted: Vec<Wanted>,
    (requester, reason): (UserId, &str),
) -> Result<AskedView, Problem> {
    let app = act.app;
    if world.policy().admission == Admission::Deny {
        let detail = format!("the policy of {} admits no credential of the kind application_token", world.org.key);
        return Err(Problem::new(Code::Forbidden, detail).with("reason", "policy_denied"));
    }
    let own = app.catalogues.of(act.tx(), OWN_API).await.map_err(internal)?;
    let approving = own.as_ref().and_then(|own| Some((own.id, own.catalogue.number("tokens:approve")?)));
    let token = db::tokens::get(act.tx(), install.token).await.map_err(internal)?.ok_or_else(Problem::internal)?;
    let there = db::grants::of_token(act.tx(), token.id).await.map_err(internal)?;
    // No credential decides a request: with a token, everything waits that needs a word.
    let in_person = act.actor.token.is_none();
    let (mut grants, mut unchanged) = (Vec::<StoredGrant>::new(), 0);
    for wish in wanted {
        let Some(known) = wish.api.catalogue.permission(wish.permission) else { continue };
        let is_it = |grant: &StoredGrant| {
            grant.api == wish.api.id && grant.context == wish.context && grant.permissions.contains(&known.name)
        };
        let has_it = |grant: &&StoredGrant| {
            let lasts = grant.until.is_none() && grant.access_policy.is_none();
            is_it(grant) && (grant.state == GrantState::Requested || grant.state == GrantState::Granted && lasts)
        };
        if there.iter().chain(&grants).any(|grant| has_it(&grant)) {
            unchanged += 1;
            continue;
        }
        let (has, answers) = world.rights.with_authority(|actor| {
            let answers = approving.is_some_and(|(api, number)| actor.covers(api, number, &wish.chain));
            (actor.covers_all(wish.api.id, &known.with_implied, &wish.chain).is_ok(), answers)
        });
        let has = has && world.rights.owner_active;
        let policy = world.policies.counting_in(&wish.chain);
        let (state, self_granted) = match policy.admission {
            Admission::Allow if has => (GrantState::Granted, false),
            Admission::Approval if has && answers && in_person && !policy.four_eyes => (GrantState::Granted, true),
            Admission::Allow | Admission::Approval | Admission::Deny => (GrantState::Requested, false),
        };
        grants.push(StoredGrant {
            id: act.id(GrantId::new),
            org: install.org,
            token: token.id,
            api: wish.api.id,
            context: wish.context,
            permissions: vec![known.name.clone()],
            state,
            self_granted,
            created_at: act.now,
            line: None,
            asked: None,
            until: None,
            access_policy: None,
            decided: None,
        });
    }
    if there.iter().filter(|grant| grant.state.counts()).count() + grants.len() > LINES_MAX {
        let detail =
            format!("an application has at most {LINES_MAX} rights in an organization, what it asks for included");
        return Err(Problem::new(Code::Conflict, detail));
    }
    let ids: Vec<GrantId> = grants.iter().map(|grant| grant.id).collect();
    let requests = file::grants(act, &token, requester, reason, grants).await?;
    let (mut rights, mut names) = (Vec::with_capacity(ids.len()), Names::default());
    for grant in db::grants::of_token(act.tx(), token.id).await.map_err(internal)? {
        if ids.contains(&grant.id) {
            rights.push(names.grant(app, act.tx(), &grant).await.map_err(internal)?);
        }
    }
    Ok(AskedView { requests, rights, unchanged })
}
