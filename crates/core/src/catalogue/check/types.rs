//! Context types: names, and a tree of parents under the organization.

use super::{GLOBAL_KIND, Kinds, kind_bit};
use crate::catalogue::document::{Document, GLOBAL};
use crate::catalogue::problem::{Fault, Problems};
use crate::name;
use std::collections::HashMap;

pub(super) fn names<'d>(document: &'d Document, problems: &mut Problems) -> HashMap<&'d str, usize> {
    let mut names = HashMap::new();
    for (place, kind) in document.context_types.iter().enumerate() {
        let at = || format!("context_types[{place}].name");
        problems.note(at, name::check_context_type(&kind.name));
        super::texts(problems, &kind.title, || format!("context_types[{place}].title"));
        match names.get(kind.name.as_str()) {
            None => {
                names.insert(kind.name.as_str(), place);
            }
            Some(first) => problems.push(
                at,
                Fault::Duplicate {
                    what: "context type",
                    name: kind.name.clone(),
                    first: format!("context_types[{first}]"),
                },
            ),
        }
    }
    names
}

/// For every type, itself and everything above it. Types of a circle get what was seen of it.
pub(super) fn ancestry(document: &Document, names: &HashMap<&str, usize>, problems: &mut Problems) -> Vec<Kinds> {
    let mut ancestry = Vec::with_capacity(document.context_types.len());
    let mut circle_told = false;
    for (place, kind) in document.context_types.iter().enumerate() {
        let mut above = GLOBAL_KIND | kind_bit(place);
        let mut walk = vec![kind.name.clone()];
        let mut parent = kind.parent.as_str();
        while parent != GLOBAL {
            let Some(&next) = names.get(parent) else {
                // A step of the way; told where the type itself is looked at.
                if walk.len() == 1 {
                    let fault = Fault::Unknown { what: "context type", name: parent.to_owned() };
                    problems.push(|| format!("context_types[{place}].parent"), fault);
                }
                break;
            };
            if above & kind_bit(next) != 0 {
                if !circle_told {
                    circle_told = true;
                    walk.push(parent.to_owned());
                    let circle = walk.iter().skip_while(|step| *step != parent).cloned().collect();
                    let fault = Fault::Cycle { what: "the parents of context types", circle };
                    problems.push(|| format!("context_types[{place}].parent"), fault);
                }
                break;
            }
            above |= kind_bit(next);
            walk.push(parent.to_owned());
            parent = &document.context_types[next].parent;
        }
        ancestry.push(above);
    }
    ancestry
}
