//! contexts

use crate::http::routes::Routes;

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
}
