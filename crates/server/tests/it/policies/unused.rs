//! Credentials that nobody uses are revoked after as many days as the policy says, and never at once.

use super::*;
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);

async fn look(server: &Server) {
    tegata::ops::tokens::unused::overdue(&server.running.app).await.unwrap();
}

both_databases! {
    async fn what_nobody_uses_is_revoked_after_a_while(server: Server) {
        let mut office = Office::open(&server).await;
        let month = server.in_days(300);
        let (used_id, used) = doors_token(office.admin(), &month).await;
        let (idle_id, idle) = doors_token(office.admin(), &month).await;
        let key = json!({"name": "key", "expires_at": month, "grants": [{"api": "town", "scopes": ["doors:read"]}]});
        let key = text(office.admin().post("/v1/orgs/octo/organization-keys", key).await.status(201), "token");
        server.advance(DAY * 40);
        office.town.admin.client = admin_of(&server).await;
        // It counts from the change at the earliest: what was idle for longer is not stopped at once.
        assert_eq!(office.set("personal_token", json!({"unused_days": 30})).await.status(200)["unused_days"], 30);
        look(&server).await;
        assert_eq!(office.reason(&used).await, "granted");
        server.advance(DAY * 29);
        look(&server).await;
        assert_eq!(office.reason(&used).await, "granted");
        server.advance(DAY * 2);
        look(&server).await;
        assert_eq!((office.reason(&used).await, office.reason(&idle).await), ("granted".to_owned(), "revoked".to_owned()));
        // Another kind is not meant.
        assert_eq!(office.reason(&key).await, "granted");
        let admin = admin_of(&server).await;
        let shown = admin.get(&format!("/v1/orgs/octo/tokens/{idle_id}")).await;
        assert_eq!(shown.status(200)["state"], "revoked");
        let activity = admin.get(&format!("/v1/orgs/octo/activity?operation=org.token.revoke&subject={idle_id}")).await;
        let entry = &activity.status(200)["items"][0];
        assert_eq!((&entry["after"]["unused_days"], &entry["after"]["last_used_at"]), (&json!(30), &Value::Null));
        let inbox = admin.get("/v1/me/inbox").await;
        let told = inbox.status(200)["items"].as_array().unwrap().iter().filter(|one| one["kind"] == "credential_stopped").count();
        assert_eq!(told, 1, "{}", inbox.body);
        let stops = tegata::maintenance::stops::read(&server.config.stops_log()).unwrap().stops;
        assert!(stops.iter().any(|stop| stop.id == idle_id && stop.operation == "org.token.revoke"));
        // Whoever is used goes on, and ends as well when it is used no more.
        server.advance(DAY * 29);
        look(&server).await;
        let _ = office.gate.verify(doors_check(&used)).await;
        server.advance(DAY * 2);
        look(&server).await;
        let admin = admin_of(&server).await;
        assert_eq!(admin.get(&format!("/v1/orgs/octo/tokens/{used_id}")).await.status(200)["state"], "active");
    }

    async fn what_is_blocked_or_denied_is_not_revoked(server: Server) {
        let office = Office::open(&server).await;
        let end = server.in_days(200);
        let (blocked_id, blocked) = doors_token(office.admin(), &end).await;
        let (_, other) = doors_token(office.admin(), &end).await;
        office.set("personal_token", json!({"unused_days": 10, "admission": "deny"})).await.status(200);
        office.admin().post(&format!("/v1/orgs/octo/tokens/{blocked_id}/block"), json!({})).await.status(200);
        server.advance(DAY * 30);
        look(&server).await;
        let admin = admin_of(&server).await;
        assert_eq!((office.reason(&blocked).await, office.reason(&other).await), ("blocked".to_owned(), "policy_denied".to_owned()));
        // Admitted again, nothing is stopped at once.
        let open = json!({"admission": "allow", "level": "all", "max_lifetime_days": 365, "reason": "test"});
        let set = admin.put("/v1/orgs/octo/policies/personal_token", open.clone()).await;
        assert_eq!(set.status(200)["unused_days"], 10, "left out, it stays");
        look(&server).await;
        assert_eq!(office.reason(&other).await, "granted");
        server.advance(DAY * 11);
        admin_of(&server).await.post(&format!("/v1/orgs/octo/tokens/{blocked_id}/unblock"), json!({})).await.status(200);
        look(&server).await;
        assert_eq!(office.reason(&blocked).await, "granted", "it counts from when it was let go on");
        let admin = admin_of(&server).await;
        let mut never = open;
        never["unused_days"] = json!(0);
        assert_eq!(admin.put("/v1/orgs/octo/policies/personal_token", never.clone()).await.status(200)["unused_days"], Value::Null);
        server.advance(DAY * 50);
        look(&server).await;
        assert_eq!(office.reason(&blocked).await, "granted");
        never["unused_days"] = json!(366);
        admin_of(&server).await.put("/v1/orgs/octo/policies/personal_token", never).await.field("invalid", "unused_days");
    }
}

async fn admin_of(server: &Server) -> Client {
    server.sign_in("octo-admin@example.com").await
}
