//! `/v1/orgs/{org}/teams`: groups of members that have roles together.

use crate::http::routes::{NoBody, Routes};
use crate::ops::PageRequest;
use crate::ops::teams::add_member::AddTeamMember;
use crate::ops::teams::create::{CreateTeam, NewTeam};
use crate::ops::teams::delete::DeleteTeam;
use crate::ops::teams::list::ListTeams;
use crate::ops::teams::remove_member::RemoveTeamMember;
use crate::ops::teams::show::ShowTeam;

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .mutation::<CreateTeam, NewTeam, _>(201, |path, body| Ok(CreateTeam { org: path.get("org"), body }))
        .query::<ListTeams, PageRequest, _>(|path, page| Ok(ListTeams { org: path.get("org"), page }))
        .query::<ShowTeam, NoBody, _>(|path, _| Ok(ShowTeam { org: path.get("org"), team: path.get("team") }))
        .mutation::<AddTeamMember, NoBody, _>(200, |path, _| {
            Ok(AddTeamMember { org: path.get("org"), team: path.get("team"), user: path.get("user") })
        })
        .mutation::<RemoveTeamMember, NoBody, _>(200, |path, _| {
            Ok(RemoveTeamMember { org: path.get("org"), team: path.get("team"), user: path.get("user") })
        })
        .mutation::<DeleteTeam, NoBody, _>(200, |path, _| {
            Ok(DeleteTeam { org: path.get("org"), team: path.get("team") })
        })
}
