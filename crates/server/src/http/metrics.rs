//! Metrics for Prometheus, guarded like everything else: whoever has `system:read` at the publisher may see them.

use super::problem::Told;
use super::routes::caller;
use crate::app::App;
use crate::ops;
use crate::ops::system::SeeMetrics;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::IntoResponse;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The metrics as text.
pub async fn metrics(State(app): State<Arc<App>>, request: Request) -> Result<impl IntoResponse, Told> {
    let (parts, _) = request.into_parts();
    ops::query(&app, &caller(&parts, None)?, &SeeMetrics).await?;
    let stats = app.verify.journal().stats();
    metrics::gauge!("tegata_tokens_in_memory").set(approximate(app.verify.tokens_in_memory() as u64));
    metrics::gauge!("tegata_cache_bytes").set(approximate(app.verify.cache_bytes() as u64));
    metrics::gauge!("tegata_feed_sequence").set(approximate(app.verify.applied_sequence()));
    metrics::gauge!("tegata_records").set(approximate(stats.records));
    metrics::gauge!("tegata_record_bytes").set(approximate(stats.bytes));
    metrics::gauge!("tegata_record_failures").set(approximate(stats.append_failures + stats.flush_failures));
    let unknown = app.verify.unknown().counts();
    let counts = [
        ("tegata_unknown_tokens_read_total", &unknown.absent),
        ("tegata_unknown_tokens_throttled_total", &unknown.throttled),
        ("tegata_checks_summed_up_total", &unknown.summed_up),
    ];
    for (name, count) in counts {
        metrics::counter!(name).absolute(count.load(Ordering::Relaxed));
    }
    for (per, count) in app.verify.limits().held_back() {
        metrics::counter!("tegata_calls_held_back_total", "per" => per.as_str()).absolute(count);
    }
    metrics::gauge!("tegata_limit_subjects").set(approximate(app.verify.limits().subjects() as u64));
    let recording = app.verify.recording().health();
    metrics::gauge!("tegata_record_failing").set(f64::from(u8::from(recording.is_failing)));
    metrics::counter!("tegata_checks_unrecorded_total").absolute(recording.unrecorded);
    metrics::gauge!("tegata_columns_failing").set(f64::from(u8::from(app.settling.since().is_some())));
    let settled = app.verify.journal().column_stats().settled_sequence;
    metrics::gauge!("tegata_columns_settled_sequence").set(approximate(settled));
    let proof = app.proofs.health();
    metrics::gauge!("tegata_proof_signed_sequence").set(approximate(proof.signed_through));
    metrics::gauge!("tegata_proof_unsigned_records").set(approximate(proof.unsigned));
    metrics::gauge!("tegata_proof_findings").set(approximate(proof.findings));
    let streams = app.streams.health();
    metrics::counter!("tegata_stream_records_delivered_total").absolute(streams.delivered);
    metrics::counter!("tegata_stream_deliveries_failed_total").absolute(streams.failed);
    metrics::gauge!("tegata_streams_failing").set(approximate(streams.failing));
    metrics::gauge!("tegata_stream_records_behind").set(approximate(streams.behind));
    let webhooks = app.webhooks.health();
    metrics::counter!("tegata_webhook_events_delivered_total").absolute(webhooks.delivered);
    metrics::counter!("tegata_webhook_attempts_failed_total").absolute(webhooks.failed);
    metrics::gauge!("tegata_webhooks_failing").set(approximate(webhooks.failing));
    metrics::gauge!("tegata_webhook_events_waiting").set(approximate(webhooks.waiting));
    let text = app.metrics.render();
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text))
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a floating-point number by its format")]
const fn approximate(count: u64) -> f64 {
    count as f64
}
