//! What an evaluation is told: the answer of the check in AuthZEN's dress. A denial is an answer like any other; where
//! what was missing can be asked for, it says how (AuthZEN Access Request and Approval Profile, draft 1).

use super::call::Wrong;
use crate::authn::Hasher;
use crate::authn::descriptor::Descriptor;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use tegata_core::decide::Reason;
use tegata_core::time::Timestamp;

/// After how many seconds a call is to be made again whose approval is not decided.
const AGAIN_SECONDS: u64 = 5;

/// How answers are told.
#[derive(Debug)]
pub struct Teller<'a> {
    /// Where access is asked for.
    pub endpoint: &'a str,
    /// What reads descriptors.
    pub hasher: &'a Hasher,
    /// The moment.
    pub now: Timestamp,
}

/// The approval of an access request, as it was handed out.
#[derive(Debug, Deserialize)]
struct Approval {
    id: String,
    approved_until: String,
}

impl Teller<'_> {
    /// A decision, made of a check's answer. `approval` is what came with the question: it explains a denial, and
    /// decides nothing.
    pub fn decision(&self, answer: Map<String, Value>, approval: Option<&RawValue>) -> Value {
        let (mut allowed, mut request, mut rest) = (false, None, Map::new());
        let mut context = Map::new();
        for (name, value) in answer {
            match name.as_str() {
                "allowed" => allowed = value == Value::Bool(true),
                "reason" => drop(context.insert("reason".to_owned(), value)),
                "record" => drop(context.insert("evaluation_id".to_owned(), value)),
                "request" => request = value.as_str().map(str::to_owned),
                _ => drop(rest.insert(name, value)),
            }
        }
        if let (false, Some(approval)) = (allowed, approval) {
            let word = context.get("reason").and_then(Value::as_str).unwrap_or_default().to_owned();
            let (reason, next) = self.why_not(&word, approval);
            context.insert("reason".to_owned(), reason.into());
            context.insert("check_reason".to_owned(), word.into());
            context.insert("next_action".to_owned(), next.into());
            if next == "retry" {
                context.insert("retry_after".to_owned(), AGAIN_SECONDS.into());
            }
        }
        if let Some(request) = request.filter(|_| !allowed).and_then(|text| self.access_request(&text)) {
            context.insert("access_request".to_owned(), request);
        }
        context.append(&mut rest);
        json!({"decision": allowed, "context": context})
    }

    /// How to ask for what was missing.
    fn access_request(&self, descriptor: &str) -> Option<Value> {
        // It was made a moment ago; whoever files it is asked whether it is still good.
        let read = Descriptor::read(self.hasher, descriptor, Timestamp::EPOCH).ok()?;
        Some(json!({
            "endpoint": self.endpoint,
            "expires_at": read.expires_at.to_string(),
            "binding_token": descriptor,
        }))
    }

    /// Why an approval did not help, in the profile's words, and what to do next.
    fn why_not(&self, reason: &str, approval: &RawValue) -> (&'static str, &'static str) {
        let read: Option<Approval> = serde_json::from_str(approval.get()).ok();
        let until = read.filter(|read| !read.id.is_empty()).and_then(|read| read.approved_until.parse().ok());
        let Some(until): Option<Timestamp> = until else { return ("approval_unverifiable", "none") };
        if reason == Reason::ApprovalPending.as_str() {
            ("grant_pending", "retry")
        } else if reason != Reason::InsufficientScope.as_str() {
            ("policy_denied", "none")
        } else if until <= self.now {
            ("approval_expired", "request")
        } else {
            ("out_of_scope", "request")
        }
    }
}

/// The decision about an evaluation that asks nothing: no, and why.
pub fn refused(wrong: &Wrong) -> Value {
    malformed(&wrong.to_string())
}

/// The same, with these words.
pub fn malformed(message: &str) -> Value {
    json!({"decision": false, "context": {"error": {"status": 400, "message": message}}})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authn::hasher::{HashKey, KEY_BYTES};
    use secrecy::SecretBox;
    use tegata_core::bits::PermissionNumber;
    use tegata_core::ids::{ApiId, OrgId, TokenId};

    fn hasher() -> Hasher {
        Hasher::new(&HashKey { key_id: 1, secret: SecretBox::new(Box::new([7; KEY_BYTES])) }, None)
    }

    fn told(answer: Value, approval: Option<&str>) -> Value {
        let hasher = hasher();
        let teller =
            Teller { endpoint: "https://t/access/v1/requests", hasher: &hasher, now: Timestamp::from_micros(9) };
        let approval = approval.map(|text| RawValue::from_string(text.to_owned()).unwrap());
        let Value::Object(answer) = answer else { panic!("no object") };
        teller.decision(answer, approval.as_deref())
    }

    #[test]
    fn a_denial_says_how_to_ask() {
        let descriptor = Descriptor {
            token: TokenId::from_u128(1),
            org: OrgId::from_u128(2),
            api: ApiId::from_u128(3),
            needs: vec![(PermissionNumber(1), None)],
            expires_at: Timestamp::from_micros(1_000_000),
        };
        let text = descriptor.write(&hasher()).unwrap();
        let denied = json!({"allowed": false, "reason": "insufficient_scope", "missing": ["p"], "request": text,
            "record": "rec_1"});
        assert_eq!(
            told(denied, None),
            json!({"decision": false, "context": {"reason": "insufficient_scope", "evaluation_id": "rec_1",
                "access_request": {"endpoint": "https://t/access/v1/requests", "expires_at": "1970-01-01T00:00:01Z",
                    "binding_token": text},
                "missing": ["p"]}})
        );
        let junk = json!({"allowed": false, "reason": "insufficient_scope", "request": "trd1_junk"});
        assert_eq!(told(junk, None)["context"].get("access_request"), None);
        let allowed = json!({"allowed": true, "reason": "granted", "record": "rec_1"});
        let granted = json!({"decision": true, "context": {"reason": "granted", "evaluation_id": "rec_1"}});
        assert_eq!(told(allowed.clone(), None), granted);
        assert_eq!(told(allowed, Some("{}")), granted, "an approval changes no yes");
        assert_eq!(told(json!({}), None)["decision"], false, "what says nothing is a no");
    }

    #[test]
    fn an_approval_that_did_not_help_is_explained() {
        let good = r#"{"id": "apr_1", "approved_until": "2030-01-01T00:00:00Z", "state": 3}"#;
        let old = r#"{"id": "apr_1", "approved_until": "1970-01-01T00:00:00Z"}"#;
        for (reason, approval, expected) in [
            ("approval_pending", good, ("grant_pending", "retry")),
            ("insufficient_scope", good, ("out_of_scope", "request")),
            ("insufficient_scope", old, ("approval_expired", "request")),
            ("revoked", good, ("policy_denied", "none")),
            ("revoked", "3", ("approval_unverifiable", "none")),
            ("insufficient_scope", r#"{"id": "", "approved_until": "x"}"#, ("approval_unverifiable", "none")),
        ] {
            let told = told(json!({"allowed": false, "reason": reason}), Some(approval));
            let word = |name: &str| told["context"][name].as_str().unwrap_or_default().to_owned();
            assert_eq!((word("reason").as_str(), word("next_action").as_str()), expected, "{reason} {approval}");
            assert_eq!(word("check_reason"), reason);
        }
    }
}
