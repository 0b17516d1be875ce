//! Change where, how or which records a stream sends. It goes on where it was.

use super::create::written;
use super::input::{self, Said};
use super::view::StreamView;
use super::{find, require_sending, settings, store};
use crate::db::WriteTx;
use crate::ops::tokens::revoke::told_reason;
use crate::ops::{Act, Change, Changes, Mutation};
use crate::streams::settings::{Format, StreamFilter, Syslog, Target};
use serde::Deserialize;
use serde_json::json;
use tegata_core::ids::RecordStreamId;
use tegata_core::name;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;
use utoipa::ToSchema;

/// What to change; the rest stays.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RecordStreamUpdate)]
pub struct Body {
    /// The new name.
    pub name: Option<String>,
    /// Where it sends from now on.
    pub url: Option<String>,
    /// How records are written from now on.
    pub format: Option<Format>,
    /// Which records are sent from now on; an empty one for all.
    pub filter: Option<StreamFilter>,
    /// How syslog messages look from now on.
    pub syslog: Option<Syslog>,
    /// Why; other people read it.
    pub reason: Option<String>,
}

/// Change a stream.
#[derive(Debug, Clone)]
pub struct UpdateStream {
    /// The organization.
    pub org: String,
    /// Which.
    pub stream: RecordStreamId,
    /// What to change.
    pub body: Body,
}

impl Mutation for UpdateStream {
    const OPERATION: &'static Operation = operations::RECORD_STREAM_UPDATE;
    type Output = StreamView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(StreamView, Changes), Problem> {
        let org = require_sending(act, Self::OPERATION, &self.org).await?.org.id;
        told_reason(self.body.reason.as_deref())?;
        let mut stream = find(act, org, self.stream).await?;
        let former = settings(&stream)?;
        let blocked = act.app.verify.lease().blocked().is_some();
        let before = StreamView::of(&stream, &former, blocked);
        let body = self.body.clone();
        if let Some(title) = body.name {
            name::check_title(&title).map_err(|error| Problem::field("name", error))?;
            stream.name = title;
        }
        let (url, syslog) = match former.target.clone() {
            Target::Webhook { url } => (url, body.syslog),
            Target::Syslog { url, syslog } => (url, Some(body.syslog.unwrap_or(syslog))),
        };
        let said = Said {
            kind: former.target.kind().to_owned(),
            url: body.url.unwrap_or(url),
            format: Some(body.format.unwrap_or(former.format)),
            filter: body.filter.unwrap_or_else(|| former.filter.clone()),
            syslog,
        };
        let after = input::read(act, org, said).await?;
        let text = written(&after)?;
        let anew = text != stream.settings;
        stream.settings = text;
        store(act, &mut stream, anew).await?;
        let view = StreamView::of(&stream, &after, blocked);
        let change = Change::new(org, stream.id).before(json!(before)).after(json!(view));
        Ok((view, change.because(self.body.reason.as_deref()).into()))
    }
}
