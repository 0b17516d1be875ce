//! Recorded calls, judged again by today's facts, under two policies.

use super::log::Places;
use super::view::ExampleView;
use crate::app::App;
use crate::db::{DbError, Tx};
use crate::verify::check::Past;
use crate::verify::entry::Warm;
use std::collections::{BTreeSet, HashMap};
use tegata_core::ids::OrgId;
use tegata_core::policy::KindPolicies;
use tegata_core::time::Timestamp;
use tegata_record::Calls;

/// Most examples that are told.
const EXAMPLES_MAX: usize = 50;

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Calls that were looked at.
    pub calls: u64,
    /// Calls that the first policy allows and the second denies.
    pub denied_newly: u64,
    /// The other way round.
    pub allowed_newly: u64,
    /// Calls about which nothing can be said.
    pub not_judged: u64,
    /// Credentials that would lose a call.
    pub credentials: BTreeSet<String>,
    /// Their owners.
    pub principals: BTreeSet<String>,
    /// What they would lose, the most frequent first.
    pub examples: Vec<ExampleView>,
}

/// Judges calls of an organization; they come with the most frequent first.
pub async fn replay(
    app: &App,
    tx: &mut Tx,
    org: OrgId,
    calls: &[Calls],
    proposed: &KindPolicies,
    now: Timestamp,
) -> Result<Outcome, DbError> {
    let (organization, mut outcome) = (org.to_string(), Outcome::default());
    let mut credentials: HashMap<&str, Option<Warm>> = HashMap::new();
    let mut places = Places::default();
    for call in calls {
        outcome.calls += call.count;
        if !credentials.contains_key(call.credential.as_str()) {
            let stored = match call.credential.parse() {
                Ok(id) => app.verify.as_stored(tx, id).await?,
                Err(_) => None,
            };
            credentials.insert(&call.credential, stored);
        }
        let warm = credentials.get(call.credential.as_str()).and_then(Option::as_ref);
        let Some((warm, what)) = warm.zip(places.what(tx, org, call).await?) else {
            outcome.not_judged += call.count;
            continue;
        };
        let address = call.address.as_deref().and_then(|address| address.parse().ok());
        let past = Past { api: &call.api, what, organization: &organization, address };
        let Some((before, after)) = app.verify.suppose(warm, &past, proposed, now) else {
            outcome.not_judged += call.count;
            continue;
        };
        match (before.is_allowed(), after.is_allowed()) {
            (true, false) => outcome.loses(call, warm, after.reason().as_str()),
            (false, true) => outcome.allowed_newly += call.count,
            _ => {}
        }
    }
    Ok(outcome)
}

impl Outcome {
    fn loses(&mut self, call: &Calls, warm: &Warm, reason: &str) {
        self.denied_newly += call.count;
        self.credentials.insert(call.credential.clone());
        let principal = warm.token.owner.to_string();
        self.principals.insert(principal.clone());
        if self.examples.len() < EXAMPLES_MAX {
            self.examples.push(ExampleView {
                credential: call.credential.clone(),
                name: warm.token.name.to_string(),
                principal,
                api: call.api.clone(),
                method: call.method.clone(),
                endpoint: call.endpoint.clone(),
                path: call.path.clone(),
                permission: call.permission.clone(),
                reason: reason.to_owned(),
                calls: call.count,
                last: call.last.clone(),
            });
        }
    }
}
