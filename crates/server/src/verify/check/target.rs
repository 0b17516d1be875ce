//! What a question asks for, in terms of the rule: the endpoint's alternatives with their places looked up.

use crate::catalogues::Loaded;
use crate::verify::check::What;
use crate::verify::index::{ContextBy, ContextNamed, Index};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::ops::Range;
use tegata_core::bits::PermissionNumber;
use tegata_core::catalogue::{Access, Matched, OrganizationOf, PlaceRef, Unregistered};
use tegata_core::ids::{ContextId, OrgId};
use tegata_core::level::Level;
use tegata_core::name::folded;
use tegata_core::scope::Place as NamedPlace;

/// The endpoint or permission of a question, before it is known in which organization.
pub enum Wanted<'a> {
    /// There is no such endpoint or permission.
    Nothing,
    /// An endpoint.
    Endpoint(Matched<'a>),
    /// A permission in a place; the place is an error when it cannot be one.
    Permission(PermissionNumber, Option<NamedPlace>),
}

impl<'a> Wanted<'a> {
    /// Finds what a question asks for in the catalogue.
    pub fn find(loaded: &'a Loaded, what: &What<'a>) -> Self {
        match *what {
            What::Endpoint { method, path } => {
                loaded.catalogue.route(method, path).map_or(Self::Nothing, Self::Endpoint)
            }
            What::Permission { permission, context } => {
                let Some(number) = loaded.catalogue.number(permission) else { return Self::Nothing };
                let is_type = |word: &str| loaded.catalogue.is_type(word);
                let place = NamedPlace::parse(context.unwrap_or("global"), &is_type).ok();
                Self::Permission(number, place)
            }
        }
    }

    /// The organization, as far as the endpoint says.
    pub fn organization(&self) -> OrganizationOf<'_> {
        match self {
            Self::Endpoint(matched) => matched.organization(),
            Self::Nothing | Self::Permission(..) => OrganizationOf::Unsaid,
        }
    }

    /// The rule of an endpoint that names no permission.
    pub fn access(&self) -> Option<&Access> {
        match self {
            Self::Endpoint(matched) => Some(&matched.endpoint.access),
            Self::Nothing | Self::Permission(..) => None,
        }
    }

    /// The permission, where one was asked for by its name.
    pub fn permission(&self, loaded: &Loaded) -> Option<String> {
        match self {
            Self::Permission(number, _) => loaded.catalogue.permission(*number).map(|found| found.name.clone()),
            Self::Nothing | Self::Endpoint(_) => None,
        }
    }

    /// The path template, for the record.
    pub fn template(&self) -> Option<&str> {
        match self {
            Self::Endpoint(matched) => Some(&matched.endpoint.path),
            Self::Nothing | Self::Permission(..) => None,
        }
    }
}

/// A need with its place looked up.
pub struct FoundNeed<'w> {
    /// The permission.
    pub permission: PermissionNumber,
    /// Its level.
    pub level: Level,
    /// Whether the place is registered.
    pub registered: bool,
    /// The ids of the place, innermost first.
    pub chain: SmallVec<[ContextId; 2]>,
    /// The place as it was named.
    pub place: PlaceRef<'w>,
}

/// The alternatives of a question in one organization, needs in a row and where each alternative ends.
#[derive(Default)]
pub struct FoundNeeds<'w> {
    /// The needs of all alternatives.
    pub needs: SmallVec<[FoundNeed<'w>; 1]>,
    /// Where each alternative ends.
    pub ends: SmallVec<[usize; 2]>,
}

impl FoundNeeds<'_> {
    /// Where the needs of an alternative stand.
    pub fn range(&self, alternative: usize) -> Range<usize> {
        let begin = alternative.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        begin..self.ends.get(alternative).copied().unwrap_or(begin)
    }
}

/// Looks up the places of all alternatives in an organization.
pub fn needs_in<'w>(index: &Index, loaded: &Loaded, wanted: &'w Wanted<'w>, org: OrgId) -> FoundNeeds<'w> {
    let mut found = FoundNeeds::default();
    match wanted {
        Wanted::Nothing => {}
        Wanted::Permission(number, place) => {
            let need = match place {
                Some(place) => look_up(index, loaded, org, *number, borrowed(place)),
                None => unregistered(loaded, *number, PlaceRef::Global),
            };
            found.needs.push(need);
            found.ends.push(1);
        }
        Wanted::Endpoint(matched) => {
            if let Access::AnyOf(alternatives) = &matched.endpoint.access {
                for alternative in alternatives {
                    for need in &alternative.needs {
                        found.needs.push(match need.place(&matched.params) {
                            Ok(place) => look_up(index, loaded, org, need.permission, place),
                            Err(_) => unregistered(loaded, need.permission, PlaceRef::Global),
                        });
                    }
                    found.ends.push(found.needs.len());
                }
            }
        }
    }
    found
}

fn borrowed(place: &NamedPlace) -> PlaceRef<'_> {
    match place {
        NamedPlace::Global => PlaceRef::Global,
        NamedPlace::Id { kind, id } => PlaceRef::Id { kind, id: Cow::Borrowed(id) },
        NamedPlace::Key { kind, key } => PlaceRef::Key { kind, key: Cow::Borrowed(key) },
    }
}

/// A place as people write it.
pub fn named(place: &PlaceRef<'_>) -> NamedPlace {
    match place {
        PlaceRef::Global => NamedPlace::Global,
        PlaceRef::Id { kind, id } => NamedPlace::Id { kind: (*kind).to_owned(), id: id.to_string() },
        PlaceRef::Key { kind, key } => NamedPlace::Key { kind: (*kind).to_owned(), key: key.to_string() },
    }
}

fn unregistered<'w>(loaded: &Loaded, permission: PermissionNumber, place: PlaceRef<'w>) -> FoundNeed<'w> {
    let level = loaded.catalogue.permission(permission).map(|permission| permission.level).unwrap_or_default();
    FoundNeed { permission, level, registered: false, chain: SmallVec::new(), place }
}

fn look_up<'w>(
    index: &Index,
    loaded: &Loaded,
    org: OrgId,
    permission: PermissionNumber,
    place: PlaceRef<'w>,
) -> FoundNeed<'w> {
    let mut need = unregistered(loaded, permission, place);
    let (kind, by, text) = match &need.place {
        PlaceRef::Global => {
            need.registered = true;
            return need;
        }
        PlaceRef::Id { kind, id } => (*kind, ContextBy::Id, Cow::Borrowed(id.as_ref())),
        PlaceRef::Key { kind, key } => {
            let case_matters = loaded.catalogue.context_type(kind).is_none_or(|kind| kind.case_sensitive);
            if case_matters {
                (*kind, ContextBy::Key, Cow::Borrowed(key.as_ref()))
            } else {
                (*kind, ContextBy::FoldedKey, folded(key))
            }
        }
    };
    let found = index.context_names.pin().get(&ContextNamed { org, kind, by, text: &text }).copied();
    if let Some(context) = found {
        drop(text);
        index.chain(context, &mut need.chain);
        need.registered = true;
    } else if let Some(declared) = loaded.catalogue.context_type(kind) {
        drop(text);
        // Only where the parent is the organization itself: any other parent would have to be guessed.
        need.registered = declared.unregistered == Unregistered::Parent && declared.parent().is_none();
    }
    need
}
