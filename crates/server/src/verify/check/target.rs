//! What a question asks for, in terms of the rule: the endpoint's alternatives with their places looked up.

use crate::catalogues::Loaded;
use crate::verify::check::What;
use crate::verify::index::{NameBy, View};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::ops::Range;
use tegata_core::bits::PermissionNumber;
use tegata_core::catalogue::{Access, Matched, Need, OrganizationOf, PlaceRef, Unregistered};
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
    pub fn permission<'l>(&self, loaded: &'l Loaded) -> Option<&'l str> {
        match self {
            Self::Permission(number, _) => loaded.catalogue.permission(*number).map(|found| found.name.as_str()),
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

/// A place, looked up.
pub struct FoundPlace<'w> {
    /// Whether it is registered.
    pub registered: bool,
    /// The ids of the place, innermost first.
    pub chain: SmallVec<[ContextId; 2]>,
    /// The place as it was named.
    pub place: PlaceRef<'w>,
}

/// A need; its place is one of [`FoundNeeds::places`].
#[derive(Debug, Clone, Copy)]
pub struct FoundNeed {
    /// The permission.
    pub permission: PermissionNumber,
    /// Its level.
    pub level: Level,
    place: usize,
}

/// The alternatives of a question in one organization, needs in a row and where each alternative ends.
#[derive(Default)]
pub struct FoundNeeds<'w> {
    /// The needs of all alternatives.
    pub needs: SmallVec<[FoundNeed; 4]>,
    /// Where each alternative ends.
    pub ends: SmallVec<[usize; 4]>,
    /// Their places. Most endpoints have one.
    places: SmallVec<[FoundPlace<'w>; 1]>,
}

impl<'w> FoundNeeds<'w> {
    /// Where the needs of an alternative stand.
    pub fn range(&self, alternative: usize) -> Range<usize> {
        let begin = alternative.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        begin..self.ends.get(alternative).copied().unwrap_or(begin)
    }

    /// The place of a need.
    pub fn place(&self, need: &FoundNeed) -> Option<&FoundPlace<'w>> {
        self.places.get(need.place)
    }

    /// Looks up the places of all alternatives in an organization.
    pub fn look_up(&mut self, view: &View<'_>, loaded: &Loaded, wanted: &'w Wanted<'w>, org: OrgId) {
        self.needs.clear();
        self.ends.clear();
        self.places.clear();
        match wanted {
            Wanted::Nothing => {}
            Wanted::Permission(number, place) => {
                let level = loaded.catalogue.permission(*number).map(|permission| permission.level).unwrap_or_default();
                self.places.push(FoundPlace::look_up(view, loaded, org, place.as_ref().map(borrowed)));
                self.needs.push(FoundNeed { permission: *number, level, place: 0 });
                self.ends.push(1);
            }
            Wanted::Endpoint(matched) => {
                let Access::AnyOf(alternatives) = &matched.endpoint.access else { return };
                for place in &matched.endpoint.places {
                    self.places.push(FoundPlace::look_up(view, loaded, org, place.place(&matched.params).ok()));
                }
                for alternative in alternatives {
                    let needs = alternative.needs.iter();
                    self.needs.extend(needs.map(|Need { permission, level, place }| FoundNeed {
                        permission: *permission,
                        level: *level,
                        place: *place,
                    }));
                    self.ends.push(self.needs.len());
                }
            }
        }
    }
}

impl<'w> FoundPlace<'w> {
    /// Looks up a place. One that cannot be named is nowhere.
    fn look_up(view: &View<'_>, loaded: &Loaded, org: OrgId, place: Option<PlaceRef<'w>>) -> Self {
        let Some(place) = place else {
            return Self { registered: false, chain: SmallVec::new(), place: PlaceRef::Global };
        };
        let mut found = Self { registered: false, chain: SmallVec::new(), place };
        let declared = |kind: &str| loaded.catalogue.context_type(kind);
        let (kind, context) = match &found.place {
            PlaceRef::Global => {
                found.registered = true;
                return found;
            }
            PlaceRef::Id { kind, id } => (*kind, view.context_named(org, kind, NameBy::Id, id)),
            PlaceRef::Key { kind, key } if declared(kind).is_none_or(|kind| kind.case_sensitive) => {
                (*kind, view.context_named(org, kind, NameBy::Key, key))
            }
            PlaceRef::Key { kind, key } => {
                (*kind, view.context_named(org, kind, NameBy::FoldedKey, folded(key).as_ref()))
            }
        };
        if let Some(context) = context {
            view.chain(context, &mut found.chain);
            found.registered = true;
        } else if let Some(declared) = declared(kind) {
            // Only where the parent is the organization itself: any other parent would have to be guessed.
            found.registered = declared.unregistered == Unregistered::Parent && declared.parent().is_none();
        }
        found
    }
}

fn borrowed(place: &NamedPlace) -> PlaceRef<'_> {
    match place {
        NamedPlace::Global => PlaceRef::Global,
        NamedPlace::Id { kind, id } => PlaceRef::Id { kind, id: Cow::Borrowed(id) },
        NamedPlace::Key { kind, key } => PlaceRef::Key { kind, key: Cow::Borrowed(key) },
    }
}
