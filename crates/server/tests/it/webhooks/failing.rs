//! Receivers that fail for a while, for long, or want no more.

use super::{Acme, WEBHOOKS, has, id_of, path, told};
use crate::streams::receiver::{HANG, Hook};
use crate::streams::until;
use serde_json::json;
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);

both_databases! {
    async fn what_fails_is_tried_again_and_survives_a_restart(server: Server) {
        let acme = Acme::new(&server).await;
        let hook = Hook::open().await;
        hook.answers(500);
        let webhook = acme.hook(&hook, &["team.create"]).await;
        acme.teams("first", 3).await;
        until("it was tried twice", async || {
            acme.deliveries(&webhook, "&state=pending").await.iter().any(|delivery| delivery["attempts"].as_u64() > Some(1))
        })
        .await;
        let shown = acme.show(&webhook).await;
        assert_eq!((&shown["state"], &shown["reason"]), (&json!("failing"), &json!("status_500")));
        let server = server.restart().await;
        let acme = acme.at(&server);
        acme.teams("second", 3).await;
        hook.answers(204);
        let ids = acme.activity("team.create").await;
        has(&hook, &ids).await;
        let mut told = told(&hook);
        told.sort();
        told.dedup();
        assert_eq!(told.len(), 6);
        // Each attempt has the id of its delivery.
        for got in hook.all() {
            let same = |other: &&crate::streams::receiver::Got| other.json["data"]["id"] == got.json["data"]["id"];
            assert!(hook.all().iter().filter(same).all(|other| other.header("webhook-id") == got.header("webhook-id")));
        }
        until("it is active", async || acme.show(&webhook).await["state"] == "active").await;
    }

    async fn what_is_given_up_can_be_sent_again(server: Server) {
        let acme = Acme::new(&server).await;
        let hook = Hook::open().await;
        hook.answers(503);
        let webhook = acme.hook(&hook, &["team.create"]).await;
        let before = server.in_days(0);
        acme.teams("lost", 3).await;
        until("all were tried", async || {
            let list = acme.deliveries(&webhook, "").await;
            list.len() == 3 && list.iter().all(|delivery| delivery["attempts"] != 0)
        })
        .await;
        let acme = acme.after(&server, 3 * DAY).await;
        until("all were given up", async || acme.deliveries(&webhook, "&state=failed").await.len() == 3).await;
        let list = acme.deliveries(&webhook, "&state=failed").await;
        assert_eq!((&list[0]["failure"], &list[0]["status"]), (&json!("status_503"), &json!(503)));
        assert_eq!(acme.show(&webhook).await["deliveries"], json!({"pending": 0, "failed": 3}));
        hook.answers(200);
        let one = format!("deliveries/{}/replay", id_of(&list[0]));
        assert_eq!(acme.act(&webhook, &one, json!({})).await["state"], "pending");
        until("one arrived", async || told(&hook).len() == 1).await;
        let later = server.in_days(1);
        assert_eq!(acme.act(&webhook, "replay", json!({"since": later})).await["deliveries"], 0);
        assert_eq!(acme.act(&webhook, "replay", json!({"since": before})).await["deliveries"], 2);
        has(&hook, &acme.activity("team.create").await).await;
        // What was delivered can be sent again as well, under the same id.
        acme.act(&webhook, &one, json!({})).await;
        until("it came again", async || told(&hook).len() == 4).await;
        assert_eq!(hook.taken().pop().unwrap().header("webhook-id"), id_of(&list[0]));
        acme.admin.client.post(&path(&webhook, "replay"), json!({"since": "once"})).await.field("invalid", "since");
        let none = path(&webhook, "deliveries/whd_00000000000000000000000001/replay");
        acme.admin.client.post(&none, json!({})).await.problem("not_found");
        let state = path(&webhook, "deliveries?state=maybe");
        acme.admin.client.get(&state).await.field("invalid_parameter", "state");
    }

    async fn whoever_wants_no_more_gets_no_more(server: Server) {
        let acme = Acme::new(&server).await;
        let (gone, witness) = (Hook::open().await, Hook::open().await);
        gone.answers(410);
        let webhook = acme.hook(&gone, &["team.create"]).await;
        acme.hook(&witness, &["webhook.pause"]).await;
        acme.teams("crew", 1).await;
        until("it is disabled", async || acme.show(&webhook).await["reason"] == "receiver_gone").await;
        let tries = gone.all().len();
        until("that is told", async || !witness.taken().is_empty()).await;
        let event = &witness.taken()[0].json["data"];
        assert_eq!((&event["actor"]["type"], &event["after"]["reason"]), (&json!("system"), &json!("receiver_gone")));
        acme.teams("more", 2).await;
        tokio::time::sleep(Duration::from_millis(600)).await;
        assert_eq!(gone.all().len(), tries);
        gone.answers(200);
        acme.act(&webhook, "resume", json!({})).await;
        has(&gone, &acme.activity("team.create").await).await;
    }

    async fn what_fails_for_long_is_disabled(server: Server) {
        let acme = Acme::new(&server).await;
        let hook = Hook::open().await;
        hook.answers(500);
        let webhook = acme.hook(&hook, &["team.create"]).await;
        acme.teams("crew", 1).await;
        until("it fails", async || acme.show(&webhook).await["state"] == "failing").await;
        let acme = acme.after(&server, 4 * DAY).await;
        acme.teams("more", 1).await;
        until("the first was given up", async || !acme.deliveries(&webhook, "&state=failed").await.is_empty()).await;
        assert_eq!(acme.show(&webhook).await["state"], "failing");
        let acme = acme.after(&server, 2 * DAY).await;
        until("it is disabled", async || acme.show(&webhook).await["reason"] == "failing_for_long").await;
    }

    async fn receivers_of_one_organization_that_hang_hold_up_no_other(server: Server) {
        let acme = Acme::new(&server).await;
        let (hanging, own) = (Hook::open().await, Hook::open().await);
        hanging.answers(HANG);
        for _ in 0..20 {
            acme.hook(&hanging, &["*"]).await;
        }
        let body = json!({"name": "desk", "url": own.url()});
        let webhook = acme.other.client.post(&WEBHOOKS.replace("acme", "other"), body).await.status(201).clone();
        acme.teams("crew", 10).await;
        until("the neighbour has all of theirs", async || {
            own.taken().iter().filter(|got| got.json["type"] == "team.create").count() == 10
        })
        .await;
        assert!(own.taken().iter().all(|got| got.is_signed_by(webhook["secret"].as_str().unwrap())));
        assert!(hanging.taken().is_empty() && !hanging.all().is_empty());
    }
}
