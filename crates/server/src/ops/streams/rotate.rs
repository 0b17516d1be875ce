//! Give a webhook a new signing secret. The former one signs as well for a stated time, so that the receiver can be told
//! in between.

use super::create::fresh_secret;
use super::view::{StreamView, StreamWithSecret};
use super::{find, require_sending, settings, store};
use crate::db::WriteTx;
use crate::db::streams::Secrets;
use crate::ops::tokens::regenerate::{Body, checked_overlap};
use crate::ops::{Act, Change, Changes, Mutation};
use serde_json::json;
use tegata_core::ids::RecordStreamId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};

/// Give a stream a new secret.
#[derive(Debug, Clone)]
pub struct RotateStream {
    /// The organization.
    pub org: String,
    /// Which.
    pub stream: RecordStreamId,
    /// How.
    pub body: Body,
}

impl Mutation for RotateStream {
    const OPERATION: &'static Operation = operations::RECORD_STREAM_ROTATE;
    type Output = StreamWithSecret;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(StreamWithSecret, Changes), Problem> {
        let org = require_sending(act, Self::OPERATION, &self.org).await?.org.id;
        let overlap = checked_overlap(&self.body)?;
        let mut stream = find(act, org, self.stream).await?;
        let Some(secrets) = stream.secrets.take() else {
            return Err(Problem::new(Code::Conflict, "syslog messages are not signed; this stream has no secret"));
        };
        let until = act.now.plus(overlap);
        let (current, shown) = fresh_secret(act, &stream.id.to_string())?;
        let former = (!overlap.is_zero()).then_some((secrets.current, until));
        stream.secrets = Some(Secrets { current, former });
        store(act, &mut stream, false).await?;
        let view = StreamView::of(&stream, &settings(&stream)?, act.app.verify.lease().blocked().is_some());
        let change = Change::new(org, stream.id)
            .after(json!({"name": stream.name, "secret": "replaced", "old_secret_ends_at": until}))
            .because(self.body.reason.as_deref());
        Ok((StreamWithSecret { stream: view, secret: Some(shown) }, change.into()))
    }
}
