//! Patches as identity providers send them.

use super::*;
use proptest::prelude::*;
use serde_json::json;

fn patched(resource: Resource, before: &Value, operations: &Value) -> Result<Value, Kind> {
    let mut target = before.as_object().unwrap().clone();
    let patch = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations});
    apply(resource, &mut target, patch.as_object().unwrap()).map_err(|wrong| wrong.kind)?;
    Ok(Value::Object(target))
}

fn person(operations: &Value) -> Result<Value, Kind> {
    let before = json!({"userName": "ann", "active": true, "emails": [{"value": "a@x.example", "type": "work"}]});
    patched(Resource::User, &before, operations)
}

#[test]
fn leaving_in_every_shape() {
    for operation in [
        json!({"op": "replace", "path": "active", "value": false}),
        json!({"op": "Replace", "path": "active", "value": "False"}),
        json!({"op": "replace", "value": {"active": false}}),
        json!({"op": "Add", "path": "urn:ietf:params:scim:schemas:core:2.0:User:active", "value": "false"}),
        json!({"op": "replace", "value": {"id": "usr_1", "schemas": [], "Active": false, "shoeSize": 42}}),
    ] {
        assert_eq!(person(&json!([operation])).unwrap()["active"], false, "{operation}");
    }
}

#[test]
fn names_and_addresses() {
    let after = person(&json!([
        {"op": "Add", "path": "name.givenName", "value": "Ann"},
        {"op": "replace", "value": {"name.familyName": "Berg", "displayName": "Ann Berg"}},
        {"op": "Replace", "path": "emails[type eq \"work\"].value", "value": "b@x.example"},
        {"op": "Add", "path": "emails[type eq \"home\"].value", "value": "c@x.example"},
        {"op": "Add", "path": "title", "value": "Engineer"},
        {"op": "Replace", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "value": "R"},
    ]));
    assert_eq!(
        after.unwrap(),
        json!({"userName": "ann", "active": true, "displayName": "Ann Berg",
            "name": {"givenName": "Ann", "familyName": "Berg"},
            "emails": [{"value": "b@x.example", "type": "work"}, {"value": "c@x.example", "type": "home"}]})
    );
    let after = person(&json!([
        {"op": "add", "path": "emails", "value": [{"value": "p@x.example", "primary": true}, {"value": "a@x.example"}]},
        {"op": "remove", "path": "emails[type eq \"work\"]"},
    ]));
    assert_eq!(after.unwrap()["emails"], json!([{"value": "p@x.example", "primary": true}]));
}

#[test]
fn members_come_and_go() {
    let before = json!({"displayName": "Crew", "members": [{"value": "usr_1"}, {"value": "usr_2"}]});
    let after = |operations: Value| patched(Resource::Group, &before, &operations).unwrap()["members"].clone();
    let add =
        json!([{"op": "add", "path": "members", "value": [{"value": "usr_2"}, {"value": "usr_3", "display": "x"}]}]);
    assert_eq!(after(add), json!([{"value": "usr_1"}, {"value": "usr_2"}, {"value": "usr_3"}]));
    for remove in [
        json!([{"op": "remove", "path": "members[value eq \"usr_1\"]"}]),
        json!([{"op": "Remove", "path": "members", "value": [{"value": "usr_1"}]}]),
        json!([{"op": "replace", "value": {"members": [{"value": "usr_2"}]}}]),
        json!([{"op": "remove", "path": "members"}, {"op": "add", "value": {"members": [{"value": "usr_2"}]}}]),
    ] {
        assert_eq!(after(remove.clone()), json!([{"value": "usr_2"}]), "{remove}");
    }
    assert_eq!(after(json!([{"op": "remove", "path": "members"}])), Value::Null);
}

#[test]
fn what_cannot_be_is_named() {
    for (operation, kind) in [
        (json!({"op": "move", "path": "active", "value": false}), Kind::InvalidSyntax),
        (json!({"op": "remove"}), Kind::NoTarget),
        (json!({"op": "replace", "value": "x"}), Kind::InvalidValue),
        (json!({"op": "replace", "path": "shoeSize", "value": 1}), Kind::InvalidPath),
        (json!({"op": "replace", "path": "emails[", "value": 1}), Kind::InvalidPath),
        (json!({"op": "replace", "path": "name.shoe", "value": 1}), Kind::InvalidPath),
        (json!({"op": "replace", "path": "id", "value": "x"}), Kind::Mutability),
        (json!({"op": "remove", "path": "userName"}), Kind::Mutability),
        (json!({"op": "add", "path": "groups", "value": []}), Kind::Mutability),
        (json!({"op": "add", "path": "emails[type ne \"x\" and value sw \"q\"].value", "value": "x"}), Kind::NoTarget),
        (json!({"op": "replace", "path": "name[type eq \"x\"]", "value": "x"}), Kind::InvalidPath),
    ] {
        assert_eq!(person(&json!([operation])), Err(kind), "{operation}");
    }
    assert_eq!(person(&json!([])), Err(Kind::InvalidSyntax));
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        "[a-z]{0,4}|work|True".prop_map(Value::from),
        any::<i8>().prop_map(Value::from)
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let name =
            "value|type|primary|emails|name|members|active|name.givenName|emails\\[type eq \"work\"\\]|[a-z]{1,3}";
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::btree_map(name, inner, 0..3)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn hostile_patches_never_panic(
        steps in proptest::collection::vec(
            ("add|remove|replace", proptest::option::of("emails|emails\\[type eq \"a\"\\](.value)?|members|name|name.givenName|\\PC{0,9}"), value()),
            0..4,
        ),
    ) {
        let operations: Vec<_> =
            steps.iter().map(|(op, path, value)| json!({"op": op, "path": path, "value": value})).collect();
        for resource in Resource::ALL {
            let _ = patched(resource, &json!({"emails": [{"type": "a"}], "members": [{"value": "x"}]}), &json!(operations));
        }
    }
}
