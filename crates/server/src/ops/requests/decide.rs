//! Decide lines of a request: grant them, wholly or narrowed, or reject them. What is granted works from the next check
//! on, with the credential as it is.

mod narrow;

use super::close::close_if_settled;
use super::look::{seen, token};
use super::sight::Sight;
use super::told;
use super::view::RequestView;
use crate::db::feed::Topic;
use crate::db::grants::{Decided, StoredGrant};
use crate::db::requests::Request;
use crate::db::tokens::Token;
use crate::db::{self, DbError, WriteTx};
use crate::ops::act::internal;
use crate::ops::tokens::broken::Broken;
use crate::ops::tokens::create::world::World;
use crate::ops::{Act, Change, Changes, Mutation};
use narrow::{Terms, narrowed, terms};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tegata_core::bits::PermissionSet;
use tegata_core::credential::{CredentialState, GrantState, PartState};
use tegata_core::ids::{ContextId, RequestId};
use tegata_core::name;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use tegata_core::request::{self, Decider, Line, Narrowed, Refused, Relation, Verdict};
use utoipa::ToSchema;

/// What is decided: of single lines, or of everything that waits in places that one answers for.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = RequestDecide)]
pub struct Body {
    /// Decisions line by line.
    pub lines: Vec<LineBody>,
    /// Grant whatever waits in places that one answers for.
    pub approve_all: bool,
    /// Reject whatever waits in places that one answers for.
    pub reject_all: bool,
    /// When what is granted ends by itself, unless a line says otherwise: RFC 3339.
    #[schema(format = "date-time")]
    pub until: Option<String>,
    /// Name or id of the access policy that bounds what is granted, unless a line says otherwise.
    pub access_policy: Option<String>,
    /// What the requester is told, unless a line says otherwise.
    pub comment: Option<String>,
}

/// What is decided of one line.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RequestDecideLine)]
pub struct LineBody {
    /// Its number.
    pub line: i64,
    /// What is decided.
    pub decision: Choice,
    /// A narrower scope than what was asked for: the same permission or one that it implies, in the same place or below.
    #[serde(default)]
    pub scope: Option<String>,
    /// When it ends by itself: RFC 3339.
    #[serde(default)]
    #[schema(format = "date-time")]
    pub until: Option<String>,
    /// Name or id of the access policy that bounds it.
    #[serde(default)]
    pub access_policy: Option<String>,
    /// What the requester is told.
    #[serde(default)]
    pub comment: Option<String>,
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RequestDecision)]
pub enum Choice {
    /// Granted.
    Grant,
    /// Rejected.
    Reject,
}

/// Decide lines of a request.
#[derive(Debug, Clone)]
pub struct DecideRequest {
    /// The organization.
    pub org: String,
    /// Which.
    pub request: RequestId,
    /// What is decided.
    pub body: Body,
}

/// One line to be decided.
struct Deciding {
    line: StoredGrant,
    number: i64,
    /// What the caller says of it, and where that stands in the body.
    said: LineBody,
    field: String,
}

impl Mutation for DecideRequest {
    const OPERATION: &'static Operation = operations::REQUEST_DECIDE;
    type Output = RequestView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(RequestView, Changes), Problem> {
        let org = act.visible_org(&self.org).await?;
        let mut sight = Sight::of(act, org.id).await?;
        let hidden = || Problem::not_found("request");
        let request = db::requests::get(act.tx(), org.id, self.request).await.map_err(internal)?.ok_or_else(hidden)?;
        let seen_lines = sight.lines(act, &request).await.map_err(internal)?;
        if seen_lines.is_empty() {
            return Err(hidden());
        }
        self.check()?;
        let place = sight.own_place(act, &seen_lines).await.map_err(internal)?;
        let chosen = self.chosen(act, &mut sight, &request, seen_lines).await?;
        for deciding in &chosen {
            act.require_in(Self::OPERATION, org.clone(), deciding.line.context).await?;
        }
        if chosen.is_empty() {
            // Whoever answers for nothing here learns that, and not what there is.
            act.require_in(Self::OPERATION, org, place).await?;
            let detail = "nothing of this request waits for a decision in a place that you answer for";
            return Err(Problem::new(Code::Conflict, detail));
        }
        if act.now >= request.expires_at {
            return Err(Problem::new(Code::Conflict, "this request has expired; it has to be made anew"));
        }
        let token = token(act, &request).await.map_err(internal)?;
        if chosen.iter().any(|deciding| deciding.said.decision == Choice::Grant) {
            require_alive(act, &request, &token).await?;
        }
        let changes = settle(act, &mut sight, &request, &token, chosen).await?;
        close_if_settled(&mut act.tx, &request, act.now).await.map_err(internal)?;
        let request = db::requests::get(act.tx(), org.id, request.id).await.map_err(internal)?.ok_or_else(hidden)?;
        told::decided(act, &request, &token, &changes, self.body.comment.as_deref()).await.map_err(internal)?;
        let view = seen(act, &mut sight, &request, true).await.map_err(internal)?.ok_or_else(hidden)?;
        let after = json!({"credential": token.id.to_string(), "state": request.state, "lines": changes});
        let change = Change::new(request.org, request.id).after(after).because(self.body.comment.as_deref());
        Ok((view, change.feed(Topic::Token, None, token.id).into()))
    }
}

impl DecideRequest {
    /// Whether the body says one thing.
    fn check(&self) -> Result<(), Problem> {
        let body = &self.body;
        let said = [!body.lines.is_empty(), body.approve_all, body.reject_all];
        if said.into_iter().filter(|said| *said).count() != 1 {
            return Err(Problem::field("lines", "say one of: `lines`, `approve_all`, `reject_all`"));
        }
        let mut broken = Broken::default();
        let comments = body.lines.iter().enumerate().map(|(at, line)| (format!("lines[{at}].comment"), &line.comment));
        for (field, comment) in comments.chain([("comment".to_owned(), &body.comment)]) {
            broken.take(field, name::check_reason(comment.as_deref().unwrap_or_default()));
        }
        for (at, line) in body.lines.iter().enumerate() {
            if body.lines[..at].iter().any(|other| other.line == line.line) {
                broken.note(format!("lines[{at}].line"), "this line is decided twice here");
            }
            let narrowing = line.scope.is_some() || line.until.is_some() || line.access_policy.is_some();
            if line.decision == Choice::Reject && narrowing {
                broken.note(format!("lines[{at}].decision"), "what is rejected has no scope, end or access policy");
            }
        }
        if body.reject_all && (body.until.is_some() || body.access_policy.is_some()) {
            broken.note("reject_all", "what is rejected has no end or access policy");
        }
        broken.told(Code::Invalid)
    }

    /// The lines that are to be decided: those that are named, or those that wait where the actor answers.
    async fn chosen(
        &self,
        act: &mut Act<'_, WriteTx>,
        sight: &mut Sight,
        request: &Request,
        lines: Vec<StoredGrant>,
    ) -> Result<Vec<Deciding>, Problem> {
        let body = &self.body;
        let mut chosen = Vec::new();
        if body.lines.is_empty() {
            let decision = if body.approve_all { Choice::Grant } else { Choice::Reject };
            for line in lines.into_iter().filter(|line| line.state == GrantState::Requested) {
                let chain = sight.chain(act, line.context).await.map_err(internal)?;
                if sight.answers_for(&chain) {
                    let number = line.line.map_or(0, |(_, number)| number);
                    let said = LineBody {
                        line: number,
                        decision,
                        scope: None,
                        until: None,
                        access_policy: None,
                        comment: None,
                    };
                    let field = if body.approve_all { "approve_all" } else { "reject_all" };
                    chosen.push(Deciding { line, number, said: self.with_defaults(said), field: field.to_owned() });
                }
            }
            return Ok(chosen);
        }
        let mut by_number: BTreeMap<i64, StoredGrant> =
            lines.into_iter().filter_map(|line| Some((line.line?.1, line))).collect();
        for (at, said) in body.lines.iter().enumerate() {
            let field = format!("lines[{at}]");
            let Some(line) = by_number.remove(&said.line) else {
                let message = format!("{} has no line {} that you can see", request.id, said.line);
                return Err(Problem::field(format!("{field}.line"), message));
            };
            chosen.push(Deciding { line, number: said.line, said: self.with_defaults(said.clone()), field });
        }
        Ok(chosen)
    }

    /// What is said for all of them counts where a line says nothing.
    fn with_defaults(&self, mut said: LineBody) -> LineBody {
        said.comment = said.comment.or_else(|| self.body.comment.clone());
        if said.decision == Choice::Grant {
            said.until = said.until.or_else(|| self.body.until.clone());
            said.access_policy = said.access_policy.or_else(|| self.body.access_policy.clone());
        }
        said
    }
}

/// Whether what is granted could be used: the credential lives, and so does its owner's membership.
async fn require_alive(act: &mut Act<'_, WriteTx>, request: &Request, token: &Token) -> Result<(), Problem> {
    let conflict = |why: &str| Err(Problem::new(Code::Conflict, why));
    let part = db::tokens::part(act.tx(), request.org, token.id).await.map_err(internal)?;
    let revoked = part.is_none_or(|part| part.state == PartState::Revoked);
    if token.state == CredentialState::Revoked || revoked {
        return conflict("the credential was revoked meanwhile, and revoked is final; reject the request");
    }
    if act.now >= token.expires_at {
        return conflict("the credential has expired meanwhile; reject the request");
    }
    if token.owner.user().is_none() {
        // Whoever asked for it need not be there any more: it is not theirs.
        return Ok(());
    }
    let member = db::members::get(act.tx(), request.org, request.requester).await.map_err(internal)?;
    if !member.is_some_and(|member| member.active && member.account_active) {
        return conflict("the requester is no active member any more; reject the request");
    }
    Ok(())
}

/// Decides each line by the rule, and stores it. Tells what became of them, for activity. All of them are decided, or none.
async fn settle(
    act: &mut Act<'_, WriteTx>,
    sight: &mut Sight,
    request: &Request,
    token: &Token,
    chosen: Vec<Deciding>,
) -> Result<Vec<Value>, Problem> {
    let world = World::read(act, token.kind, request.org).await?;
    let relation = sight.relation(act, request, token).await.map_err(internal)?;
    let (mut broken, mut refused, mut settled) = (Broken::default(), None, Vec::new());
    for deciding in &chosen {
        let terms = terms(act, &world, deciding, &mut broken).await?;
        let chain = sight.chain(act, deciding.line.context).await.map_err(internal)?;
        let outcome = decided(sight, &world, deciding, &chain, terms.as_ref(), relation);
        match outcome {
            Ok(next) => settled.push((deciding, next, terms)),
            Err(Outcome::Gone(why)) => broken.note(&deciding.field, why),
            Err(Outcome::NotAskable(why)) => {
                refused.get_or_insert(Refused::PolicyDenied);
                broken.note(&deciding.field, format!("line {}: {why}", deciding.number));
            }
            Err(Outcome::Refused(why)) => {
                refused.get_or_insert(why);
                broken.note(&deciding.field, format!("line {}: {why}", deciding.number));
            }
        }
    }
    broken.told(refused.map_or(Code::Invalid, code_of))?;
    let mut told = Vec::with_capacity(settled.len());
    for (deciding, next, terms) in settled {
        let line = decided_line(act, deciding, next, terms, relation);
        db::grants::settle(&mut act.tx, deciding.line.state, &line).await.map_err(|error| match error {
            DbError::Changed => Problem::new(Code::Conflict, "somebody decided this meanwhile: look again"),
            other => internal(other),
        })?;
        told.push(json!({
            "line": deciding.number, "state": line.state, "permissions": line.permissions, "asked": line.asked,
            "context": line.context.map(|context| context.to_string()), "until": line.until,
            "access_policy": line.access_policy.map(|policy| policy.to_string()), "self_granted": line.self_granted,
        }));
    }
    Ok(told)
}

/// What is told of a line whose permission is no longer there.
const GONE: &str =
    "the organization no longer uses this API, or its catalogue no longer has this permission; reject the line";

/// Why a line was not decided.
enum Outcome {
    /// The rule says no.
    Refused(Refused),
    /// A policy has it no longer among what may be asked for.
    NotAskable(String),
    /// What was asked for is no longer there.
    Gone(&'static str),
}

const fn code_of(refused: Refused) -> Code {
    match refused {
        Refused::NotTheirs | Refused::OwnByCredential | Refused::FourEyes => Code::Forbidden,
        Refused::BeyondOwnRights => Code::BeyondOwnRights,
        Refused::Wider => Code::Invalid,
        Refused::PolicyDenied | Refused::PolicyReadOnly | Refused::State(_) => Code::Conflict,
    }
}

/// Asks the rule about a line.
fn decided(
    sight: &Sight,
    world: &World,
    deciding: &Deciding,
    chain: &[ContextId],
    terms: Option<&Terms>,
    relation: Relation,
) -> Result<GrantState, Outcome> {
    let api = world.apis.iter().find(|api| api.id == deciding.line.api);
    let known = api.zip(deciding.line.permissions.first());
    let known = known.and_then(|(api, name)| api.catalogue.permission(api.catalogue.number(name)?));
    // What is gone can be rejected still.
    let nothing = PermissionSet::new();
    let with_implied = known.map_or(&nothing, |known| &known.with_implied);
    let line = Line { state: deciding.line.state, api: deciding.line.api, chain, with_implied };
    let verdict = match deciding.said.decision {
        Choice::Reject => Verdict::Reject,
        Choice::Grant => {
            let to = terms.and_then(|terms| terms.wish.as_ref());
            let narrower = to.and_then(|wish| wish.api.catalogue.permission(wish.permission));
            let known = narrower.or(known).ok_or(Outcome::Gone(GONE))?;
            let there = to.map_or(chain, |wish| &wish.chain);
            world.askable.admits(line.api, known, there).map_err(Outcome::NotAskable)?;
            Verdict::Grant(Narrowed {
                chain: there,
                permission: known.number,
                with_implied: &known.with_implied,
                level: known.level,
            })
        }
    };
    // The policy of the place in which it will hold: what is there is no looser than where it was asked for.
    let policy = match &verdict {
        Verdict::Grant(narrowed) => world.policies.counting_in(narrowed.chain),
        Verdict::Reject => world.policies.counting_in(chain),
    };
    sight.rights().with_authority(|authority| {
        let decider = Decider { authority: *authority, approving: sight.approving(), relation };
        request::decide(&line, &decider, &policy, verdict).map_err(Outcome::Refused)
    })
}

/// The line as it is from now on.
fn decided_line(
    act: &Act<'_, WriteTx>,
    deciding: &Deciding,
    next: GrantState,
    terms: Option<Terms>,
    relation: Relation,
) -> StoredGrant {
    let mut line = deciding.line.clone();
    line.state = next;
    line.decided = Some(Decided {
        by: Some(act.actor.user.id),
        at: act.now,
        comment: deciding.said.comment.clone().filter(|comment| !comment.is_empty()),
    });
    let Some(terms) = terms.filter(|_| next == GrantState::Granted) else { return line };
    line.self_granted = relation != Relation::Anothers;
    line.until = terms.until;
    line.access_policy = terms.access_policy;
    if let Some(wish) = &terms.wish {
        narrowed(&mut line, wish, terms.asked);
    }
    line
}
