//! Whose own a request is: of whoever asks, of the credential's owner and maker, and of an application's, of the member who
//! answers for it and of whoever registered or installed it (DESIGN §2).

use crate::db::requests::Request;
use crate::db::tokens::Token;
use crate::db::{self, DbError, Tx};
use std::collections::BTreeSet;
use tegata_core::ids::UserId;
use tegata_core::owner::Owner;

/// The people whose own a request is.
pub async fn people(tx: &mut Tx, request: &Request, token: &Token) -> Result<BTreeSet<UserId>, DbError> {
    let mut people = BTreeSet::from([request.requester, token.created_by]);
    match token.owner {
        Owner::User(owner) => drop(people.insert(owner)),
        Owner::Application(_) => {
            if let Some((application, install)) = db::applications::of_token(tx, token.id).await? {
                people.extend([application.created_by, install.owner, install.created_by]);
            }
        }
        Owner::Organization(_) | Owner::ServiceAccount(_) => {}
    }
    Ok(people)
}
