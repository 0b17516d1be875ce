//! Endpoints: methods, paths, shapes, what they need and where.

use super::{FLAGS_MAX, GLOBAL_KIND, Kinds, NEEDS_MAX, Names, ResolvedAccess, ResolvedEndpoint};
use crate::catalogue::document::{Document, EndpointEntry, GLOBAL, NeedEntry};
use crate::catalogue::place::{ContextTemplate, OrganizationTemplate};
use crate::catalogue::problem::{Fault, Problems};
use crate::catalogue::template::PathTemplate;
use crate::name::check_class;
use std::collections::HashMap;

/// Longest method, in letters.
const METHOD_MAX: usize = 20;

struct Check<'a> {
    names: &'a Names<'a>,
    ancestry: &'a [Kinds],
    grantable: &'a [Kinds],
    problems: &'a mut Problems,
    place: usize,
}

pub(super) fn resolve(
    document: &Document,
    names: &Names<'_>,
    ancestry: &[Kinds],
    grantable: &[Kinds],
    problems: &mut Problems,
) -> Vec<ResolvedEndpoint> {
    let mut shapes: HashMap<(&str, String), usize> = HashMap::with_capacity(document.endpoints.len());
    let mut all = Vec::with_capacity(document.endpoints.len());
    for (place, endpoint) in document.endpoints.iter().enumerate() {
        let mut check = Check { names, ancestry, grantable, problems, place };
        check.method(&endpoint.method);
        let path = match PathTemplate::parse(&endpoint.path) {
            Ok(path) => path,
            Err(fault) => {
                check.problem("path", fault);
                continue;
            }
        };
        if let Some(first) = shapes.insert((&endpoint.method, path.shape()), place) {
            check.problem("path", Fault::SameShape { first });
        }
        if let Some(resolved) = check.endpoint(endpoint, path) {
            all.push(resolved);
        }
    }
    all
}

impl Check<'_> {
    fn problem(&mut self, field: &str, fault: impl Into<Fault>) {
        let place = self.place;
        self.problems.push(|| format!("endpoints[{place}].{field}"), fault);
    }

    fn method(&mut self, method: &str) {
        let letters = method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
        if method.is_empty() || method.len() > METHOD_MAX || !letters {
            self.problem("method", Fault::BadMethod);
        }
    }

    fn endpoint(&mut self, endpoint: &EndpointEntry, path: PathTemplate) -> Option<ResolvedEndpoint> {
        if endpoint.flags.len() <= FLAGS_MAX {
            let place = self.place;
            super::flags(self.problems, &endpoint.flags, || format!("endpoints[{place}].flags"));
        } else {
            let fault = Fault::TooMany { what: "flags", count: endpoint.flags.len(), max: FLAGS_MAX };
            self.problem("flags", fault);
        }
        if let Some(class) = &endpoint.class
            && let Err(error) = check_class(class)
        {
            self.problem("class", error);
        }
        let context = self.context("context", endpoint.context.as_deref().unwrap_or(GLOBAL), &path);
        let organization = match OrganizationTemplate::parse(endpoint.organization.as_deref(), &path) {
            Ok(organization) => Some(organization),
            Err(fault) => {
                self.problem("organization", fault);
                None
            }
        };
        let access = self.access(endpoint, &path, context.as_ref());
        Some(ResolvedEndpoint { path, context: context?, organization: organization?, access })
    }

    fn context(&mut self, field: &str, text: &str, path: &PathTemplate) -> Option<ContextTemplate> {
        match ContextTemplate::parse(text, path, |kind| self.names.kinds.contains_key(kind)) {
            Ok(context) => Some(context),
            Err(fault) => {
                self.problem(field, fault);
                None
            }
        }
    }

    fn access(
        &mut self,
        endpoint: &EndpointEntry,
        path: &PathTemplate,
        context: Option<&ContextTemplate>,
    ) -> ResolvedAccess {
        let rules = [
            endpoint.permission.is_some(),
            !endpoint.all_of.is_empty(),
            !endpoint.any_of.is_empty(),
            endpoint.access.is_some(),
        ];
        if rules.into_iter().filter(|written| *written).count() > 1 {
            self.problem("access", Fault::TwoRules);
        }
        if let Some(access) = endpoint.access {
            return ResolvedAccess::Rule(access);
        }
        if let Some(name) = &endpoint.permission {
            let need = self.need("permission", name, None, path, context);
            return ResolvedAccess::AnyOf(vec![need.into_iter().collect()]);
        }
        if !endpoint.all_of.is_empty() {
            return ResolvedAccess::AnyOf(vec![self.alternative("all_of", &endpoint.all_of, path, context)]);
        }
        if endpoint.any_of.is_empty() {
            return ResolvedAccess::Denied;
        }
        if endpoint.any_of.len() > NEEDS_MAX {
            let fault = Fault::TooMany { what: "alternatives", count: endpoint.any_of.len(), max: NEEDS_MAX };
            self.problem("any_of", fault);
        }
        let alternatives = endpoint.any_of.iter().take(NEEDS_MAX).enumerate();
        ResolvedAccess::AnyOf(
            alternatives
                .map(|(which, needs)| self.alternative(&format!("any_of[{which}]"), needs, path, context))
                .collect(),
        )
    }

    fn alternative(
        &mut self,
        field: &str,
        needs: &[NeedEntry],
        path: &PathTemplate,
        context: Option<&ContextTemplate>,
    ) -> Vec<(usize, ContextTemplate)> {
        if needs.is_empty() {
            self.problem(field, Fault::EmptyAlternative);
        }
        if needs.len() > NEEDS_MAX {
            self.problem(field, Fault::TooMany { what: "needs", count: needs.len(), max: NEEDS_MAX });
        }
        let mut resolved = Vec::with_capacity(needs.len().min(NEEDS_MAX));
        for (which, need) in needs.iter().take(NEEDS_MAX).enumerate() {
            let field = format!("{field}[{which}]");
            resolved.extend(self.need(&field, need.permission(), need.context(), path, context));
        }
        resolved
    }

    /// One need. The endpoint's own context is missing here if it could not be read, which was told already.
    fn need(
        &mut self,
        field: &str,
        name: &str,
        own: Option<&str>,
        path: &PathTemplate,
        context: Option<&ContextTemplate>,
    ) -> Option<(usize, ContextTemplate)> {
        let context = match own {
            Some(own) => self.context(&format!("{field}.context"), own, path),
            None => context.cloned(),
        };
        let Some(&permission) = self.names.permissions.get(name) else {
            self.problem(field, Fault::Unknown { what: "permission", name: name.to_owned() });
            return None;
        };
        let context = context?;
        let reach = match context.kind() {
            None => GLOBAL_KIND,
            Some(kind) => self.names.kinds.get(kind).and_then(|kind| self.ancestry.get(*kind)).copied().unwrap_or(0),
        };
        if self.grantable[permission] & reach == 0 {
            let kind = context.kind().unwrap_or(GLOBAL).to_owned();
            self.problem(field, Fault::NotGrantable { permission: name.to_owned(), kind });
        }
        Some((permission, context))
    }
}
