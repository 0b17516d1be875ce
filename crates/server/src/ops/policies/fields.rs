//! The fields of policies, as callers write them.

use super::view::is_governed;
use crate::ops::addresses;
use crate::ops::tokens::broken::Broken;
use ipnet::IpNet;
use std::time::Duration;
use tegata_core::credential::CredentialKind;
use tegata_core::name;
use tegata_core::policy::{ADDRESSES_MAX, Admission};
use tegata_core::problem::{Code, Problem};
use tegata_core::time::days;

/// The kind of credential that a path names.
pub fn kind(text: &str) -> Result<CredentialKind, Problem> {
    let kind = text.parse::<CredentialKind>().ok().filter(|kind| is_governed(*kind));
    kind.ok_or_else(|| Problem::not_found("kind of credential"))
}

/// Why a policy is changed: something has to be said.
pub fn reason(text: &str) -> Result<&str, Problem> {
    let reason = text.trim();
    if reason.is_empty() {
        return Err(Problem::field("reason", "say why; people will ask"));
    }
    name::check_reason(reason).map_err(|error| Problem::field("reason", error))?;
    Ok(reason)
}

/// A number of days from 1 to as many as this.
pub fn days_up_to(field: &str, count: u64, most: Duration) -> Result<Duration, Problem> {
    let most = most.as_secs() / days(1).as_secs();
    if (1..=most).contains(&count) {
        Ok(days(count))
    } else {
        Err(Problem::field(field, format!("write 1 to {most} days")))
    }
}

/// Ranges, as few as say the same.
pub fn ranges(texts: &[String]) -> Result<Vec<IpNet>, Problem> {
    let mut broken = Broken::default();
    let list = addresses::read(texts, "a policy", ADDRESSES_MAX, &mut broken);
    broken.told(Code::Invalid)?;
    Ok(IpNet::aggregate(&list))
}

/// Whether somebody can be asked before credentials of a kind come into use.
pub fn check_admission(kind: CredentialKind, admission: Option<Admission>) -> Result<(), Problem> {
    let asked_for = matches!(kind, CredentialKind::PersonalToken | CredentialKind::ApplicationToken);
    if admission == Some(Admission::Approval) && !asked_for {
        let message = "nobody is asked before credentials of this kind: write `allow` or `deny`";
        return Err(Problem::field("admission", message));
    }
    Ok(())
}
