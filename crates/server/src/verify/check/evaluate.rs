//! What is asked, who shows what, and what is found: a check up to the credential. Everything is lent by the [`View`]: nothing is copied,
//! counted or moved that a decision does not need.

use super::Question;
use super::judge::Judge;
use super::target::{FoundNeeds, Wanted};
use crate::authn::Digest;
use crate::catalogues::Loaded;
use crate::verify::entry::{OrgEntry, TokenEntry, Warm};
use crate::verify::index::View;
use crate::verify::limits::told::RateLimit;
use crate::verify::tokens::Room;
use crate::verify::{Verify, clients};
use smallvec::SmallVec;
use std::ops::Range;
use std::time::Duration;
use tegata_core::catalogue::OrganizationOf;
use tegata_core::decide::{Decision, Reason};
use tegata_core::ids::OrgId;
use tegata_core::secret::{SecretKind, classify};
use tegata_core::time::Timestamp;

/// Whether memory was enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Everything that the decision needs was in memory, or was handed in.
    All,
    /// The credential, or something of its owner, has to be read; the decision so far is a denial.
    Cold,
}

/// What is known of a credential beside memory.
#[derive(Debug, Clone, Copy)]
pub enum Cold<'a> {
    /// The database was not asked.
    NotAsked,
    /// The database was asked, and has no such credential.
    Absent,
    /// The database was asked, and has it.
    Read(&'a Warm),
    /// The database was not asked, because of a rate; it may be asked after this time.
    Throttled(Duration),
}

impl<'a> Cold<'a> {
    pub(super) const fn warm(self) -> Option<&'a Warm> {
        match self {
            Self::Read(warm) => Some(warm),
            Self::NotAsked | Self::Absent | Self::Throttled(_) => None,
        }
    }
}

/// A decision with what its record and its answer need. Texts are made where they are needed, not here.
pub struct Found<'v> {
    /// The decision.
    pub decision: Decision,
    /// The credential, where it is known.
    pub token: Option<&'v TokenEntry>,
    /// What its owner is called, where they were looked up.
    pub owner_name: Option<&'v str>,
    /// The organization.
    pub org: Option<OrgId>,
    /// The same, where it uses the API.
    pub org_entry: Option<&'v OrgEntry>,
    /// What was needed.
    pub needs: FoundNeeds<'v>,
    /// The needs of the alternative that decided.
    pub deciding: Range<usize>,
    /// Which of them are lacking.
    pub missing: SmallVec<[usize; 2]>,
    /// Whether what is lacking can be asked for: the owner has it, and only a grant is wanting.
    pub askable: bool,
    /// With what it is asked for.
    pub request: Option<Box<str>>,
    /// After which time another try makes sense, where a rate decided.
    pub retry_after: Option<Duration>,
    /// What the limits on calls said, where any covers it.
    pub rate_limit: Option<Box<RateLimit>>,
}

impl Found<'_> {
    /// A denial of which no more is known.
    pub fn denied(reason: Reason) -> Self {
        Self {
            decision: Decision::Deny { reason, alternative: None },
            token: None,
            owner_name: None,
            org: None,
            org_entry: None,
            needs: FoundNeeds::default(),
            deciding: 0..0,
            missing: SmallVec::new(),
            askable: false,
            request: None,
            retry_after: None,
            rate_limit: None,
        }
    }
}

/// One question with what it is about, as far as that does not depend on who asks.
#[derive(Clone, Copy)]
pub struct Asked<'v> {
    /// What is in memory.
    pub view: &'v View<'v>,
    /// The catalogue.
    pub loaded: &'v Loaded,
    /// What is asked for, found in it.
    pub wanted: &'v Wanted<'v>,
    /// The question.
    pub question: &'v Question<'v>,
    /// The moment.
    pub now: Timestamp,
    /// What was read beside memory.
    pub cold: Cold<'v>,
}

/// Credentials that are asked for before the first of them is looked at: as many as a processor fetches from memory at a
/// time, or more.
pub const SOUGHT_AHEAD: usize = 16;

/// What was shown, before it is looked up.
#[derive(Clone, Copy)]
pub enum Sought {
    /// Nothing is decided here, or it cannot be a credential.
    Refused(Reason),
    /// What may be a credential, by its digest.
    Digest(Digest),
}

impl Sought {
    /// The digest of what may be a credential.
    pub const fn digest(&self) -> Option<&Digest> {
        match self {
            Self::Digest(digest) => Some(digest),
            Self::Refused(_) => None,
        }
    }
}

/// What was shown, as far as it can be told without the call that it is for.
#[derive(Clone, Copy)]
pub enum Shown<'v> {
    /// Nothing is decided here, or it cannot be a credential.
    Refused(Reason),
    /// A credential.
    Token(&'v TokenEntry),
    /// It is not in memory, and was not asked for.
    Cold,
}

impl Verify {
    /// Looks at what was shown, and asks for the memory of the credentials that it may be. Comes before anything else is
    /// looked at, so that this memory is on its way while the calls are recognized; for many of them at once, so that it
    /// comes at once.
    pub fn seek<'t>(&self, view: &View<'_>, tokens: impl Iterator<Item = &'t str>) -> SmallVec<[Sought; SOUGHT_AHEAD]> {
        let holds = self.lease.holds();
        let sought = tokens.map(|token| {
            if !holds {
                Sought::Refused(Reason::LeaseLost)
            } else if classify(&self.product, token).is_some_and(SecretKind::is_checked) || clients::is_pair(token) {
                Sought::Digest(self.hasher.digest(token))
            } else {
                Sought::Refused(Reason::Malformed)
            }
        });
        let sought: SmallVec<[Sought; SOUGHT_AHEAD]> = sought.collect();
        view.seek_tokens(sought.iter().filter_map(Sought::digest));
        sought
    }

    /// Finds what was shown; `room` is for the credential.
    pub fn shown<'v>(
        &self,
        view: &View<'_>,
        sought: Sought,
        token: &str,
        cold: Cold<'v>,
        room: &'v mut Room,
    ) -> Shown<'v> {
        let digest = match sought {
            Sought::Refused(reason) => return Shown::Refused(reason),
            Sought::Digest(digest) => digest,
        };
        if !view.token(&digest, room)
            && let Some(previous) = self.hasher.previous_digest(token)
        {
            view.token(&previous, room);
        }
        match (room.token(), cold) {
            (Some(token), _) => Shown::Token(token),
            (None, Cold::Read(warm)) => Shown::Token(&warm.token),
            (None, Cold::Absent) => Shown::Refused(Reason::Unknown),
            (None, Cold::Throttled(_)) => Shown::Refused(Reason::RateLimited),
            (None, Cold::NotAsked) if self.is_unknown(&digest) => Shown::Refused(Reason::Unknown),
            (None, Cold::NotAsked) => Shown::Cold,
        }
    }
}

impl<'v> Asked<'v> {
    /// Decides from memory, and from what was read for this question. Writes what it finds into `found`, which is a
    /// fresh denial: it is large, and moving it would cost more than some of the steps.
    pub fn evaluate(&self, shown: Shown<'v>, found: &mut Found<'v>) -> Known {
        let token = match shown {
            Shown::Token(token) => token,
            Shown::Cold => return Known::Cold,
            Shown::Refused(reason) => {
                found.decision = Decision::Deny { reason, alternative: None };
                if reason != Reason::LeaseLost {
                    self.nobody(found);
                }
                return Known::All;
            }
        };
        let judge = Judge { asked: *self, token, supposed: None };
        let known = judge.decide(found);
        found.token = Some(token);
        if found.owner_name.is_none() {
            found.owner_name = judge.owner_name();
        }
        match (self.cold, known) {
            (Cold::NotAsked, _) => known,
            // It came into memory meanwhile, without its owner: what was not read is not judged.
            (Cold::Throttled(_), Known::Cold) => {
                found.decision = Decision::Deny { reason: Reason::RateLimited, alternative: None };
                Known::All
            }
            _ => Known::All,
        }
    }
}

/// What check and endpoint say about the organization.
pub(super) enum Said {
    /// This one; none when what they say is not known or not the same.
    One(Option<OrgId>),
    /// The endpoint belongs to no organization.
    Outside,
    /// Nothing.
    Nothing,
}

impl<'v> Asked<'v> {
    /// The organization, as far as check and endpoint say (DESIGN §1). What two say differently is not known.
    pub(super) fn said(&self) -> Said {
        let by_check = self.question.organization.map(|name| self.view.org_named(name));
        let by_endpoint = match self.wanted.organization() {
            OrganizationOf::Named(name) => Some(self.view.org_named(&name)),
            OrganizationOf::None if by_check.is_none() => return Said::Outside,
            OrganizationOf::None | OrganizationOf::Unsaid => None,
        };
        match (by_endpoint, by_check) {
            (Some(one), Some(other)) => Said::One(one.filter(|_| one == other)),
            (Some(one), None) | (None, Some(one)) => Said::One(one),
            (None, None) => Said::Nothing,
        }
    }

    /// A denial of what nobody owns. Whoever was called finds it in their records, as far as the call says who that is.
    fn nobody(&self, found: &mut Found<'v>) {
        if let Said::One(Some(org)) = self.said() {
            found.org_entry = self.org_that_uses_it(org);
            found.org = found.org_entry.map(|_| org);
        }
    }

    pub(super) fn org_that_uses_it(&self, org: OrgId) -> Option<&'v OrgEntry> {
        self.view.org(org).filter(|entry| entry.apis.contains(&self.loaded.id))
    }
}
