//! Whose a secret is that leaked: asked by whoever shows it, to have it stopped.

use super::Verify;
use super::clients::{self, Compared};
use super::imported;
use crate::authn::Digest;
use crate::db::{self, DbError};
use std::net::IpAddr;
use std::time::Duration;
use tegata_core::ids::{ApplicationId, SessionId, TokenId, VerifierId};

/// What a secret opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Leaked {
    /// A token or key of any kind.
    Token(TokenId),
    /// The same, by a secret that ends by itself: what was given for a while, or was replaced and counts a little longer.
    Secret(TokenId, Digest),
    /// Signing in as an application.
    Application(ApplicationId),
    /// A verifier's door.
    Verifier(VerifierId),
    /// A person's session.
    Session(SessionId),
}

/// What looking came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// It opens this.
    Of(Leaked),
    /// It opens nothing, or nothing any more.
    Nobody,
    /// It was not looked for; a try makes sense after this time.
    Wait(Duration),
}

impl Verify {
    /// What a secret opens that somebody shows: a token, or a [pair](clients::pair) of client id and secret.
    pub async fn whose(&self, shown: &str, address: Option<IpAddr>) -> Result<Whose, DbError> {
        if let Some((client_id, secret)) = clients::split(shown) {
            return Ok(match self.compare_client(client_id, secret, address).await? {
                Compared::Right(key) => Whose::Of(Leaked::Token(key.token)),
                Compared::Wrong => Whose::Nobody,
                Compared::Wait(after) => Whose::Wait(after),
            });
        }
        let now = self.clock.now();
        let mut tx = self.db.read().await?;
        for digest in self.digests_of(shown) {
            // A secret that was replaced opens nothing any more, and stops nothing.
            let holder = db::secrets::find(&mut tx, digest).await?;
            let live = holder.filter(|holder| holder.valid_until.is_none_or(|until| now < until));
            let Some((subject, ends)) = live.map(|holder| (holder.subject, holder.valid_until.is_some())) else {
                continue;
            };
            let of_token = |id| if ends { Leaked::Secret(id, digest) } else { Leaked::Token(id) };
            let token = subject.parse().map(of_token).ok();
            let application = || subject.parse().map(Leaked::Application).ok();
            let verifier = || subject.parse().map(Leaked::Verifier).ok();
            let session = || subject.parse().map(Leaked::Session).ok();
            return Ok(token.or_else(application).or_else(verifier).or_else(session).map_or(Whose::Nobody, Whose::Of));
        }
        drop(tx);
        Ok(match self.compare_leaked(shown, address).await? {
            imported::Compared::Right(waiting) => Whose::Of(Leaked::Token(waiting.token)),
            imported::Compared::Wrong => Whose::Nobody,
            imported::Compared::Wait(after) => Whose::Wait(after),
        })
    }
}
