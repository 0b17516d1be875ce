//! Setting limits: by whom, within which bounds, and what a change does to what was used.

use super::{Scene, allowed, left, limit, violated};
use crate::town::text;
use serde_json::{Value, json};

both_databases! {
    async fn limits_are_set_listed_changed_and_deleted(server: Server) {
        let scene = Scene::set(&server).await;
        let everywhere = scene.everywhere(limit("daily", 10, 86_400, "principal")).await;
        let mut body = limit("burst", 5, 10, "credential");
        (body["api"], body["class"], body["reason"]) = (json!("town"), json!("search"), json!("too many searches"));
        let own = scene.own(body).await;
        let expected = json!({"id": own["id"], "name": "burst", "policy": "organization/burst", "quota": 5,
            "window_seconds": 10, "per": "credential", "api": "town", "class": "search", "everywhere": false,
            "version": 1, "created_at": own["created_at"], "updated_at": own["updated_at"]});
        assert_eq!(own, expected);
        let (root, admin) = (&scene.town.root, &scene.town.admin.client);
        let names = |list: &Value| -> Vec<String> {
            list["items"].as_array().unwrap().iter().map(|item| text(item, "name")).collect()
        };
        // An organization sees what holds there; the publisher's list is the publisher's only.
        assert_eq!(names(admin.get("/v1/orgs/octo/limits").await.status(200)), ["daily", "burst"]);
        assert_eq!(names(root.get("/v1/limits").await.status(200)), ["daily"]);
        let first = admin.get("/v1/orgs/octo/limits?limit=1").await.status(200).clone();
        let rest = admin.get(&format!("/v1/orgs/octo/limits?cursor={}", text(&first, "next_cursor"))).await;
        assert_eq!((names(&first), names(rest.status(200))), (vec!["daily".to_owned()], vec!["burst".to_owned()]));
        let shown = admin.get("/v1/orgs/octo/limits/daily").await.status(200).clone();
        assert_eq!((&shown["everywhere"], &shown["id"]), (&json!(true), &everywhere["id"]));
        assert_eq!(admin.get(&format!("/v1/orgs/octo/limits/{}", text(&own, "id"))).await.status(200), &own);
        root.get("/v1/limits/burst").await.problem("not_found");
        // It is changed by whoever set it, and by nobody else.
        for reply in [
            admin.patch("/v1/orgs/octo/limits/daily", json!({"quota": 1_000_000})).await,
            admin.delete("/v1/orgs/octo/limits/daily").await,
        ] {
            assert_eq!(reply.status(403)["type"], "/problems/forbidden");
        }
        let changed = admin.patch("/v1/orgs/octo/limits/burst", json!({"quota": 6, "name": "bursts", "version": 1})).await;
        let changed = changed.status(200).clone();
        assert_eq!((&changed["quota"], &changed["window_seconds"], &changed["version"]), (&json!(6), &json!(10), &json!(2)));
        let late = admin.patch("/v1/orgs/octo/limits/bursts", json!({"quota": 7, "version": 1})).await;
        late.problem("conflict");
        assert_eq!(admin.get("/v1/orgs/octo/limits/bursts").await.status(200), &changed, "and nothing has changed");
        // An own limit may have the name of one for every organization, and is the one that is meant then.
        let twin = scene.own(limit("daily", 3, 86_400, "credential")).await;
        assert_eq!(admin.get("/v1/orgs/octo/limits/daily").await.status(200), &twin);
        assert_eq!(admin.delete("/v1/orgs/octo/limits/daily").await.status(200)["state"], "deleted");
        assert_eq!(admin.get("/v1/orgs/octo/limits/daily").await.status(200)["id"], everywhere["id"]);
        root.delete("/v1/limits/daily").await.status(200);
        admin.get("/v1/orgs/octo/limits/daily").await.problem("not_found");
        let activity = admin.get("/v1/orgs/octo/activity").await.status(200).clone();
        let entries = activity["items"].as_array().unwrap();
        let of = |operation: &str| entries.iter().find(|entry| entry["operation"] == operation).unwrap();
        assert_eq!((&of("limit.update")["before"]["quota"], &of("limit.update")["after"]["quota"]), (&json!(5), &json!(6)));
        assert_eq!(of("limit.delete")["before"]["name"], "daily");
        assert!(entries.iter().any(|entry| entry["operation"] == "limit.create" && entry["reason"] == "too many searches"));
    }

    async fn bad_limits_are_refused_with_their_field(server: Server) {
        let scene = Scene::set(&server).await;
        let with = |field: &str, value: Value| {
            let mut body = limit("fine", 5, 10, "credential");
            body[field] = value;
            body
        };
        let cases = [
            ("name", json!("Not A Name")),
            ("name", json!("")),
            ("name", json!("a\"b")),
            ("quota", json!(0)),
            ("quota", json!(1_000_000_001)),
            ("quota", json!(10_000_001)),
            ("window_seconds", json!(0)),
            ("window_seconds", json!(2_678_401)),
            ("per", json!("planet")),
            ("api", json!("nothing")),
            ("class", json!("No Class")),
            ("reason", json!("x".repeat(1001))),
        ];
        for (field, value) in cases {
            let body = with(field, value);
            for reply in [
                scene.town.root.post("/v1/limits", body.clone()).await,
                scene.town.admin.client.post("/v1/orgs/octo/limits", body.clone()).await,
            ] {
                assert_eq!(reply.problem("invalid")["errors"][0]["field"], field, "{body}");
            }
        }
        let mut unknown_class = with("api", json!("town"));
        unknown_class["class"] = json!("nothing");
        let reply = scene.town.root.post("/v1/limits", unknown_class).await;
        assert_eq!(reply.problem("invalid")["errors"][0]["field"], "class");
        // An API that the organization does not use is none of its business.
        let reply = scene.town.admin.client.post("/v1/orgs/octo/limits", with("api", json!("spare"))).await;
        assert_eq!(reply.problem("invalid")["errors"][0]["field"], "api");
        for strange in [with("quota", json!(-1)), with("quota", json!(1.5)), with("more", json!(1))] {
            scene.town.root.post("/v1/limits", strange).await.problem("malformed_body");
        }
        assert_eq!(scene.town.root.get("/v1/limits").await.status(200)["items"], json!([]));
        scene.own(limit("fine", 5, 10, "credential")).await;
        let again = scene.town.admin.client.post("/v1/orgs/octo/limits", limit("fine", 6, 10, "credential")).await;
        again.problem("duplicate");
        scene.own(limit("other", 5, 10, "credential")).await;
        let taken = scene.town.admin.client.patch("/v1/orgs/octo/limits/other", json!({"name": "fine"})).await;
        taken.problem("duplicate");
        for number in 2..20 {
            scene.own(limit(&format!("limit-{number}"), 5, 10, "credential")).await;
        }
        let full = scene.town.admin.client.post("/v1/orgs/octo/limits", limit("more", 5, 10, "credential")).await;
        full.problem("conflict");
    }

    async fn a_change_keeps_what_was_used(server: Server) {
        let scene = Scene::set(&server).await;
        scene.everywhere(limit("daily", 10, 86_400, "credential")).await;
        for _ in 0..8 {
            allowed(&scene.ask(&scene.one).await);
        }
        let root = &scene.town.root;
        // Eight calls of twelve, whatever the window.
        root.patch("/v1/limits/daily", json!({"quota": 12, "window_seconds": 3600})).await.status(200);
        assert_eq!(left(&scene.ask(&scene.one).await, "daily"), 3);
        assert_eq!(left(&scene.ask(&scene.other).await, "daily"), 11);
        // Nine of five are five of five.
        root.patch("/v1/limits/daily", json!({"quota": 5})).await.status(200);
        let no = scene.ask(&scene.one).await;
        assert_eq!(violated(&no), ["daily"]);
        assert!(no["retry_after_seconds"].as_u64().unwrap() <= 720, "one call of five in an hour: {no}");
        assert_eq!(left(&scene.ask(&scene.other).await, "daily"), 3);
        // A new name is a new name.
        root.patch("/v1/limits/daily", json!({"name": "hourly"})).await.status(200);
        assert_eq!(violated(&scene.ask(&scene.one).await), ["hourly"]);
        root.delete("/v1/limits/hourly").await.status(200);
        let free = scene.ask(&scene.one).await;
        allowed(&free);
        assert_eq!(free.get("rate_limit"), None);
        // What was used of a limit that is gone is no business of another.
        scene.everywhere(limit("hourly", 5, 3600, "credential")).await;
        assert_eq!(left(&scene.ask(&scene.one).await, "hourly"), 4);
    }

    async fn metrics_tell_of_calls_held_back(server: Server) {
        let scene = Scene::set(&server).await;
        let mut body = limit("one", 1, 3600, "organization");
        body["api"] = json!("town");
        scene.everywhere(body).await;
        allowed(&scene.ask(&scene.one).await);
        for _ in 0..3 {
            assert_eq!(violated(&scene.ask(&scene.other).await), ["one"]);
        }
        let metrics = scene.town.root.get("/metrics").await.status(200).as_str().unwrap().to_owned();
        // Tests share the metrics of their process.
        for name in ["tegata_calls_held_back_total{per=\"organization\"}", "tegata_limit_subjects"] {
            assert!(metrics.lines().any(|line| line.starts_with(name)), "{name} in {metrics}");
        }
        let held_back: u64 = server.running.app.verify.limits().held_back().map(|(_, count)| count).sum();
        assert_eq!((held_back, server.running.app.verify.limits().subjects()), (3, 1));
    }
}
