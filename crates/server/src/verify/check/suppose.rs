//! What would be decided: the very rule and the very memory of a check, with a policy that is not in force. Nothing is
//! recorded, and no limit counts it.

use super::evaluate::{Asked, Cold, Found};
use super::judge::Judge;
use super::target::Wanted;
use super::{Question, What};
use crate::db::{DbError, Tx};
use crate::verify::entry::Warm;
use crate::verify::{Verify, load};
use std::net::IpAddr;
use tegata_core::decide::{Decision, Reason};
use tegata_core::ids::TokenId;
use tegata_core::owner::Owner;
use tegata_core::policy::KindPolicies;
use tegata_core::time::Timestamp;

/// A call, as it was recorded.
#[derive(Debug, Clone, Copy)]
pub struct Past<'a> {
    /// The API, by its key.
    pub api: &'a str,
    /// What it wanted.
    pub what: What<'a>,
    /// The organization, by its id.
    pub organization: &'a str,
    /// Where it came from.
    pub address: Option<IpAddr>,
}

impl Verify {
    /// A credential with its owner, as they are stored; none where there is no such credential any more.
    pub async fn as_stored(&self, tx: &mut Tx, id: TokenId) -> Result<Option<Warm>, DbError> {
        let Some(token) = load::entry_of(tx, &self.catalogues, id).await? else { return Ok(None) };
        let user = match token.owner {
            Owner::User(owner) => load::user(tx, owner, token.parts.iter().map(|part| part.org)).await?,
            Owner::Organization(_) | Owner::ServiceAccount(_) | Owner::Application(_) => None,
        };
        Ok(Some(Warm { token, user }))
    }

    /// Decides a call by today's facts: under the policies in force, and under others for the credential's kind. None where
    /// the API is no longer there.
    pub fn suppose(
        &self,
        warm: &Warm,
        past: &Past<'_>,
        other: &KindPolicies,
        now: Timestamp,
    ) -> Option<(Decision, Decision)> {
        let view = self.index.view();
        let loaded = view.api(past.api)?;
        let wanted = Wanted::find(loaded, &past.what);
        let question = Question {
            token: "",
            api: past.api,
            what: past.what,
            organization: Some(past.organization),
            address: past.address,
            user_agent: None,
            request_id: None,
        };
        let cold = Cold::Read(warm);
        let asked = Asked { view: &view, loaded, wanted: &wanted, question: &question, now, cold };
        let decide = |supposed| {
            let mut found = Found::denied(Reason::Unknown);
            Judge { asked, token: &warm.token, supposed }.decide(&mut found);
            found.decision
        };
        Some((decide(None), decide(Some(other))))
    }
}
