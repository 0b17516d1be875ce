//! `/v1/orgs/{org}/webhooks` and `/v1/orgs/{org}/notice-settings`: whom an organization has told, and when.

use crate::http::routes::{NoBody, Routes};
use crate::ops::PageRequest;
use crate::ops::notice_settings::{self, SetNoticeSettings, ShowNoticeSettings};
use crate::ops::tokens;
use crate::ops::webhooks::create::{self, CreateWebhook};
use crate::ops::webhooks::delete::DeleteWebhook;
use crate::ops::webhooks::deliveries::{DeliveryQuery, ListDeliveries};
use crate::ops::webhooks::look::{ListWebhooks, ShowWebhook};
use crate::ops::webhooks::pause::PauseWebhook;
use crate::ops::webhooks::replay::{self, ReplayDelivery, ReplayWebhook};
use crate::ops::webhooks::resume::ResumeWebhook;
use crate::ops::webhooks::rotate::RotateWebhook;
use crate::ops::webhooks::test::TestWebhook;
use crate::ops::webhooks::update::{self, UpdateWebhook};

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .query::<ShowNoticeSettings, NoBody, _>(|path, _| Ok(ShowNoticeSettings { org: path.get("org") }))
        .mutation::<SetNoticeSettings, notice_settings::Body, _>(200, |path, body| {
            Ok(SetNoticeSettings { org: path.get("org"), body })
        })
        .mutation::<CreateWebhook, create::Body, _>(201, |path, body| Ok(CreateWebhook { org: path.get("org"), body }))
        .query::<ListWebhooks, PageRequest, _>(|path, page| Ok(ListWebhooks { org: path.get("org"), page }))
        .query::<ShowWebhook, NoBody, _>(|path, _| {
            Ok(ShowWebhook { org: path.get("org"), webhook: path.id("webhook")? })
        })
        .mutation::<UpdateWebhook, update::Body, _>(200, |path, body| {
            Ok(UpdateWebhook { org: path.get("org"), webhook: path.id("webhook")?, body })
        })
        .mutation::<DeleteWebhook, NoBody, _>(200, |path, _| {
            Ok(DeleteWebhook { org: path.get("org"), webhook: path.id("webhook")? })
        })
        .mutation::<PauseWebhook, tokens::revoke::Body, _>(200, |path, body| {
            Ok(PauseWebhook { org: path.get("org"), webhook: path.id("webhook")?, body })
        })
        .mutation::<ResumeWebhook, tokens::revoke::Body, _>(200, |path, body| {
            Ok(ResumeWebhook { org: path.get("org"), webhook: path.id("webhook")?, body })
        })
        .mutation_prepared::<TestWebhook, NoBody, _, _>(200, |app, caller, path, _| async move {
            TestWebhook::prepare(&app, &caller, path.get("org"), path.id("webhook")?).await
        })
        .mutation::<RotateWebhook, tokens::regenerate::Body, _>(200, |path, body| {
            Ok(RotateWebhook { org: path.get("org"), webhook: path.id("webhook")?, body })
        })
        .mutation::<ReplayWebhook, replay::Body, _>(200, |path, body| {
            Ok(ReplayWebhook { org: path.get("org"), webhook: path.id("webhook")?, body })
        })
        .query::<ListDeliveries, DeliveryQuery, _>(|path, query| {
            Ok(ListDeliveries { org: path.get("org"), webhook: path.id("webhook")?, query })
        })
        .mutation::<ReplayDelivery, tokens::revoke::Body, _>(200, |path, body| {
            let (webhook, delivery) = (path.id("webhook")?, path.id("delivery")?);
            Ok(ReplayDelivery { org: path.get("org"), webhook, delivery, body })
        })
}
