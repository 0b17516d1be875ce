//! Register an application. It is installed where it is registered, and can do nothing yet.

use super::required;
use super::view::{ApplicationView, ApplicationWithSecret, RequiredView};
use crate::authn::mint::mint;
use crate::db::applications::{Application, Install};
use crate::db::feed::Topic;
use crate::db::orgs::Org;
use crate::db::tokens::Token;
use crate::db::{self, WriteTx};
use crate::ops::access_keys::secret::random_letters;
use crate::ops::act::internal;
use crate::ops::service_accounts::create::member;
use crate::ops::tokens::broken::Broken;
use crate::ops::tokens::create::world::World;
use crate::ops::{Act, Change, Changes, Mutation};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::json;
use tegata_core::credential::{Coverage, CredentialKind, CredentialState};
use tegata_core::ids::{ApplicationId, TokenId, UserId};
use tegata_core::name;
use tegata_core::operations::{self, Operation};
use tegata_core::owner::Owner;
use tegata_core::policy::Admission;
use tegata_core::problem::{Code, Problem};
use tegata_core::secret::SecretKind;
use tegata_core::time::Timestamp;
use utoipa::ToSchema;

/// Letters of a client id.
const CLIENT_ID_LETTERS: usize = 25;

/// An application to be.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ApplicationCreate)]
pub struct Body {
    /// What people call it; once in the organization.
    #[schema(example = "Release bot")]
    pub name: String,
    /// What it does; whoever lets it in reads it.
    #[serde(default)]
    pub description: Option<String>,
    /// Id or e-mail address of the member who answers for it; left out for whoever registers it.
    #[serde(default)]
    pub owner: Option<String>,
    /// Whether every organization may install it: in the publisher's organization only.
    #[serde(default)]
    pub shared: bool,
    /// What it needs in every place where it is let in.
    #[serde(default)]
    pub required: Vec<RequiredView>,
}

/// Register an application.
#[derive(Debug, Clone)]
pub struct CreateApplication {
    /// The organization.
    pub org: String,
    /// What it shall be.
    pub body: Body,
}

impl Mutation for CreateApplication {
    const OPERATION: &'static Operation = operations::APPLICATION_CREATE;
    type Output = ApplicationWithSecret;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org;
        let (app, body, now, user) = (act.app, &self.body, act.now, act.actor.user.id);
        let world = World::read(act, CredentialKind::Application, org.id).await?;
        let mut broken = Broken::default();
        broken.take("name", name::check_title(&body.name));
        let description = body.description.clone().unwrap_or_default();
        broken.take("description", name::check_reason(&description));
        require_publisher(body.shared, &org, &mut broken);
        let required = required::read(&body.required, &world, &mut broken);
        broken.told(Code::Invalid)?;
        require_open(&world)?;
        let owner = match &body.owner {
            Some(named) => member(&mut act.tx, org.id, named).await?,
            None => user,
        };
        require_free(act, &org, &body.name, None).await?;
        let application = Application {
            id: act.id(ApplicationId::new),
            org: org.id,
            client_id: random_letters(act.app.entropy, CLIENT_ID_LETTERS),
            name: body.name.clone(),
            description,
            shared: body.shared,
            created_by: user,
            created_at: now,
        };
        db::applications::insert(&mut act.tx, &application).await.map_err(internal)?;
        db::applications::set_required(&mut act.tx, org.id, application.id, &required).await.map_err(internal)?;
        let install = carry(act, &application, &org, owner).await?;
        let minted = mint(&app.hasher, &app.entropy, &app.product, SecretKind::ClientSecret);
        let subject = application.id.to_string();
        db::secrets::insert(&mut act.tx, minted.digest, minted.key_id, &subject, now).await.map_err(internal)?;
        let view = ApplicationView::read(act, &application, &install).await.map_err(internal)?;
        let change = Change::new(org.id, application.id)
            .after(json!({"name": view.name, "client_id": view.client_id, "owner": owner.to_string(),
                "shared": view.shared, "required": view.required}))
            .feed(Topic::Application, None, application.id);
        let client_secret = minted.text.expose_secret().to_owned();
        Ok((ApplicationWithSecret { view, client_secret }, change.into()))
    }
}

/// Makes the credential that carries an application's rights in an organization, and installs it there.
pub async fn carry(
    act: &mut Act<'_, WriteTx>,
    application: &Application,
    org: &Org,
    owner: UserId,
) -> Result<Install, Problem> {
    let (now, user) = (act.now, act.actor.user.id);
    let token = Token {
        id: act.id(TokenId::new),
        owner: Owner::Application(application.id),
        kind: CredentialKind::Application,
        coverage: Coverage::Listed,
        name: application.name.clone(),
        state: CredentialState::Active,
        reason: application.description.clone(),
        addresses: Vec::new(),
        created_by: user,
        created_at: now,
        expires_at: Timestamp::MAX,
        revoked_at: None,
    };
    let install =
        Install { org: org.id, application: application.id, token: token.id, owner, created_by: user, created_at: now };
    db::tokens::insert(&mut act.tx, &token).await.map_err(internal)?;
    db::tokens::insert_part(&mut act.tx, org.id, token.id, now).await.map_err(internal)?;
    db::applications::install(&mut act.tx, &install).await.map_err(internal)?;
    Ok(install)
}

/// Notes that only the publisher offers applications to others.
pub fn require_publisher(shared: bool, org: &Org, broken: &mut Broken) {
    if shared && !org.publisher {
        broken.note("shared", "only the publisher's organization offers applications to others");
    }
}

/// Whether the organization takes applications at all.
pub fn require_open(world: &World) -> Result<(), Problem> {
    if world.policy().admission == Admission::Deny {
        let detail = format!("the policy of {} admits no applications (application_token)", world.org.key);
        return Err(Problem::new(Code::Forbidden, detail).with("reason", "policy_denied"));
    }
    Ok(())
}

/// Whether no other live application of the organization's own has this name.
pub async fn require_free(
    act: &mut Act<'_, WriteTx>,
    org: &Org,
    name: &str,
    but: Option<ApplicationId>,
) -> Result<(), Problem> {
    let taken = db::applications::named(act.tx(), org.id, name).await.map_err(internal)?;
    if taken.is_some_and(|id| Some(id) != but) {
        return Err(Problem::new(Code::Duplicate, "the organization has an application of this name")
            .with("name", "the name is taken"));
    }
    Ok(())
}
