//! Sign in. Unknown address, inactive account, account without a password and wrong password look alike, in words and
//! in time; guessing is slowed down by account and by address.

use super::issue::issue;
use crate::app::App;
use crate::authn::password;
use crate::db::feed::Topic;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::view::PersonView;
use crate::ops::{Act, Caller, Change, Changes, Mutation};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::net::IpAddr;
use std::time::Duration;
use tegata_core::ids::UserId;
use tegata_core::name::fold;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use utoipa::ToSchema;

/// Characters of an address that are looked at; longer ones belong to nobody.
const EMAIL_MAX_CHARS: usize = 254;

/// What signs somebody in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInForm {
    /// The address of the account.
    pub email: String,
    /// Its password.
    #[schema(value_type = String, format = Password)]
    pub password: SecretString,
}

/// Signs in somebody whose password was found right.
#[derive(Debug)]
pub struct SignIn {
    user: UserId,
    /// The stored password that was compared; another one by now means that it was changed meanwhile.
    compared: String,
}

/// A fresh session.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SignedInView {
    /// The id of the session.
    pub id: String,
    /// Its secret, shown once: send it as `Authorization: Bearer …`.
    pub token: String,
    /// When it ends by itself.
    pub expires_at: String,
    /// Who is signed in.
    pub user: PersonView,
}

impl SignIn {
    /// Compares the password, outside of any transaction.
    pub async fn prepare(app: &App, caller: &Caller, form: SignInForm) -> Result<Self, Problem> {
        let account = account_name(&form.email);
        let address = caller.meta.address.map(address_name);
        let names: Vec<&str> = [Some(account.as_str()), address.as_deref()].into_iter().flatten().collect();
        wait_over(app, &names)?;
        let found = stored(app, &form.email).await?;
        let too_long = form.password.expose_secret().len() > password::PASSWORD_MAX_BYTES;
        let hash = found.as_ref().filter(|_| !too_long).map(|(_, hash)| hash.clone());
        let fits = password::verify(form.password, hash).await.map_err(|_| Problem::internal())?;
        // Again, since tries that came at the same time have failed by now: they share one allowance.
        wait_over(app, &names)?;
        match found {
            Some((user, compared)) if fits => {
                app.throttle.succeeded(&account);
                Ok(Self { user, compared })
            }
            _ => {
                app.throttle.failed(&names, app.clock.now());
                tracing::info!(address = ?caller.meta.address, "a sign-in was refused");
                Err(wrong())
            }
        }
    }
}

impl Mutation for SignIn {
    const OPERATION: &'static Operation = operations::SESSION_CREATE;
    type Output = SignedInView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(SignedInView, Changes), Problem> {
        let user = db::users::get(&mut act.tx, self.user).await.map_err(internal)?;
        let user = user.filter(|user| user.active).ok_or_else(wrong)?;
        let stored = db::users::password(&mut act.tx, user.id).await.map_err(internal)?;
        if stored.as_deref() != Some(self.compared.as_str()) {
            return Err(wrong());
        }
        let publisher = db::orgs::publisher(&mut act.tx).await.map_err(internal)?;
        let publisher = publisher.ok_or_else(wrong)?;
        let made = issue(act.app, &mut act.tx, user.id, act.meta, act.now).await;
        let (session, secret) = made.map_err(internal)?;
        let change = Change::new(publisher.id, session.id)
            .after(json!({"user": user.id.to_string(), "expires_at": session.expires_at.to_string()}))
            .by(&user)
            .feed(Topic::Session, None, session.id);
        let view = SignedInView {
            id: session.id.to_string(),
            token: secret.expose_secret().to_owned(),
            expires_at: session.expires_at.to_string(),
            user: PersonView::from(&user),
        };
        Ok((view, change.into()))
    }
}

/// The active account with this address, with its stored password.
async fn stored(app: &App, email: &str) -> Result<Option<(UserId, String)>, Problem> {
    if email.chars().count() > EMAIL_MAX_CHARS {
        return Ok(None);
    }
    let mut tx = app.db.read().await.map_err(internal)?;
    let user = db::users::by_email(&mut tx, email).await.map_err(internal)?;
    let Some(user) = user.filter(|user| user.active) else {
        return Ok(None);
    };
    let hash = db::users::password(&mut tx, user.id).await.map_err(internal)?;
    Ok(hash.map(|hash| (user.id, hash)))
}

/// The name under which failures of an account are counted.
pub(super) fn account_name(email: &str) -> String {
    format!("account {}", fold(email).chars().take(EMAIL_MAX_CHARS).collect::<String>())
}

/// The name under which failures from an address are counted. One customer has a whole /64 of IPv6.
fn address_name(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => format!("address {address}"),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("address {a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// Refuses as long as failures of late ask for patience.
pub(super) fn wait_over(app: &App, names: &[&str]) -> Result<(), Problem> {
    match app.throttle.wait(names, app.clock.now()) {
        None => Ok(()),
        Some(wait) => Err(Problem {
            retry_after_seconds: Some(whole_seconds(wait)),
            ..Problem::new(Code::TooManyRequests, "too many wrong passwords of late; wait before the next try")
        }),
    }
}

fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

fn wrong() -> Problem {
    Problem::new(Code::WrongCredentials, "no active account has this e-mail address and password")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_network_is_one_name() {
        let one = address_name("2001:db8:1:2:3::4".parse().unwrap());
        assert_eq!(one, address_name("2001:db8:1:2:ffff::1".parse().unwrap()));
        assert_ne!(one, address_name("2001:db8:1:3::1".parse().unwrap()));
        assert_eq!(address_name("::ffff:192.0.2.1".parse().unwrap()), address_name("192.0.2.1".parse().unwrap()));
    }

    #[test]
    fn letters_of_an_address_count_alike() {
        assert_eq!(account_name("Ada@Example.com"), account_name("ada@example.com"));
        assert!(account_name(&"x".repeat(100_000)).len() < 300);
    }
}
