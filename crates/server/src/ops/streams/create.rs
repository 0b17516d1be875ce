//! Make a record stream.

use super::input::{self, Said};
use super::view::{StreamView, StreamWithSecret};
use super::{STREAMS_MAX, require_sending};
use crate::authn::WebhookSecret;
use crate::db::streams::{Progress, Secrets, Stream};
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::{Act, Change, Changes, Mutation};
use crate::streams::settings::{Format, Settings, StreamFilter, Syslog, Target};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::json;
use tegata_core::ids::RecordStreamId;
use tegata_core::name;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use utoipa::ToSchema;

/// What a stream shall be.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RecordStreamCreate)]
pub struct Body {
    /// What people call it.
    pub name: String,
    /// `webhook` or `syslog`.
    pub kind: String,
    /// Where to: `https://…` of a webhook, `tls://host:port` of a syslog receiver. `http://` and `tcp://` where the
    /// operator lets records be sent unencrypted.
    pub url: String,
    /// How records are written: `json` or `ocsf`, and for syslog also `structured`. Left out: `json` for a webhook,
    /// `structured` for syslog.
    pub format: Option<Format>,
    /// Which records; all of the organization's, if it is left out.
    #[serde(default)]
    pub filter: StreamFilter,
    /// How syslog messages look.
    pub syslog: Option<Syslog>,
    /// Where it begins: a moment, or the id of an access record, with which it begins. Left out: with the next record.
    pub from: Option<String>,
}

/// Make a stream.
#[derive(Debug, Clone)]
pub struct CreateStream {
    /// The organization.
    pub org: String,
    /// What it shall be.
    pub body: Body,
}

impl Mutation for CreateStream {
    const OPERATION: &'static Operation = operations::RECORD_STREAM_CREATE;
    type Output = StreamWithSecret;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(StreamWithSecret, Changes), Problem> {
        let org = require_sending(act, Self::OPERATION, &self.org).await?.org.id;
        let body = &self.body;
        name::check_title(&body.name).map_err(|error| Problem::field("name", error))?;
        let said = Said {
            kind: body.kind.clone(),
            url: body.url.clone(),
            format: body.format,
            filter: body.filter.clone(),
            syslog: body.syslog.clone(),
        };
        let settings = input::read(act, org, said).await?;
        let (position, from) = match body.from.as_deref() {
            None => (act.app.verify.journal().last_sequence(), None),
            Some(text) => input::beginning(act, text)?,
        };
        if db::streams::count(act.tx(), org).await.map_err(internal)? >= STREAMS_MAX {
            let message = format!("an organization has at most {STREAMS_MAX} record streams; delete one first");
            return Err(Problem::new(Code::Conflict, message));
        }
        let id = act.id(RecordStreamId::new);
        let (secrets, shown) = match settings.target {
            Target::Webhook { .. } => {
                let (secret, shown) = fresh_secret(act, &id.to_string())?;
                (Some(Secrets { current: secret, former: None }), Some(shown))
            }
            Target::Syslog { .. } => (None, None),
        };
        let stream = Stream {
            id,
            org,
            name: body.name.clone(),
            settings: written(&settings)?,
            secrets,
            pass: db::streams::next_pass(0, act.now),
            progress: Progress { position, ..Progress::default() },
            from,
            missed: 0,
            paused: None,
            created_at: act.now,
            created_by: act.actor.user.id.to_string(),
        };
        db::streams::insert(&mut act.tx, &stream).await.map_err(internal)?;
        let view = StreamView::of(&stream, &settings, act.app.verify.lease().blocked().is_some());
        let change = Change::new(org, id).after(json!(view));
        Ok((StreamWithSecret { stream: view, secret: shown }, change.into()))
    }
}

/// A new signing secret of the thing with this id: as it is stored, and as it is shown once.
pub(in crate::ops) fn fresh_secret(act: &Act<'_, WriteTx>, about: &str) -> Result<(String, String), Problem> {
    let secret = WebhookSecret::generate(&act.app.entropy);
    let sealed = secret.seal(&act.app.sealer, &act.app.entropy, about).map_err(|error| {
        tracing::error!(%error, "a secret could not be sealed");
        Problem::internal()
    })?;
    Ok((sealed, secret.text().expose_secret().to_owned()))
}

/// Settings as they are stored.
pub(super) fn written(settings: &Settings) -> Result<String, Problem> {
    serde_json::to_string(settings).map_err(|_| Problem::internal())
}
