//! Teams: made, filled and deleted by an identity provider, and what it may not touch.

use super::{GROUPS, USERS, found, made, patch, wrong};
use crate::town::{Town, text};
use serde_json::{Value, json};

fn members(group: &Value) -> Vec<String> {
    let list = group["members"].as_array();
    list.into_iter().flatten().map(|member| text(member, "value")).collect()
}

both_databases! {
    async fn teams_are_made_filled_and_deleted(server: Server) {
        let town = Town::found(&server).await;
        let (admin, provider) = (&town.admin.client, town.provider(&server).await);
        let mut people = Vec::new();
        for name in ["ann", "bob", "eve"] {
            people.push(text(&made(&provider, json!({"userName": format!("{name}@example.com")})).await, "id"));
        }
        people.sort();
        let body = json!({"displayName": "Team Tokyo", "externalId": "g-1", "members": [{"value": people[0]}]});
        let group = provider.post(GROUPS, body.clone()).await;
        let (id, group) = (text(group.status(201), "id"), group.body);
        assert_eq!(members(&group), people[..1]);
        // Two teams may have one name; their keys differ.
        let twin = provider.post(GROUPS, json!({"displayName": "Team Tokyo"})).await;
        let twin = text(twin.status(201), "id");
        assert_eq!(admin.get("/v1/orgs/octo/teams/team-tokyo-2").await.status(200)["id"], twin.as_str());
        assert_eq!(admin.get("/v1/orgs/octo/teams/team-tokyo").await.status(200)["id"], id.as_str());

        let path = format!("{GROUPS}/{id}");
        let add = json!({"op": "Add", "path": "members", "value": [{"value": people[1]}, {"value": people[2]}]});
        assert_eq!(members(provider.patch(&path, patch(add)).await.status(200)), people);
        let remove = json!({"op": "Remove", "path": format!("members[value eq \"{}\"]", people[0])});
        assert_eq!(members(provider.patch(&path, patch(remove)).await.status(200)), people[1..]);
        let remove = json!({"op": "remove", "path": "members", "value": [{"value": people[1]}]});
        assert_eq!(members(provider.patch(&path, patch(remove)).await.status(200)), people[2..]);
        let replace = json!({"op": "replace", "value": {"id": id, "displayName": "Tokyo"}});
        assert_eq!(provider.patch(&path, patch(replace)).await.status(200)["displayName"], "Tokyo");
        let shown = provider.get(&format!("{USERS}/{}", people[2])).await;
        assert_eq!(shown.status(200)["groups"][0]["value"], id.as_str());
        assert_eq!(found(&provider, GROUPS, r#"displayName eq "tokyo""#).await, [id.as_str()]);
        let both = format!(r#"id eq "{id}" and members[value eq "{}"]"#, people[2]);
        assert_eq!(found(&provider, GROUPS, &both).await, [id.as_str()]);
        let plain = provider.get(&format!("{path}?excludedAttributes=members")).await;
        assert!(plain.status(200).get("members").is_none());

        // Whoever is no member here, and a team, cannot be in a team; and then nothing changed.
        for value in ["usr_00000000000000000000000001", "nobody", &twin] {
            let add = patch(json!({"op": "add", "path": "members", "value": [{"value": value}]}));
            assert_eq!(wrong(&provider.patch(&path, add).await, 400), "invalidValue");
        }
        let nested = json!({"displayName": "All", "members": [{"value": twin, "type": "Group"}]});
        assert_eq!(wrong(&provider.post(GROUPS, nested).await, 400), "invalidValue");
        assert_eq!(members(provider.get(&path).await.status(200)), people[2..]);

        // Who leaves is seen no longer; a role that the team has, its members have.
        let role = json!({"role": "auditor", "principal": {"type": "team", "id": id}});
        town.make("assignments", role).await;
        let put = json!({"displayName": "Tokyo", "members": [{"value": people[0]}, {"value": people[2]}]});
        assert_eq!(members(provider.put(&path, put).await.status(200)).len(), 2);
        let ann = admin.get(&format!("/v1/orgs/octo/members/{}", people[0])).await;
        assert!(ann.status(200)["roles"].to_string().contains("auditor"));
        provider.delete(&format!("{USERS}/{}", people[0])).await.status(204);
        assert_eq!(members(provider.get(&path).await.status(200)), people[2..]);

        provider.delete(&path).await.status(204);
        wrong(&provider.get(&path).await, 404);
        let listed = admin.get(&format!("/v1/orgs/octo/activity?subject={id}")).await;
        let operations = listed.status(200)["items"].to_string();
        for expected in ["team.create", "team.member.add", "team.member.remove", "scim.group.update", "team.delete"] {
            assert!(operations.contains(&format!("\"{expected}\"")), "{expected}");
        }
    }

    async fn an_identity_provider_gives_no_more_than_it_was_given(server: Server) {
        let town = Town::found(&server).await;
        let provider = town.provider(&server).await;
        let ann = text(&made(&provider, json!({"userName": "ann@example.com"})).await, "id");
        let add = patch(json!({"op": "add", "path": "members", "value": [{"value": ann}]}));
        // A team that people made is seen, and not changed.
        let crew = town.make("teams", json!({"key": "crew", "name": "Crew"})).await;
        let path = format!("{GROUPS}/{crew}");
        provider.get(&path).await.status(200);
        assert_eq!(wrong(&provider.patch(&path, add.clone()).await, 400), "mutability");
        assert_eq!(wrong(&provider.delete(&path).await, 400), "mutability");
        assert_eq!(wrong(&provider.put(&path, json!({"displayName": "X"})).await, 400), "mutability");
        // Nor does it make anybody an administrator.
        let heads = provider.post(GROUPS, json!({"displayName": "Heads"})).await;
        let heads = text(heads.status(201), "id");
        let role = json!({"role": "administrator", "principal": {"type": "team", "id": heads}});
        town.make("assignments", role).await;
        wrong(&provider.patch(&format!("{GROUPS}/{heads}"), add).await, 403);
        let member = town.admin.client.get(&format!("/v1/orgs/octo/members/{ann}")).await;
        assert_eq!(member.status(200)["roles"].as_array().unwrap().len(), 1);
    }
}
