//! `/v1/verifiers`: whatever asks for decisions.

use crate::http::routes::{NoBody, Routes};
use crate::ops::PageRequest;
use crate::ops::tokens;
use crate::ops::verifiers::create::{self, CreateVerifier};
use crate::ops::verifiers::look::{ListVerifiers, ShowVerifier};
use crate::ops::verifiers::regenerate::RegenerateVerifier;
use crate::ops::verifiers::revoke::RevokeVerifier;

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .mutation::<CreateVerifier, create::Body, _>(201, |_, body| Ok(CreateVerifier { body }))
        .query::<ListVerifiers, PageRequest, _>(|_, page| Ok(ListVerifiers { page }))
        .query::<ShowVerifier, NoBody, _>(|path, _| Ok(ShowVerifier { verifier: path.id("verifier")? }))
        .mutation::<RegenerateVerifier, tokens::regenerate::Body, _>(200, |path, body| {
            Ok(RegenerateVerifier { verifier: path.id("verifier")?, body })
        })
        .mutation::<RevokeVerifier, tokens::revoke::Body, _>(200, |path, body| {
            Ok(RevokeVerifier { verifier: path.id("verifier")?, body })
        })
}
