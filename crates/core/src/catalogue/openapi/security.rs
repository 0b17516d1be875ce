//! Security requirements: a list of alternatives, each of which names schemes that are all needed, with their scopes.
//!
//! An alternative that names no scope is left out, since it would let in whoever has any credential. If nothing is
//! left, the endpoint is denied.

use super::Report;
use super::permissions::Scopes;
use crate::catalogue::document::NeedEntry;
use serde_json::Value;

/// What the requirements of an operation come to.
pub(super) struct Requirements {
    pub(super) any_of: Vec<Vec<NeedEntry>>,
    pub(super) flags: Vec<&'static str>,
}

/// Reads the requirements of an operation, or else those of the document.
pub(super) fn read(document: &Value, operation: &Value, scopes: &mut Scopes<'_>, report: &mut Report) -> Requirements {
    let mut made = Requirements { any_of: Vec::new(), flags: Vec::new() };
    let Some(security) = operation.get("security").or_else(|| document.get("security")) else {
        made.flag("no_permission_listed");
        return made;
    };
    let Some(alternatives) = security.as_array() else {
        made.flag("security_unreadable");
        return made;
    };
    if alternatives.is_empty() {
        made.flag("security_empty");
    }
    for alternative in alternatives {
        match needs(document, alternative, scopes, report) {
            Ok((needs, ignored)) => {
                if !made.any_of.contains(&needs) {
                    made.any_of.push(needs);
                }
                if ignored {
                    made.flag("scheme_ignored");
                }
            }
            Err(flag) => made.flag(flag),
        }
    }
    made
}

impl Requirements {
    fn flag(&mut self, flag: &'static str) {
        if !self.flags.contains(&flag) {
            self.flags.push(flag);
        }
    }
}

/// The needs of one alternative and whether a scheme without scopes was passed over, or the flag that says why it was
/// left out.
fn needs(
    document: &Value,
    alternative: &Value,
    scopes: &mut Scopes<'_>,
    report: &mut Report,
) -> Result<(Vec<NeedEntry>, bool), &'static str> {
    let schemes = alternative.as_object().ok_or("security_unreadable")?;
    let mut needs = Vec::new();
    let (mut whole, mut ignored) = (true, false);
    for (scheme, listed) in schemes {
        let kind = document.pointer("/components/securitySchemes").and_then(|all| all.get(scheme));
        let kind = kind.and_then(|scheme| scheme.get("type")).and_then(Value::as_str);
        if !matches!(kind, Some("oauth2" | "openIdConnect")) {
            report.schemes_ignored.push(scheme.clone());
            ignored = true;
            continue;
        }
        for scope in listed.as_array().into_iter().flatten() {
            match scope.as_str().and_then(|scope| scopes.permission(scope, true)) {
                Some(permission) => {
                    let need = NeedEntry::Name(permission);
                    if !needs.contains(&need) {
                        needs.push(need);
                    }
                }
                None => whole = false,
            }
        }
    }
    if !whole {
        // Without the unusable scope, the alternative would ask for less than the document says.
        return Err("scope_unusable");
    }
    if needs.is_empty() { Err("alternative_without_scopes") } else { Ok((needs, ignored)) }
}
