//! Access requests: from a denial to a task, and what becomes of it.

use super::*;
use reqwest::Method;
use std::time::Duration;

const REQUESTS: &str = "/access/v1/requests";

both_databases! {
    async fn what_was_denied_is_asked_for_and_the_same_credential_goes_on(server: Server) {
        let scenario = Scenario::open(&server).await;
        ask_for_words(&scenario.admin, false).await;
        let (question, request) = scenario.denied("delete_hard", "record-1").await;
        let filed = scenario.robot().post(REQUESTS, request).await;
        let task = filed.status(202)["task"].clone();
        let here = format!("{}{}", server.base, place_of(&task));
        assert_eq!((task["status"].as_str(), task["status_endpoint"].as_str()), (Some("pending"), Some(here.as_str())));
        assert_eq!((filed.headers["location"].to_str().unwrap(), filed.headers["retry-after"].to_str().unwrap()), (here.as_str(), "5"));
        assert_eq!(task["links"]["cancel"], format!("{here}/cancel"));
        assert_eq!(task["progress"], json!({"current_step": 1, "total_steps": 1, "step_name": "approval"}));
        assert!(task.get("items").is_none() && filed.body.get("result").is_none(), "{}", filed.body);
        // It is a request like any other, and says what it was asked for.
        let kept = scenario.admin.get(&format!("/v1/orgs/octo/requests/{}", scenario.open_request().await)).await;
        assert_eq!(kept.status(200)["reason"], "the books have to close");
        assert_eq!(kept["lines"][0]["scope"], "record:key:record-1:delete_hard");
        assert_eq!(kept["requester"]["name"], "alice");
        let told = scenario.evaluate(question.clone()).await;
        assert_eq!(told.status(200)["context"]["reason"], "approval_pending");
        assert!(told["context"].get("access_request").is_none(), "it is under way");
        let activity = scenario.admin.get("/v1/orgs/octo/activity?limit=1").await;
        assert_eq!(activity.status(200)["items"][0]["operation"], "request.file");
        assert_eq!(activity["items"][0]["after"]["task"], task["id"]);

        scenario.decide(json!({"approve_all": true})).await.status(200);
        let done = scenario.task(&task).await;
        assert_eq!((done["task"]["status"].as_str(), done["result"]["mode"].as_str()), (Some("approved"), Some("reevaluate")));
        assert!(done["task"].get("links").is_none() && done["task"].get("progress").is_none());
        let approval = done["result"]["approval"].clone();
        assert!(text(&approval, "id").starts_with("apv_") && text(&approval, "approved_at") < text(&approval, "approved_until"));
        assert!(scenario.decision(&scenario.alice, "delete_hard", "record-1").await);
        let mut again = question.clone();
        again["context"] = json!({"approval": approval});
        assert_eq!(scenario.evaluate(again).await.status(200)["decision"], true);

        // The approval opens nothing to anybody else, nor to anything else.
        let mut bobs = asked(&scenario.bob, "delete_hard", "record-1");
        bobs["context"] = json!({"approval": approval});
        let told = scenario.evaluate(bobs).await;
        assert_eq!(told.status(200)["decision"], false);
        assert_eq!((&told["context"]["reason"], &told["context"]["next_action"]), (&json!("out_of_scope"), &json!("request")));
        let mut other = asked(&scenario.alice, "delete_hard", "record-2");
        other["context"] = json!({"approval": approval});
        let told = scenario.evaluate(other.clone()).await;
        assert_eq!((&told.status(200)["decision"], &told["context"]["check_reason"]), (&json!(false), &json!("insufficient_scope")));
        other["context"] = json!({"approval": text(&approval, "id")});
        assert_eq!(scenario.evaluate(other).await.status(200)["context"]["reason"], "approval_unverifiable");
        for secret in [text(&approval, "id"), text(&task, "id")] {
            assert!(!scenario.decision(&secret, "delete_hard", "record-1").await);
            scenario.gate.with(&secret).get(&place_of(&task)).await.problem("unauthenticated");
        }

        // What is taken away again was approved, and is denied.
        let listed = scenario.admin.get("/v1/orgs/octo/requests").await;
        let path = format!("/v1/orgs/octo/requests/{}/ungrant", text(&listed.status(200)["items"][0], "id"));
        scenario.admin.post(&path, json!({})).await.status(200);
        assert_eq!(scenario.task(&task).await["task"]["status"], "approved");
        assert!(!scenario.decision(&scenario.alice, "delete_hard", "record-1").await);
    }

    async fn only_that_credential_and_its_owner_know_the_task(server: Server) {
        let scenario = Scenario::open(&server).await;
        ask_for_words(&scenario.admin, false).await;
        let (_, task) = scenario.filed("delete_hard", "record-1").await;
        let alice = server.sign_in("alice@example.com").await;
        assert_eq!(alice.get(&place_of(&task)).await.status(200)["task"]["status"], "pending");
        let body = json!({"name": "second", "expires_at": server.in_days(30), "reason": "test",
            "grants": [{"organization": "octo", "api": "archive", "scopes": ["record:key:record-1:read"]}]});
        let second = alice.with(&text(alice.post("/v1/me/tokens", body).await.status(201), "token"));
        for (who, client) in [("her other credential", &second), ("bob", &scenario.bob_himself), ("his credential", &scenario.gate.with(&scenario.bob)), ("the administrator", &scenario.admin)] {
            let reply = client.get(&place_of(&task)).await;
            assert_eq!(reply.status, 404, "{who}");
            refused(&reply, 404, "unknown_task");
            refused(&client.post(&format!("{}/cancel", place_of(&task)), json!({})).await, 404, "unknown_task");
        }
        for client in [server.anybody(), scenario.gate.clone()] {
            client.get(&place_of(&task)).await.problem("unauthenticated");
        }
        for id in ["tsk_00000000000000000000000001", "req_00000000000000000000000001", "x"] {
            refused(&alice.get(&format!("{REQUESTS}/{id}")).await, 404, "unknown_task");
        }
        server.advance(Duration::from_hours(24 * 38));
        let alice = server.sign_in("alice@example.com").await;
        refused(&alice.get(&place_of(&task)).await, 410, "task_expired");
    }

    async fn a_request_belongs_to_its_denial(server: Server) {
        let scenario = Scenario::open(&server).await;
        ask_for_words(&scenario.admin, false).await;
        let (_, good) = scenario.denied("delete_hard", "record-1").await;
        let robot = scenario.robot();
        let with = |pointer: &str, value: Value| {
            let mut body = good.clone();
            *body.pointer_mut(pointer).unwrap() = value;
            body
        };
        let mut changed = text(&good["denial"], "binding_token").into_bytes();
        changed[40] = if changed[40] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        for body in [
            with("/subject/id", json!(scenario.bob)),
            with("/subject/id", json!("tok_00000000000000000000000001")),
            with("/subject/type", json!("user")),
            with("/resource/id", json!("record-2")),
            with("/resource/type", json!("organization")),
            with("/resource", json!({"type": "record", "id": "record-1", "properties": {"api": "spare"}})),
            with("/resource", json!({"type": "record", "id": "record-1", "properties": {"organization": "acme"}})),
            with("/action/name", json!("write")),
            with("/action/name", json!("shred")),
            with("/denial/binding_token", json!(changed)),
            with("/denial/binding_token", json!("")),
            with("/denial/binding_token", json!(null)),
            with("/denial", json!(null)),
        ] {
            let reply = robot.post(REQUESTS, body.clone()).await;
            assert_eq!(reply.status, 400, "{body}: {}", reply.body);
            refused(&reply, 400, "invalid_denial_binding");
        }
        for body in [
            json!({}), with("/subject", json!(["token", scenario.alice])), with("/denial", json!([])), with("/resource", json!("record-1")), with("/action", json!({})), with("/denial/expires_at", json!("soon")),
            with("/resource/type", json!("")), json!([good]),
        ] {
            robot.post(REQUESTS, body).await.problem("malformed_body");
        }
        // Somebody else's credential, and another of the same owner's, file it not.
        let alice = server.sign_in("alice@example.com").await;
        let body = json!({"name": "second", "expires_at": server.in_days(30), "reason": "test",
            "grants": [{"organization": "octo", "api": "archive", "scopes": ["record:key:record-1:read"]}]});
        let second = alice.with(&text(alice.post("/v1/me/tokens", body).await.status(201), "token"));
        for client in [&second, &scenario.gate.with(&scenario.bob), &scenario.bob_himself, &scenario.admin] {
            client.post(REQUESTS, good.clone()).await.problem("forbidden");
        }
        for client in [server.anybody(), scenario.gate.clone()] {
            client.post(REQUESTS, good.clone()).await.problem("unauthenticated");
        }
        let listed = scenario.admin.get("/v1/orgs/octo/requests?state=open").await;
        assert_eq!(listed.status(200)["items"].as_array().unwrap().len(), 1, "the one of the second token only");
        // By its id the owner names it without having the secret.
        let shown = alice.get("/v1/me/tokens").await;
        let id = shown.status(200)["items"].as_array().unwrap().iter().find(|one| one["name"] == "alice").map(|one| text(one, "id"));
        let reply = alice.post(REQUESTS, with("/subject/id", json!(id.unwrap()))).await;
        assert_eq!(reply.status(202)["task"]["status"], "pending");
        let path = format!("{}/cancel", place_of(&reply["task"]));
        robot.post(&path, json!({})).await.status(200);
        refused(&robot.post(REQUESTS, with("/denial/expires_at", json!("2020-01-01T00:00:00Z"))).await, 410, "expired_denial");
        server.advance(Duration::from_mins(16));
        refused(&robot.post(REQUESTS, good.clone()).await, 410, "expired_denial");
    }

    async fn a_repetition_is_the_same_task(server: Server) {
        let scenario = Scenario::open(&server).await;
        ask_for_words(&scenario.admin, false).await;
        let (_, request) = scenario.denied("delete_hard", "record-1").await;
        let robot = scenario.robot();
        let send = async |body: &Value| robot.send(Method::POST, REQUESTS, Some(body.clone()), &[("idempotency-key", "k-1")]).await;
        let first = send(&request).await;
        let again = send(&request).await;
        assert_eq!((first.status(202), again.headers["idempotency-replayed"].to_str().unwrap()), (again.status(202), "true"));
        let mut other = request.clone();
        other["context"] = json!({"business_justification": "something else"});
        refused(&send(&other).await, 409, "duplicate_request");
        // Without a key, too; and by /v1/me/requests it is the same request.
        let third = robot.post(REQUESTS, other).await;
        assert_eq!(third.status(202)["task"]["id"], first["task"]["id"]);
        let filed = robot.post("/v1/me/requests", json!({"request": request["denial"]["binding_token"]})).await;
        assert_eq!(filed.status(201)["request"]["id"], scenario.open_request().await);
        let listed = scenario.admin.get("/v1/orgs/octo/requests").await;
        assert_eq!(listed.status(200)["items"].as_array().unwrap().len(), 1);
        // Once it is granted, there is nothing to ask for.
        scenario.decide(json!({"approve_all": true})).await.status(200);
        refused(&robot.post(REQUESTS, request).await, 400, "not_requestable");
    }

    async fn each_task_ends_once(server: Server) {
        let scenario = Scenario::open(&server).await;
        ask_for_words(&scenario.admin, false).await;
        let (_, task) = scenario.filed("delete_hard", "record-1").await;
        scenario.decide(json!({"reject_all": true})).await.status(200);
        let cancel = |task: &Value| format!("{}/cancel", place_of(task));
        let done = scenario.task(&task).await;
        assert_eq!((done["task"]["status"].as_str(), done.get("result")), (Some("denied"), None));
        refused(&scenario.robot().post(&cancel(&task), json!({})).await, 409, "invalid_task_state");
        assert_eq!(scenario.task(&task).await["task"]["status"], "denied");

        let (question, task) = scenario.filed("delete_hard", "record-2").await;
        let reply = scenario.robot().post(&cancel(&task), json!({"reason": "not_needed", "comment": "not needed any more"})).await;
        assert_eq!(reply.status(200)["task"]["status"], "cancelled");
        assert_eq!(scenario.evaluate(question).await.status(200)["context"]["reason"], "insufficient_scope");
        let activity = scenario.admin.get("/v1/orgs/octo/activity?limit=1").await;
        assert_eq!((activity.status(200)["items"][0]["operation"].as_str(), activity["items"][0]["reason"].as_str()), (Some("request.withdraw"), Some("not needed any more")));
        for client in [scenario.robot(), server.sign_in("alice@example.com").await] {
            refused(&client.post(&cancel(&task), json!({})).await, 409, "invalid_task_state");
        }
        assert_eq!(scenario.task(&task).await["task"]["status"], "cancelled");

        let (_, task) = scenario.filed("write", "record-2").await;
        server.advance(Duration::from_hours(24 * 31));
        tegata::ops::requests::expire::overdue(&server.running.app).await.unwrap();
        let alice = server.sign_in("alice@example.com").await;
        assert_eq!(alice.get(&place_of(&task)).await.status(200)["task"]["status"], "expired");
    }

    async fn items_end_each_for_itself(server: Server) {
        let scenario = Scenario::open(&server).await;
        ask_for_words(&scenario.admin, false).await;
        let mut items = Vec::new();
        for (action, key) in [("delete_hard", "record-1"), ("write", "record-2")] {
            let (_, request) = scenario.denied(action, key).await;
            items.push(json!({"resource": request["resource"], "action": request["action"], "denial": request["denial"]}));
        }
        let body = |items: &[Value]| json!({"subject": subject(&scenario.alice), "items": items, "requested_access": {"requested_until": "2099-01-01T00:00:00Z"}});
        // Each with its own denial, and not with another's; and not both ways at once.
        let mut crossed = items.clone();
        crossed[0]["denial"] = items[1]["denial"].clone();
        refused(&scenario.robot().post(REQUESTS, body(&crossed)).await, 400, "invalid_denial_binding");
        let mut both = body(&items);
        both["resource"] = record("record-1");
        scenario.robot().post(REQUESTS, both).await.field("malformed_body", "items");
        scenario.robot().post(REQUESTS, body(&[])).await.field("malformed_body", "items");

        let filed = scenario.robot().post(REQUESTS, body(&items)).await;
        let task = filed.status(202)["task"].clone();
        let statuses = |told: &Value| -> Vec<String> { told["task"]["items"].as_array().unwrap().iter().map(|item| text(item, "status")).collect() };
        assert_eq!((statuses(&filed.body), task["progress"]["total_steps"].as_u64()), (vec!["pending".to_owned(); 2], Some(2)));
        assert_eq!(task["items"][1]["resource"], items[1]["resource"]);
        let request = scenario.open_request().await;
        let kept = scenario.admin.get(&format!("/v1/orgs/octo/requests/{request}")).await;
        assert_eq!(kept.status(200)["reason"], "until 2099-01-01T00:00:00Z");
        let lines = kept["lines"].as_array().unwrap().clone();
        let line = |scope: &str| lines.iter().find(|line| line["scope"] == scope).unwrap()["line"].clone();
        scenario.decide(json!({"lines": [{"line": line("record:key:record-1:delete_hard"), "decision": "grant", "until": server.in_days(3)}]})).await.status(200);
        let told = scenario.task(&task).await;
        assert_eq!((statuses(&told), &told["task"]["status"]), (vec!["approved".to_owned(), "pending".to_owned()], &json!("pending")));
        scenario.decide(json!({"lines": [{"line": line("record:key:record-2:write"), "decision": "reject"}]})).await.status(200);
        let told = scenario.task(&task).await;
        assert_eq!((statuses(&told), &told["task"]["status"]), (vec!["approved".to_owned(), "denied".to_owned()], &json!("partial")));
        assert!(told.get("result").is_none(), "no item is approved by the whole");
        let approved_until = text(&told["task"]["items"][0]["result"]["approval"], "approved_until");
        assert!(approved_until < server.in_days(4), "it ends with what was granted: {approved_until}");
        assert!(told["task"]["items"][1].get("result").is_none());
        assert!(scenario.decision(&scenario.alice, "delete_hard", "record-1").await);
        assert!(!scenario.decision(&scenario.alice, "write", "record-2").await);
    }

    async fn where_nobodys_word_is_needed_it_is_approved_at_once(server: Server) {
        let scenario = Scenario::open(&server).await;
        let (_, request) = scenario.denied("delete_hard", "record-1").await;
        let reply = scenario.robot().post(REQUESTS, request.clone()).await;
        assert_eq!(reply.status(201)["task"]["status"], "approved");
        assert_eq!(reply["result"]["mode"], "reevaluate");
        assert!(!reply.headers.contains_key("retry-after"));
        assert!(scenario.decision(&scenario.alice, "delete_hard", "record-1").await);
        assert_eq!(scenario.task(&reply["task"]).await["result"], reply["result"]);
        refused(&scenario.robot().post(&format!("{}/cancel", place_of(&reply["task"])), json!({})).await, 409, "invalid_task_state");
        refused(&scenario.robot().post(REQUESTS, request).await, 400, "not_requestable");
    }

    async fn nobody_decides_their_own_by_this_door_either(server: Server) {
        let scenario = Scenario::open(&server).await;
        let body = json!({"name": "own", "expires_at": server.in_days(30), "reason": "test",
            "grants": [{"organization": "octo", "api": "archive", "scopes": ["record:key:record-1:read"]}]});
        let secret = text(scenario.admin.post("/v1/me/tokens", body).await.status(201), "token");
        ask_for_words(&scenario.admin, true).await;
        let question = asked(&secret, "write", "record-1");
        let told = scenario.evaluate(question.clone()).await;
        let request = wish(told.status(200), &question);
        // In person and by the credential: somebody else decides.
        for client in [scenario.admin.clone(), scenario.gate.with(&secret)] {
            assert_eq!(client.post(REQUESTS, request.clone()).await.status(202)["task"]["status"], "pending");
        }
        for client in [&scenario.admin, &scenario.gate.with(&secret)] {
            let path = format!("/v1/orgs/octo/requests/{}/decide", scenario.open_request().await);
            client.post(&path, json!({"approve_all": true})).await.problem("forbidden");
        }
        assert!(!scenario.decision(&secret, "write", "record-1").await);
    }
}
