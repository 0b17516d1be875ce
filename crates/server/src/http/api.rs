//! `/v1`: one file per noun, each a list of routes.

pub mod access_policies;
pub mod access_requests;
pub mod apis;
pub mod applications;
pub mod contexts;
pub mod credential_imports;
pub mod inbox;
pub mod leaks;
pub mod limits;
pub mod members;
pub mod organization_keys;
pub mod orgs;
pub mod policies;
pub mod records;
pub mod requests;
pub mod rights;
pub mod roles;
pub mod service_accounts;
pub mod sessions;
pub mod streams;
pub mod successions;
pub mod teams;
pub mod tokens;
pub mod users;
pub mod verifiers;
pub mod webhooks;

use super::routes::Routes;

/// Every route of `/v1` and of SCIM but the checks, which are answered before the router.
pub fn routes() -> Routes {
    Routes::new()
        .merge(sessions::routes())
        .merge(users::routes())
        .merge(tokens::routes())
        .merge(apis::routes())
        .merge(verifiers::routes())
        .merge(orgs::routes())
        .merge(members::routes())
        .merge(successions::routes())
        .merge(teams::routes())
        .merge(contexts::routes())
        .merge(roles::routes())
        .merge(organization_keys::routes())
        .merge(credential_imports::routes())
        .merge(leaks::routes())
        .merge(service_accounts::routes())
        .merge(applications::routes())
        .merge(requests::routes())
        .merge(policies::routes())
        .merge(rights::routes())
        .merge(access_policies::routes())
        .merge(limits::routes())
        .merge(records::routes())
        .merge(streams::routes())
        .merge(inbox::routes())
        .merge(webhooks::routes())
        .merge(super::scim::routes())
        .merge(super::authzen::routes())
        .merge(access_requests::routes())
}
