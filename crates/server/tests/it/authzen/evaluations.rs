//! Many evaluations.

use super::*;

both_databases! {
    async fn what_stands_beside_counts_for_each_that_does_not_say_it(server: Server) {
        let scenario = Scenario::open(&server).await;
        let (alice, bob) = (subject(&scenario.alice), subject(&scenario.bob));
        let reply = scenario.evaluate_all(json!({"subject": bob, "resource": record("record-1"),
            "evaluations": [{"action": {"name": "read"}}, {"action": {"name": "write"}}]})).await;
        assert_eq!(decisions(&reply), [true, false]);
        assert!(reply.body.get("decision").is_none());
        let reply = scenario.evaluate_all(json!({"action": {"name": "write"}, "resource": record("record-2"),
            "evaluations": [{"subject": alice}, {"subject": bob}]})).await;
        assert_eq!(decisions(&reply), [false, true]);
        let reply = scenario.evaluate_all(json!({"evaluations": [asked(&scenario.alice, "read", "record-1"),
            asked(&scenario.bob, "write", "record-1")]})).await;
        assert_eq!(decisions(&reply), [true, false]);
        let reply = scenario.evaluate_all(json!({"subject": alice, "action": {"name": "read"}, "context": {"ip": "10.0.0.1"},
            "evaluations": [{"resource": record("record-1")}, {"resource": record("record-2"), "context": {"time": "x"}}]})).await;
        assert_eq!(decisions(&reply), [true, false]);
        let addresses = |reply: &Reply| {
            let ids: Vec<_> = reply["evaluations"].as_array().unwrap().iter().map(|one| text(&one["context"], "evaluation_id")).collect();
            ids
        };
        let ids = addresses(&reply);
        let first = scenario.admin.get(&format!("/v1/orgs/octo/records/{}", ids[0])).await;
        let second = scenario.admin.get(&format!("/v1/orgs/octo/records/{}", ids[1])).await;
        assert_eq!(first.status(200)["address"], "10.0.0.1");
        assert!(second.status(200)["address"].is_null(), "the whole context is replaced");
        // Replaced as a whole: what an entity leaves out is not filled in.
        let reply = scenario.evaluate_all(json!({"subject": alice, "action": {"name": "read"}, "resource": record("record-1"),
            "evaluations": [{"resource": {"id": "record-1"}}, {}]})).await;
        assert_eq!(decisions(&reply), [false, true]);
    }

    async fn one_that_cannot_be_read_is_a_no_among_others(server: Server) {
        let scenario = Scenario::open(&server).await;
        let reply = scenario.evaluate_all(json!({"subject": subject(&scenario.alice), "action": {"name": "read"},
            "evaluations": [{"resource": record("record-1")}, {}, 7, {"resource": "record-1"}, [],
                {"resource": {"type": "record"}}, {"resource": record("record-1"), "context": {"ip": "house"}},
                {"resource": record("record-1"), "unknown": 1}]})).await;
        assert_eq!(decisions(&reply), [true, false, false, false, false, false, false, true]);
        for place in 1..=6 {
            let context = &reply["evaluations"][place]["context"];
            assert_eq!(context["error"]["status"], 400, "{context}");
            assert!(context.get("evaluation_id").is_none());
        }
        assert_eq!(reply["evaluations"][6]["context"]["error"]["message"], "context.ip: send an IPv4 or IPv6 address, without a port");
        for body in [
            json!({"subject": "alice", "evaluations": [{}]}),
            json!({"evaluations": 7}),
            json!({"evaluations": {}}),
            json!({"options": "all", "evaluations": [{}]}),
            json!({"options": {"evaluations_semantic": "whatever"}, "evaluations": [{}]}),
            json!({}),
            json!({"evaluations": []}),
        ] {
            assert_eq!(scenario.evaluate_all(body.clone()).await.status, 400, "{body}");
        }
        let many: Vec<_> = (0..1_001).map(|_| json!({})).collect();
        scenario.evaluate_all(json!({"evaluations": many})).await.field("malformed_body", "evaluations");
    }

    async fn without_any_it_is_the_one_beside(server: Server) {
        let scenario = Scenario::open(&server).await;
        for evaluations in [None, Some(json!([])), Some(json!(null))] {
            let mut body = asked(&scenario.alice, "read", "record-1");
            if let Some(list) = evaluations {
                body["evaluations"] = list;
            }
            let reply = scenario.evaluate_all(body).await;
            assert_eq!(reply.status(200)["decision"], true);
            assert!(reply.body.get("evaluations").is_none());
        }
    }

    async fn going_on_ends_where_it_was_asked_to(server: Server) {
        let scenario = Scenario::open(&server).await;
        let records = async || {
            let listed = scenario.admin.get("/v1/orgs/octo/records?api=archive&limit=200").await;
            listed.status(200)["items"].as_array().unwrap().len()
        };
        let asked_for = |semantic: &str, actions: [&str; 4]| {
            let list: Vec<_> = actions.iter().map(|action| json!({"action": {"name": action}})).collect();
            json!({"subject": subject(&scenario.bob), "resource": record("record-1"),
                "options": {"evaluations_semantic": semantic, "other": 1}, "evaluations": list})
        };
        for (semantic, actions, expected) in [
            ("execute_all", ["read", "write", "read", "write"], vec![true, false, true, false]),
            ("deny_on_first_deny", ["read", "write", "read", "write"], vec![true, false]),
            ("deny_on_first_deny", ["read", "read", "read", "read"], vec![true; 4]),
            ("permit_on_first_permit", ["write", "write", "read", "write"], vec![false, false, true]),
            ("permit_on_first_permit", ["write", "write", "write", "write"], vec![false; 4]),
        ] {
            let before = records().await;
            let reply = scenario.evaluate_all(asked_for(semantic, actions)).await;
            assert_eq!(decisions(&reply), expected, "{semantic}");
            assert_eq!(records().await - before, expected.len(), "what is not decided is not recorded");
        }
        // What cannot be read is a no here, too.
        let reply = scenario.evaluate_all(json!({"subject": subject(&scenario.bob), "resource": record("record-1"),
            "options": {"evaluations_semantic": "deny_on_first_deny"},
            "evaluations": [{"action": {"name": "read"}}, {}, {"action": {"name": "read"}}]})).await;
        assert_eq!(decisions(&reply), [true, false]);
    }
}
