//! Ask for what a denial said was missing: for the same credential, which goes on with its secret once it is granted.
//! Whoever shows that credential files the descriptor, or its owner in person. Repeats are the same request.

use super::file;
use super::look::token;
use super::sight::Sight;
use super::view::RequestView;
use crate::authn::descriptor::Descriptor;
use crate::db::feed::Topic;
use crate::db::grants::StoredGrant;
use crate::db::requests::Request;
use crate::db::tokens::Token;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::requests::LINES_MAX;
use crate::ops::rights;
use crate::ops::tokens::broken::Broken;
use crate::ops::tokens::create::world::World;
use crate::ops::tokens::revoke::told_reason;
use crate::ops::tokens::show::Names;
use crate::ops::tokens::view::GrantView;
use crate::ops::{Act, Change, Changes, Mutation};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tegata_core::authority::Authority;
use tegata_core::catalogue::PermissionInfo;
use tegata_core::credential::{CredentialKind, CredentialState, GrantState, PartState};
use tegata_core::decide::Grants;
use tegata_core::ids::{ContextId, GrantId, UserId};
use tegata_core::operations::{self, Operation};
use tegata_core::owner::Owner;
use tegata_core::policy::Admission;
use tegata_core::problem::{Code, Problem};
use tegata_core::request::answers_for;
use utoipa::ToSchema;

/// Most requests of one credential that are open at a time.
const OPEN_MAX: usize = 20;

/// What to ask for.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RequestFile)]
pub struct Body {
    /// The `request` of a denial, as it was given.
    pub request: String,
    /// What for; whoever answers for the place reads it.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Ask for what was missing.
#[derive(Debug, Clone)]
pub struct FileRequest {
    /// What.
    pub body: Body,
}

/// What became of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = RequestFiled)]
pub struct Filed {
    /// `requested`, or `granted` where nobody else's word is needed.
    pub state: String,
    /// The request; absent where everything was granted at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestView>,
    /// What was granted at once.
    pub granted: Vec<GrantView>,
}

/// One thing that is lacking.
struct Lacking<'w> {
    known: &'w PermissionInfo,
    context: Option<ContextId>,
    chain: Vec<ContextId>,
}

impl Mutation for FileRequest {
    const OPERATION: &'static Operation = operations::REQUEST_FILE;
    type Output = Filed;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Filed, Changes), Problem> {
        told_reason(self.body.reason.as_deref())?;
        let read = Descriptor::read(&act.app.hasher, &self.body.request, act.now);
        let asked = read.map_err(|error| Problem::field("request", error))?;
        let who = bearer(act, &asked).await?;
        file(act, &asked, who, self.body.reason.as_deref()).await
    }
}

/// Files what a descriptor says, for the credential and the person that [`bearer`] found.
pub async fn file(
    act: &mut Act<'_, WriteTx>,
    asked: &Descriptor,
    (token, owner): (Token, UserId),
    reason: Option<&str>,
) -> Result<(Filed, Changes), Problem> {
    let open = db::requests::open_of_token(act.tx(), token.id).await.map_err(internal)?;
    let open: Vec<Request> = open.into_iter().filter(|request| request.org == asked.org).collect();
    let world = World::read(act, token.kind, asked.org).await?;
    let api = world.apis.iter().find(|api| api.id == asked.api).cloned();
    let api = api.ok_or_else(|| Problem::new(Code::Conflict, "the organization no longer uses this API"))?;
    let lacking = lacking(act, &world, &api.catalogue, asked, &token, owner).await?;

    let name = |lacking: &Lacking<'_>| lacking.known.name.clone();
    if let Some(request) = same(act, &open, asked, &lacking).await? {
        let view = own_view(act, &request).await?;
        return Ok((
            Filed { state: "requested".to_owned(), request: Some(view), granted: Vec::new() },
            Changes { list: Vec::new() },
        ));
    }
    if open.len() >= OPEN_MAX {
        let detail =
            format!("{OPEN_MAX} requests for this credential wait already; withdraw one, or let them be decided");
        return Err(Problem::new(Code::Conflict, detail));
    }
    let there = db::grants::of_token(act.tx(), token.id).await.map_err(internal)?;
    if there.iter().filter(|grant| grant.state.counts()).count() + lacking.len() > LINES_MAX {
        return Err(Problem::new(
            Code::Conflict,
            format!("a credential has at most {LINES_MAX} scopes; make another one"),
        ));
    }
    let in_person = act.actor.token.is_none();
    let sight = Sight::of(act, asked.org).await?;
    let mut grants = Vec::with_capacity(lacking.len());
    for one in &lacking {
        let (has, answers) = sight.rights().with_authority(|authority| {
            let set = &one.known.with_implied;
            let answers = answers_for(authority, sight.approving(), &one.chain);
            (authority.covers_all(asked.api, set, &one.chain).is_ok(), answers)
        });
        // What is a person's own credential's was looked at: they have it.
        let has = has || token.owner.user().is_some();
        let policy = world.policies.counting_in(&one.chain);
        let theirs = in_person && !policy.four_eyes && answers && has;
        let (state, self_granted) = match policy.admission {
            Admission::Allow if has => (GrantState::Granted, false),
            Admission::Approval if theirs => (GrantState::Granted, true),
            Admission::Allow | Admission::Approval | Admission::Deny => (GrantState::Requested, false),
        };
        grants.push(StoredGrant {
            id: act.id(GrantId::new),
            org: asked.org,
            token: token.id,
            api: asked.api,
            context: one.context,
            permissions: vec![name(one)],
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
    let filed = file::grants(act, &token, owner, reason.unwrap_or_default(), grants.clone()).await?;
    let app = act.app;
    let mut granted = Vec::new();
    for grant in grants.iter().filter(|grant| grant.state == GrantState::Granted) {
        granted.push(Names::default().grant(app, act.tx(), grant).await.map_err(internal)?);
    }
    let request = match filed.first().and_then(|id| id.parse().ok()) {
        Some(id) => {
            let request = db::requests::get(act.tx(), asked.org, id).await.map_err(internal)?;
            Some(own_view(act, &request.ok_or_else(Problem::internal)?).await?)
        }
        None => None,
    };
    let state = if request.is_some() { "requested" } else { "granted" };
    let after = json!({"credential": token.id.to_string(), "state": state, "permissions": lacking.iter().map(name).collect::<Vec<_>>()});
    let subject = filed.first().cloned().unwrap_or_else(|| token.id.to_string());
    let change = Change::new(asked.org, subject).after(after).because(reason);
    let filed = Filed { state: state.to_owned(), request, granted };
    Ok((filed, change.feed(Topic::Token, None, token.id).into()))
}

/// The credential of a descriptor, provided that it acts itself, or that its owner does in person; and who asks. What an
/// application's token lacks is asked for the application.
pub async fn bearer(act: &mut Act<'_, WriteTx>, asked: &Descriptor) -> Result<(Token, UserId), Problem> {
    let anothers = || {
        let detail = "this descriptor is another credential's: only that one files it, or its owner in person";
        Problem::new(Code::Forbidden, detail)
    };
    let shown = db::tokens::get(act.tx(), asked.token).await.map_err(internal)?.ok_or_else(anothers)?;
    let (token, owner) = match (shown.owner, shown.kind) {
        (Owner::User(owner), CredentialKind::PersonalToken) => (shown.clone(), owner),
        (Owner::Application(id), _) => {
            let found = db::applications::find(act.tx(), asked.org, &id.to_string()).await.map_err(internal)?;
            let (_, install) = found.ok_or_else(anothers)?;
            let holder = db::tokens::get(act.tx(), install.token).await.map_err(internal)?;
            (holder.ok_or_else(anothers)?, install.owner)
        }
        _ => return Err(anothers()),
    };
    let theirs = match act.actor.token {
        Some(acting) => acting == shown.id,
        None => owner == act.actor.user.id,
    };
    if !theirs {
        return Err(anothers());
    }
    for token in [&shown, &token] {
        let part = db::tokens::part(act.tx(), asked.org, token.id).await.map_err(internal)?;
        let alive = token.state == CredentialState::Active && act.now < token.expires_at;
        if !alive || part.is_none_or(|part| part.state != PartState::Active) {
            return Err(Problem::new(Code::Conflict, "this credential is stopped there, or has expired"));
        }
    }
    Ok((token, owner))
}

/// What is lacking still, looked up; and whether the owner has it, since nobody is given what they could not use.
async fn lacking<'w>(
    act: &mut Act<'_, WriteTx>,
    world: &World,
    catalogue: &'w tegata_core::catalogue::Catalogue,
    asked: &Descriptor,
    token: &Token,
    owner: UserId,
) -> Result<Vec<Lacking<'w>>, Problem> {
    let app = act.app;
    if world.policy().admission == Admission::Deny {
        let detail = format!("the policy of {} admits no credentials of this kind", world.org.key);
        return Err(Problem::new(Code::Forbidden, detail).with("reason", "policy_denied"));
    }
    let member = db::members::get(act.tx(), asked.org, owner).await.map_err(internal)?;
    if !member.is_some_and(|member| member.active && member.account_active) {
        return Err(
            Problem::new(Code::Forbidden, "the owner is no active member there").with("reason", "owner_inactive")
        );
    }
    let held = rights::of_user(app, act.tx(), asked.org, owner).await.map_err(internal)?;
    let granted = db::grants::of_token(act.tx(), token.id).await.map_err(internal)?;
    let (mut list, mut broken) = (Vec::new(), Broken::default());
    for (number, context) in &asked.needs {
        let gone = "the catalogue no longer has what was missing";
        let known = catalogue.permission(*number).ok_or_else(|| Problem::new(Code::Conflict, gone))?;
        let (kind, chain) = match context {
            None => (None, Vec::new()),
            Some(id) => {
                let found = db::contexts::get(act.tx(), asked.org, *id).await.map_err(internal)?;
                let found = found.ok_or_else(|| Problem::new(Code::Conflict, "the place is no longer there"))?;
                (Some(found.kind), db::contexts::chain(act.tx(), asked.org, *id).await.map_err(internal)?)
            }
        };
        if !catalogue.grantable_in(kind.as_deref()).contains(known.number) {
            broken.note("request", format!("`{}` cannot be granted in this place", known.name));
        }
        if let Err(why) = world.admits_asking(asked.api, known, &chain) {
            broken.note("request", why);
        }
        let rights = rights::rights_of(&held);
        let authority = Authority { rights: &rights, grants: Grants::Whole };
        // What an application may do is not bounded by whoever answers for it.
        let bounded = token.owner.user().is_some();
        if bounded && authority.covers_all(asked.api, &known.with_implied, &chain).is_err() {
            let detail = format!("the owner does not have `{}` there, so a grant of it would not help", known.name);
            return Err(Problem::new(Code::BeyondOwnRights, detail).with("request", "owner_lacks_permission"));
        }
        let is_there = granted.iter().any(|grant| {
            let names = grant.permissions.iter().filter_map(|name| catalogue.number(name)).collect();
            grant.org == asked.org
                && grant.api == asked.api
                && grant.state == GrantState::Granted
                && grant.until.is_none()
                && grant.access_policy.is_none()
                && grant.context.is_none_or(|place| chain.contains(&place))
                && catalogue.with_implied(&names).contains(known.number)
        });
        if !is_there {
            list.push(Lacking { known, context: *context, chain });
        }
    }
    broken.told(Code::Invalid)?;
    if list.is_empty() {
        return Err(Problem::new(Code::Conflict, "all of it has been granted meanwhile: make the call again"));
    }
    Ok(list)
}

/// An open request that asks for all of it already.
async fn same(
    act: &mut Act<'_, WriteTx>,
    open: &[Request],
    asked: &Descriptor,
    lacking: &[Lacking<'_>],
) -> Result<Option<Request>, Problem> {
    for request in open.iter().filter(|request| act.now < request.expires_at) {
        let lines = db::grants::of_request(&mut act.tx, request.org, request.id).await.map_err(internal)?;
        let has = |one: &Lacking<'_>| {
            lines.iter().any(|line| {
                line.state == GrantState::Requested
                    && line.api == asked.api
                    && line.context == one.context
                    && line.permissions.first() == Some(&one.known.name)
            })
        };
        if lacking.iter().all(has) {
            return Ok(Some(request.clone()));
        }
    }
    Ok(None)
}

async fn own_view(act: &mut Act<'_, WriteTx>, request: &Request) -> Result<RequestView, Problem> {
    let mut sight = Sight::of(act, request.org).await?;
    // Whoever files it learns what becomes of it, and nothing of the organization's people.
    let lines = db::grants::of_request(act.tx(), request.org, request.id).await.map_err(internal)?;
    let token = token(act, request).await.map_err(internal)?;
    sight.view(act, request, &token, &lines, false).await.map_err(internal)
}
