//! Receipts: the proof that a stop has reached every checkpoint. A receipt covers every check that begins after it
//! (DESIGN §5).

use serde::Serialize;
use tegata_core::time::Timestamp;
use utoipa::ToSchema;

/// What is told when something was stopped. The frame fills it in after the change was applied here.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Receipt {
    /// The id of what was stopped.
    pub id: String,
    /// The state it has now.
    pub state: String,
    /// From when on no check says yes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective_at: Option<String>,
    /// The number of the change in the feed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
    /// Who decides, and whether the stop has reached them.
    pub verifiers: Vec<Applied>,
}

/// One place where decisions are made.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Applied {
    /// The node.
    pub id: String,
    /// Whether it has applied the change.
    pub applied: bool,
}

impl Receipt {
    /// A receipt that the frame will complete.
    #[expect(clippy::needless_pass_by_value, reason = "ids are handed over as they come")]
    pub fn of(id: impl ToString, state: &str) -> Self {
        Self { id: id.to_string(), state: state.to_owned(), effective_at: None, sequence: None, verifiers: Vec::new() }
    }
}

/// Completes a receipt within an answer, where there is one: after the change was applied.
pub fn complete(body: &mut serde_json::Value, node: &str, sequence: u64, now: Timestamp) {
    let Some(receipt) = body.as_object_mut().filter(|body| body.contains_key("verifiers")) else {
        return;
    };
    receipt.insert("effective_at".to_owned(), now.to_string().into());
    receipt.insert("sequence".to_owned(), sequence.into());
    receipt.insert("verifiers".to_owned(), serde_json::json!([{"id": node, "applied": true}]));
}
