//! What somebody who leaves answered for, listed for a successor.

use super::OPENED;
use super::subject::Subject;
use crate::db::members::Member;
use crate::db::orgs::Org;
use crate::db::successions::{State, Succession};
use crate::db::{self, WriteTx};
use crate::notices::{Notice, NoticeKind};
use crate::ops::act::internal;
use crate::ops::{Act, Change};
use serde_json::{Value, json};
use tegata_core::credential::CredentialKind;
use tegata_core::ids::SuccessionId;
use tegata_core::problem::Problem;
use tegata_core::time::days;

/// A succession that was just opened.
pub struct Opened {
    /// The succession.
    pub succession: Succession,
    /// What the subject is called.
    pub name: String,
    /// Its entry of activity.
    pub change: Change,
}

impl Opened {
    /// The succession, as the entry about the leaver tells it.
    pub fn told(&self) -> Value {
        json!({
            "id": self.succession.id.to_string(),
            "subject": self.succession.subject.to_string(),
            "name": self.name,
            "due_at": self.succession.due_at,
        })
    }
}

/// Opens a succession for each service account and application that a leaver answered for, and tells those who can name a successor. What waits
/// already goes on waiting.
pub async fn of_leaver(act: &mut Act<'_, WriteTx>, org: &Org, leaver: &Member) -> Result<Vec<Opened>, Problem> {
    let subjects = Subject::of_owner(&mut act.tx, org.id, leaver.user).await.map_err(internal)?;
    if subjects.is_empty() {
        return Ok(Vec::new());
    }
    let policy = db::policies::get(&mut act.tx, org.id, CredentialKind::AccessKey).await.map_err(internal)?;
    let administrators = db::assignments::administrators(&mut act.tx, org.id).await.map_err(internal)?;
    let mut opened = Vec::with_capacity(subjects.len());
    for subject in subjects {
        if db::successions::waiting_for(&mut act.tx, org.id, subject.id).await.map_err(internal)?.is_some() {
            continue;
        }
        let succession = Succession {
            id: act.id(SuccessionId::new),
            org: org.id,
            leaver: leaver.user,
            subject: subject.id,
            state: State::Waiting,
            created_at: act.now,
            due_at: act.now.plus(policy.succession),
            warned_days: None,
            successor: None,
            settled_at: None,
            settled_by: None,
        };
        db::successions::insert(&mut act.tx, &succession).await.map_err(internal)?;
        let data = json!({
            "organization": org.name,
            "leaver": leaver.name,
            "subject": subject.name,
            "days": policy.succession.as_secs() / days(1).as_secs(),
            "due_at": succession.due_at,
        });
        let notice = Notice {
            to: administrators.clone(),
            org: Some(org.id),
            kind: NoticeKind::SuccessionOpened,
            about: succession.id.to_string(),
            data,
        };
        let change = Change::new(org.id, succession.id).told_as(OPENED).notify(notice).after(json!({
            "leaver": leaver.user.to_string(), "subject": subject.id.to_string(), "name": subject.name,
            "state": State::Waiting.as_str(), "due_at": succession.due_at,
        }));
        opened.push(Opened { succession, name: subject.name, change });
    }
    Ok(opened)
}
