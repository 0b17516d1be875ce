//! What a verifier is told. An answer borrows what it says and is written once, as JSON.

use super::limits::told::RateLimit;
use serde::{Serialize, Serializer};
use smallvec::SmallVec;
use std::fmt;
use std::io::Write as _;
use std::time::Duration;
use tegata_core::catalogue::PlaceRef;
use tegata_core::decide::{Decision, Reason};
use tegata_core::ids::{TokenId, UserId};
use tegata_core::time::Timestamp;
use utoipa::ToSchema;

/// The answer to one check (DESIGN §5).
#[derive(Debug, Serialize, ToSchema)]
pub struct Answer<'a> {
    /// Whether the call may go on.
    pub allowed: bool,
    /// Why: `granted`, or the first condition that failed.
    #[schema(value_type = String)]
    pub reason: &'static str,
    /// The permission that decided; absent where none was needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub permission: Option<&'a str>,
    /// The place of the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub context: Option<Named<'a>>,
    /// The organization of the call, by its key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub organization: Option<&'a str>,
    /// What the credential or its owner lacks, as scopes.
    #[serde(skip_serializing_if = "SmallVec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub missing: SmallVec<[Missing<'a>; 2]>,
    /// `insufficient_scope` only: a request descriptor, with which the missing scopes can be asked for at
    /// `POST /v1/me/requests`, by the credential that was shown or its owner. No secret; good for fifteen minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub request: Option<&'a str>,
    /// The credential, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialSeen<'a>>,
    /// Who acts, where the credential is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<PrincipalSeen<'a>>,
    /// For whom the principal acts; a personal token's owner acts for themself.
    pub on_behalf_of: Option<PrincipalSeen<'a>>,
    /// `rate_limited` only: after how many seconds another try makes sense.
    #[serde(rename = "retry_after_seconds", skip_serializing_if = "Option::is_none", serialize_with = "whole_seconds")]
    #[schema(value_type = Option<u64>)]
    pub retry_after: Option<Duration>,
    /// What the limits on calls say, where any covers a call that everything else let pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<RateLimit>)]
    pub rate_limit: Option<&'a RateLimit>,
    /// The id of the access record; absent only where it could not be written, and then the answer is no, unless the
    /// operator chose `--record-failure=allow`; and where the record is a summary of many denials.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub record: Option<&'static str>,
}

/// A credential as a verifier sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct CredentialSeen<'a> {
    /// Its id.
    #[schema(value_type = String)]
    pub id: TokenId,
    /// What it is.
    #[schema(value_type = String)]
    pub kind: &'static str,
    /// What its owner calls it.
    #[schema(value_type = String)]
    pub name: &'a str,
    /// When it ends.
    #[schema(value_type = String)]
    pub expires_at: Timestamp,
}

/// A principal as a verifier sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct PrincipalSeen<'a> {
    /// `user`.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub kind: &'static str,
    /// Their id.
    #[schema(value_type = String)]
    pub id: UserId,
    /// What they are called.
    #[schema(value_type = String)]
    pub name: &'a str,
}

/// A permission that is lacking in a place: a scope.
#[derive(Debug)]
pub struct Missing<'a> {
    /// The place.
    pub place: &'a PlaceRef<'a>,
    /// The permission.
    pub permission: &'a str,
}

impl fmt::Display for Missing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.place, self.permission)
    }
}

impl Serialize for Missing<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A place, as scopes name it.
#[derive(Debug)]
pub struct Named<'a>(pub &'a PlaceRef<'a>);

impl Serialize for Named<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}

impl<'a> CredentialSeen<'a> {
    pub(super) fn of(entry: &'a super::entry::TokenEntry) -> Self {
        Self { id: entry.id, kind: entry.kind.as_str(), name: &entry.name, expires_at: entry.expires_at }
    }
}

impl Answer<'_> {
    /// Writes the answer as JSON: what serde would write, without asking of each letter what it is.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.allowed { br#"{"allowed":true"# } else { br#"{"allowed":false"# });
        plain(out, br#","reason":""#, self.reason);
        if let Some(permission) = self.permission {
            member(out, br#","permission":"#, permission);
        }
        if let Some(Named(place)) = &self.context {
            out.extend_from_slice(br#","context":"#);
            match place.plain_parts() {
                Some([kind, by, name]) if [kind, name].iter().all(|text| is_plain(text.as_bytes())) => {
                    for part in ["\"", kind, by, name, "\""] {
                        out.extend_from_slice(part.as_bytes());
                    }
                }
                _ => shown(out, place),
            }
        }
        if let Some(organization) = self.organization {
            member(out, br#","organization":"#, organization);
        }
        if !self.missing.is_empty() {
            out.extend_from_slice(br#","missing":"#);
            for (number, missing) in self.missing.iter().enumerate() {
                out.push(if number == 0 { b'[' } else { b',' });
                shown(out, missing);
            }
            out.push(b']');
        }
        if let Some(request) = self.request {
            plain(out, br#","request":""#, request);
        }
        if let Some(credential) = &self.credential {
            plain(out, br#","credential":{"id":""#, credential.id.text().as_str());
            plain(out, br#","kind":""#, credential.kind);
            member(out, br#","name":"#, credential.name);
            plain(out, br#","expires_at":""#, credential.expires_at.text().as_str());
            out.push(b'}');
        }
        if let Some(principal) = &self.principal {
            out.extend_from_slice(br#","principal":"#);
            principal.write(out);
        }
        out.extend_from_slice(br#","on_behalf_of":"#);
        match &self.on_behalf_of {
            Some(principal) => principal.write(out),
            None => out.extend_from_slice(b"null"),
        }
        if let Some(after) = self.retry_after {
            // Writing to memory has no errors.
            let _ = write!(out, r#","retry_after_seconds":{}"#, seconds(after));
        }
        if let Some(rate_limit) = self.rate_limit {
            rate_limit.write(out);
        }
        if let Some(record) = self.record {
            plain(out, br#","record":""#, record);
        }
        out.push(b'}');
    }
}

impl RateLimit {
    fn write(&self, out: &mut Vec<u8>) {
        for (place, (name, value)) in self.headers.pairs().enumerate() {
            plain(out, if place == 0 { br#","rate_limit":{"headers":{""# } else { br#",""# }, name);
            member(out, b":", value);
        }
        out.push(b'}');
        for (place, name) in self.violated_policies.iter().enumerate() {
            member(out, if place == 0 { br#","violated_policies":["# } else { b"," }, name);
        }
        out.extend_from_slice(if self.violated_policies.is_empty() { b"}" } else { b"]}" });
    }
}

impl PrincipalSeen<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        plain(out, br#"{"type":""#, self.kind);
        plain(out, br#","id":""#, self.id.text().as_str());
        member(out, br#","name":"#, self.name);
        out.push(b'}');
    }
}

/// Whole seconds, rounded up: whoever waits for them has waited long enough.
fn seconds(after: Duration) -> u64 {
    after.as_secs().saturating_add(u64::from(after.subsec_nanos() > 0)).max(1)
}

#[expect(clippy::ref_option, reason = "made for serde")]
fn whole_seconds<S: Serializer>(after: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    after.map(seconds).serialize(serializer)
}

/// Writes a name, as it is, and the text that it has.
fn member(out: &mut Vec<u8>, name: &[u8], value: &str) {
    out.extend_from_slice(name);
    text(out, value);
}

/// Writes a name, as it is, and a text of our own making, which has nothing to escape.
fn plain(out: &mut Vec<u8>, name: &[u8], value: &str) {
    out.extend_from_slice(name);
    out.extend_from_slice(value.as_bytes());
    out.push(b'"');
}

/// Writes a text. Most have nothing to escape, which is seen without a branch for each byte.
fn text(out: &mut Vec<u8>, value: &str) {
    if is_plain(value.as_bytes()) {
        out.push(b'"');
        out.extend_from_slice(value.as_bytes());
        out.push(b'"');
    } else if let Err(error) = serde_json::to_writer(out, value) {
        // Writing to memory has no errors.
        tracing::error!(%error, "a text could not be written");
    }
}

/// Writes what prints itself.
fn shown(out: &mut Vec<u8>, value: &impl fmt::Display) {
    let start = out.len();
    out.push(b'"');
    let written = write!(out, "{value}").is_ok();
    if written && out.get(start + 1..).is_some_and(is_plain) {
        out.push(b'"');
    } else {
        out.truncate(start);
        text(out, &value.to_string());
    }
}

/// Whether a text stands in JSON as it is (RFC 8259 §7).
#[expect(clippy::needless_bitwise_bool, reason = "without branches, so that many bytes are looked at at once")]
fn is_plain(bytes: &[u8]) -> bool {
    bytes.iter().fold(true, |plain, byte| plain & (*byte >= 0x20) & (*byte != b'"') & (*byte != b'\\'))
}

/// The answer to a check whose record could not be written: without a record there is no yes, and nothing else either.
pub(super) fn unrecorded() -> Answer<'static> {
    Answer {
        allowed: false,
        reason: Reason::RecordUnavailable.as_str(),
        permission: None,
        context: None,
        organization: None,
        missing: SmallVec::new(),
        request: None,
        credential: None,
        principal: None,
        on_behalf_of: None,
        retry_after: None,
        rate_limit: None,
        record: None,
    }
}

/// A decision as the access log writes it.
pub const fn recorded(decision: Decision) -> tegata_record::Decision {
    if decision.is_allowed() { tegata_record::Decision::Allow } else { tegata_record::Decision::Deny }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::limits::told::RateLimitHeaders;
    use proptest::prelude::*;

    fn any_text() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z:]{0,12}",
            "\\PC{0,12}",
            prop::collection::vec(any::<char>(), 0..6).prop_map(String::from_iter)
        ]
    }

    proptest! {
        /// What is written by hand is what the schema describes.
        #[test]
        fn an_answer_is_written_as_serde_would(
            allowed: bool,
            texts in prop::array::uniform6(any_text()),
            there in prop::array::uniform6(any::<bool>()),
            missing in 0_usize..4,
            (id, micros, record) in (any::<u128>(), 0..Timestamp::MAX.as_micros(), any::<bool>()),
            wait in prop::option::of((0..9_000_u64).prop_map(Duration::from_millis)),
            limited in prop::option::of((prop::array::uniform6(any_text()), any::<bool>(), 0_usize..3)),
        ) {
            let rate_limit = limited.map(|([policy, limit, x_limit, x_remaining, x_reset, after], denied, violated)| {
                let violated_policies = vec![policy.clone(); violated];
                let retry_after = denied.then_some(after);
                let headers = RateLimitHeaders { policy, limit, x_limit, x_remaining, x_reset, retry_after };
                RateLimit { headers, violated_policies, retry_after: wait }
            });
            let [permission, kind, key, organization, token, user] = &texts;
            let place = match texts[1].len() % 3 {
                0 => PlaceRef::Global,
                1 => PlaceRef::Id { kind, id: key.into() },
                _ => PlaceRef::Key { kind, key: key.into() },
            };
            let principal = || PrincipalSeen { kind: "user", id: UserId::from_u128(id), name: user };
            let answer = Answer {
                allowed,
                reason: Reason::Granted.as_str(),
                permission: there[0].then_some(permission),
                context: there[1].then_some(Named(&place)),
                organization: there[2].then_some(organization),
                missing: (0..missing).map(|_| Missing { place: &place, permission }).collect(),
                request: there[0].then_some("trd1_AbC-_9"),
                credential: there[3].then(|| CredentialSeen {
                    id: TokenId::from_u128(id),
                    kind: "personal_token",
                    name: token,
                    expires_at: Timestamp::from_micros(micros),
                }),
                principal: there[4].then(principal),
                on_behalf_of: there[5].then(principal),
                retry_after: wait,
                rate_limit: rate_limit.as_ref(),
                record: record.then_some("rec_00000000000000000000000000"),
            };
            let mut out = Vec::new();
            answer.write(&mut out);
            prop_assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(&answer).unwrap());
        }
    }
}
