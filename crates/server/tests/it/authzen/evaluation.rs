//! One evaluation, and the metadata.

use super::*;
use reqwest::Method;

async fn raw(gate: &Client, kind: Option<&str>, body: &'static str) -> reqwest::Response {
    let mut request = reqwest::Client::new().post(format!("{}/access/v1/evaluation", gate.base()));
    request = request.bearer_auth(gate.token.as_deref().unwrap()).body(body);
    if let Some(kind) = kind {
        request = request.header("content-type", kind);
    }
    request.send().await.unwrap()
}

both_databases! {
    async fn the_scenario_is_decided_as_it_says(server: Server) {
        let scenario = Scenario::open(&server).await;
        for (subject, action, key, expected) in [
            (&scenario.alice, "read", "record-1", true),
            (&scenario.alice, "write", "record-1", true),
            (&scenario.bob, "read", "record-1", true),
            (&scenario.bob, "write", "record-1", false),
            (&scenario.alice, "write", "record-2", false),
            (&scenario.bob, "write", "record-2", true),
            (&scenario.alice, "delete_soft", "record-1", true),
            (&scenario.alice, "delete_hard", "record-1", false),
        ] {
            for _ in 0..2 {
                assert_eq!(scenario.decision(subject, action, key).await, expected, "{action} {key}");
            }
        }
    }

    async fn it_is_the_decision_of_a_check_and_leaves_its_record(server: Server) {
        let scenario = Scenario::open(&server).await;
        let same = |token: &str, permission: &str, key: &str| {
            json!({"token": token, "api": "archive", "permission": permission, "context": format!("record:key:{key}"),
                "ip": "203.0.113.7", "request_id": "r-1"})
        };
        for (token, action, key) in [
            (scenario.alice.as_str(), "write", "record-1"),
            (&scenario.bob, "write", "record-1"),
            (&scenario.alice, "write", "nowhere"),
            (&scenario.alice, "shred", "record-1"),
            ("junk", "read", "record-1"),
            ("tegata_pat_000000000000000000000000000000000000", "read", "record-1"),
        ] {
            let mut body = asked(token, action, key);
            body["context"] = json!({"ip": "203.0.113.7", "request_id": "r-1", "time": "now"});
            let told = scenario.evaluate(body).await.status(200).clone();
            let checked = scenario.gate.verify(same(token, action, key)).await;
            assert_eq!(told["decision"], checked["allowed"], "{action} {key}: {told}");
            for member in ["reason", "missing", "credential", "principal", "permission", "organization"] {
                assert_eq!(told["context"].get(member), checked.get(member), "{member} of {action} {key}");
            }
            assert_eq!(told["context"]["access_request"].is_object(), checked.get("request").is_some());
            // The record is there under the id of the evaluation.
            if checked["organization"].is_string() {
                let id = text(&told["context"], "evaluation_id");
                let kept = scenario.admin.get(&format!("/v1/orgs/octo/records/{id}")).await;
                assert_eq!(kept.status(200)["reason"], checked["reason"]);
                assert_eq!((kept["request_id"].as_str(), kept["address"].as_str()), (Some("r-1"), Some("203.0.113.7")));
            }
        }
    }

    async fn endpoints_organizations_and_access_keys_are_asked_about(server: Server) {
        let scenario = Scenario::open(&server).await;
        let endpoint = |token: &str, method: &str, path: &str| json!({"subject": {"type": "credential", "id": token},
            "action": {"name": method}, "resource": {"type": "endpoint", "id": path, "properties": {"api": "archive"}}});
        let told = scenario.evaluate(endpoint(&scenario.alice, "PUT", "/records/record-1")).await;
        assert_eq!((told.status(200)["decision"].as_bool(), told["context"]["permission"].as_str()), (Some(true), Some("write")));
        let told = scenario.evaluate(endpoint(&scenario.bob, "PUT", "/records/record-1")).await;
        assert_eq!(told.status(200)["context"]["missing"], json!(["record:key:record-1:write"]));
        let told = scenario.evaluate(endpoint(&scenario.bob, "PUT", "/nothing")).await;
        assert_eq!(told.status(200)["context"]["reason"], "no_such_endpoint");
        // The whole organization; Alice has a right in one record only.
        for resource in [json!({"type": "organization", "id": "octo"}), json!({"type": "global", "id": "global"})] {
            let body = json!({"subject": subject(&scenario.alice), "action": {"name": "read"}, "resource": resource});
            assert_eq!(scenario.evaluate(body).await.status(200)["decision"], false);
        }
        let mut elsewhere = asked(&scenario.alice, "read", "record-1");
        elsewhere["resource"]["properties"] = json!({"organization": "acme"});
        assert_eq!(scenario.evaluate(elsewhere).await.status(200)["context"]["reason"], "organization_unknown");

        let account = made(&scenario.admin.post("/v1/orgs/octo/service-accounts", json!({"name": "ci"})).await);
        let body = json!({"role": "clerk", "principal": {"type": "service_account", "id": account}});
        made(&scenario.admin.post("/v1/orgs/octo/assignments", body).await);
        let key = scenario.admin.post("/v1/orgs/octo/access-keys", json!({"name": "ci", "service_account": account})).await;
        let (id, secret) = (text(key.status(201), "client_id"), text(&key.body, "secret"));
        let mut body = asked("x", "write", "record-1");
        body["subject"] = json!({"type": "access_key", "id": id, "properties": {"client_secret": secret}});
        assert_eq!(scenario.evaluate(body.clone()).await.status(200)["decision"], true);
        body["subject"]["properties"]["client_secret"] = json!("wrong");
        assert_eq!(scenario.evaluate(body.clone()).await.status(200)["decision"], false);
        body["subject"]["properties"] = json!({});
        scenario.evaluate(body).await.status(400);
        // An id is no secret: whoever knows it has shown nothing. Nor is anybody known by their name.
        let seen = scenario.evaluate(asked(&scenario.alice, "read", "record-1")).await;
        let mut body = asked(&text(&seen.status(200)["context"]["credential"], "id"), "read", "record-1");
        assert_eq!(scenario.evaluate(body.clone()).await.status(200)["context"]["reason"], "malformed");
        for kind in ["user", "Token", ""] {
            body["subject"] = json!({"type": kind, "id": scenario.alice});
            assert_eq!(scenario.evaluate(body.clone()).await.status(200)["decision"], false, "{kind}");
        }
    }

    async fn what_cannot_be_read_is_400(server: Server) {
        let scenario = Scenario::open(&server).await;
        let good = asked(&scenario.alice, "read", "record-1");
        let without = |pointer: &str, member: &str| {
            let mut body = good.clone();
            body.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(member);
            body
        };
        let with = |pointer: &str, value: Value| {
            let mut body = good.clone();
            *body.pointer_mut(pointer).unwrap() = value;
            body
        };
        let mut bad = vec![
            without("", "subject"), without("", "action"), without("", "resource"),
            without("/subject", "type"), without("/subject", "id"), without("/action", "name"),
            without("/resource", "type"), without("/resource", "id"),
            with("/subject", json!("alice")), with("/action", json!(7)), with("/resource", json!(null)),
            with("/action/name", json!(123)), with("/subject/id", json!({})), with("/resource/id", json!("")),
            with("/subject", json!([])), with("/subject", json!(["token", scenario.alice])), json!([good]), json!("text"), json!(null),
        ];
        for properties in [json!([]), json!(["archive"]), json!("text"), json!({"api": 7})] {
            let mut body = good.clone();
            body["resource"]["properties"] = properties;
            bad.push(body);
        }
        for context in [json!("text"), json!([]), json!({"ip": 7}), json!({"ip": "house"})] {
            let mut body = good.clone();
            body["context"] = context;
            bad.push(body);
        }
        for body in bad {
            assert_eq!(scenario.evaluate(body.clone()).await.status, 400, "{body}");
            let reply = scenario.evaluate_all(body.clone()).await;
            assert_eq!(reply.status, 400, "{body}: {}", reply.body);
        }
        for (kind, body) in [
            (Some("application/json"), ""), (Some("application/json"), "{"), (Some("application/json"), "{} {}"),
            (Some("text/plain"), r#"{"subject": {}}"#), (None, r#"{"subject": {}}"#),
            (Some("application/xml"), "<subject/>"), (None, ""),
            (Some("application/json"), r#"{"subject":{"type":"token","id":"a"},"subject":{"type":"token","id":"b"},"action":{"name":"read"},"resource":{"type":"record","id":"record-1"}}"#),
        ] {
            assert_eq!(raw(&scenario.gate, kind, body).await.status(), 400, "{kind:?} {body}");
        }
        // A verifier of several APIs has to say which.
        scenario.root.post("/v1/apis", json!({"document": crate::town::SPARE, "format": "yaml"})).await.status(201);
        let both = scenario.root.post("/v1/verifiers", json!({"name": "both", "apis": ["archive", "spare"]})).await;
        let both = scenario.gate.with(&text(both.status(201), "token"));
        both.post("/access/v1/evaluation", good.clone()).await.field("malformed_body", "resource.properties.api");
        let mut said = good.clone();
        said["resource"]["properties"] = json!({"api": "archive"});
        assert_eq!(both.post("/access/v1/evaluation", said.clone()).await.status(200)["decision"], true);
        said["resource"]["properties"] = json!({"api": "spare"});
        assert_eq!(scenario.evaluate(said).await.status(200)["context"]["reason"], "verifier_not_allowed");
    }

    async fn heads_methods_and_what_nobody_knows_are_as_the_standard_says(server: Server) {
        let scenario = Scenario::open(&server).await;
        let mut body = asked(&scenario.alice, "read", "record-1");
        body["futureField"] = json!({"nested": true});
        body["subject"]["properties"] = json!({"department": "Sales", "role": "manager"});
        body["action"]["properties"] = json!({"method": "GET"});
        body["resource"]["properties"] = json!({"status": "active", "owner": "bob"});
        body["context"] = json!({"time": "2025-06-27T18:03-07:00", "ip": "192.168.1.1"});
        for path in ["/access/v1/evaluation", "/access/v1/evaluations"] {
            let reply = scenario.gate.send(Method::POST, path, Some(body.clone()), &[("x-request-id", "bfe9eb29-ab87")]).await;
            assert_eq!(reply.status(200)["decision"], true, "{path}");
            assert_eq!(reply.headers["x-request-id"], "bfe9eb29-ab87");
            assert_eq!(reply.headers["content-type"], "application/json");
            assert_eq!(reply.headers["cache-control"], "no-store");
            let reply = scenario.gate.send(Method::POST, path, Some(body.clone()), &[("content-type", "application/json; charset=utf-8")]).await;
            assert_eq!(reply.status(200)["decision"], true);
            for method in [Method::PUT, Method::GET, Method::DELETE, Method::PATCH] {
                let reply = scenario.gate.send(method.clone(), path, Some(body.clone()), &[]).await;
                assert_eq!(reply.status, 405, "{method}");
                assert_eq!(reply.headers["allow"], "POST");
            }
            for client in [server.anybody(), scenario.bob_himself.clone(), scenario.gate.with(&scenario.alice)] {
                let reply = client.post(path, body.clone()).await;
                reply.problem("unauthenticated");
                assert_eq!(reply.headers["www-authenticate"], "Bearer realm=\"tegata\"");
            }
        }
        for path in ["/access/v1/search/subject", "/access/v1/search/action", "/access/v1"] {
            assert_eq!(scenario.gate.post(path, json!({})).await.status, 404, "what is not there is not there");
        }
    }

    async fn the_metadata_say_what_is_here(server: Server) {
        let reply = server.anybody().get("/.well-known/authzen-configuration").await;
        let base = server.base.as_str();
        assert_eq!(reply.status(200)["policy_decision_point"], base);
        assert_eq!(reply["access_evaluation_endpoint"], format!("{base}/access/v1/evaluation"));
        assert_eq!(reply["access_evaluations_endpoint"], format!("{base}/access/v1/evaluations"));
        assert_eq!(reply["access_request_endpoint"], format!("{base}/access/v1/requests"));
        assert_eq!(reply["capabilities"], json!(["urn:openid:authzen:capability:access-request"]));
        assert!(reply.body.as_object().unwrap().keys().all(|name| !name.contains("search")), "{}", reply.body);
        assert_eq!(reply.headers["content-type"], "application/json");
        server.anybody().put("/.well-known/authzen-configuration", json!({})).await.problem("method_not_allowed");
    }
}
