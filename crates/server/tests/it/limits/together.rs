//! Several limits at once: all of them, or none.

use super::{Scene, allowed, left, limit, violated};
use crate::town::doors_check;
use serde_json::json;
use std::time::Duration;

both_databases! {
    async fn the_publishers_and_ones_own_hold_together(server: Server) {
        let scene = Scene::set(&server).await;
        // An organization that allows more than the publisher loosens nothing.
        scene.everywhere(limit("burst", 2, 60, "credential")).await;
        scene.own(limit("burst", 1000, 60, "credential")).await;
        for _ in 0..2 {
            allowed(&scene.ask(&scene.one).await);
        }
        assert_eq!(violated(&scene.ask(&scene.one).await), ["burst"]);
        // And one that allows less has its way.
        scene.own(limit("tight", 1, 60, "credential")).await;
        allowed(&scene.ask(&scene.other).await);
        assert_eq!(violated(&scene.ask(&scene.other).await), ["organization/tight"]);
        assert_eq!(violated(&scene.ask(&scene.one).await), ["burst"], "what counts from now on has counted nothing before");
    }

    async fn a_call_that_one_limit_denies_takes_nothing_of_another(server: Server) {
        let scene = Scene::set(&server).await;
        scene.everywhere(limit("whole", 4, 3600, "organization")).await;
        scene.everywhere(limit("person", 100, 31 * 86_400, "principal")).await;
        scene.own(limit("each", 1, 60, "credential")).await;
        assert_eq!(left(&scene.ask(&scene.one).await, "whole"), 3);
        for _ in 0..20 {
            assert_eq!(violated(&scene.ask(&scene.one).await), ["organization/each"]);
        }
        let answer = scene.ask(&scene.other).await;
        assert_eq!((left(&answer, "whole"), left(&answer, "person")), (2, 98));
        // The widest says no after the others have said yes: they are given back what they gave.
        server.advance(Duration::from_mins(1));
        for _ in 0..2 {
            allowed(&scene.ask(&scene.one).await);
            server.advance(Duration::from_mins(1));
        }
        for _ in 0..20 {
            assert_eq!(violated(&scene.ask(&scene.one).await), ["whole"]);
        }
        scene.town.root.delete("/v1/limits/whole").await.status(200);
        let answer = scene.ask(&scene.one).await;
        allowed(&answer);
        assert_eq!((left(&answer, "organization/each"), left(&answer, "person")), (0, 95));
        // All that say no are named.
        scene.own(limit("also", 1, 60, "organization")).await;
        allowed(&scene.ask(&scene.other).await);
        assert_eq!(violated(&scene.ask(&scene.other).await), ["organization/each", "organization/also"]);
    }

    async fn as_many_calls_pass_at_once_as_the_quota_has(server: Server) {
        let scene = Scene::set(&server).await;
        scene.everywhere(limit("whole", 25, 86_400, "organization")).await;
        let mut callers = tokio::task::JoinSet::new();
        for caller in 0..4 {
            let (gateway, token) = (scene.gateway.clone(), if caller % 2 == 0 { &scene.one.1 } else { &scene.other.1 }.clone());
            callers.spawn(async move {
                let mut passed = 0;
                for _ in 0..5 {
                    let checks: Vec<_> = (0..4).map(|_| doors_check(&token)).collect();
                    let reply = gateway.post("/v1/verify/batch", json!({"checks": checks})).await;
                    let results = reply.status(200)["results"].as_array().unwrap();
                    passed += results.iter().filter(|answer| answer["allowed"] == true).count();
                }
                passed
            });
        }
        assert_eq!(callers.join_all().await.into_iter().sum::<usize>(), 25);
    }
}
