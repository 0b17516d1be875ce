//! `/v1/limits` and `/v1/orgs/{org}/limits`.

use crate::http::routes::{NoBody, Routes};
use crate::ops::PageRequest;
use crate::ops::limits::create::{self, CreateLimit};
use crate::ops::limits::delete::DeleteLimit;
use crate::ops::limits::look::{ListLimits, ShowLimit};
use crate::ops::limits::update::{self, UpdateLimit};
use crate::ops::limits::{Everywhere, Own, Whose};

/// The routes.
pub fn routes() -> Routes {
    of::<Everywhere>().merge(of::<Own>())
}

/// The same for one owner or the other; a path without an organization gives an empty one.
fn of<W: Whose>() -> Routes {
    Routes::new()
        .mutation::<CreateLimit<W>, create::Body, _>(201, |path, body| Ok(CreateLimit::new(path.get("org"), body)))
        .query::<ListLimits<W>, PageRequest, _>(|path, page| Ok(ListLimits::new(path.get("org"), page)))
        .query::<ShowLimit<W>, NoBody, _>(|path, _| Ok(ShowLimit::new(path.get("org"), path.get("limit"))))
        .mutation::<UpdateLimit<W>, update::Body, _>(200, |path, body| {
            Ok(UpdateLimit::new(path.get("org"), path.get("limit"), body))
        })
        .mutation::<DeleteLimit<W>, NoBody, _>(200, |path, _| Ok(DeleteLimit::new(path.get("org"), path.get("limit"))))
}
