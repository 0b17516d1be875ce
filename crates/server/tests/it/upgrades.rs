//! What an upgrade does with data that an older version wrote.

use crate::support::{Database, fresh_database};
use sqlx::AnyPool;
use tegata::db::Db;

/// A person's token with a part and a grant, and a policy, as schema 5 had them.
const OLD: &[&str] = &[
    "INSERT INTO users (id, email, email_folded, name, password, state, created_at)
        VALUES ('usr_1', 'a@example.com', 'a@example.com', 'Ada', NULL, 'active', 1)",
    "INSERT INTO orgs (id, org_key, name, kind, created_at) VALUES ('org_1', 'acme', 'Acme', 'tenant', 1)",
    "INSERT INTO apis (id, api_key, version, document, created_at, updated_at) VALUES ('api_1', 'town', 1, '{}', 1, 1)",
    "INSERT INTO tokens (id, owner_id, kind, name, state, reason, addresses, created_at, expires_at, revoked_at)
        VALUES ('tok_1', 'usr_1', 'personal_token', 'ci', 'active', 'why', '10.0.0.0/8', 5, 9, NULL)",
    "INSERT INTO token_parts (org_id, token_id, state, state_reason, changed_at)
        VALUES ('org_1', 'tok_1', 'blocked', 'leak', 6)",
    "INSERT INTO grants (id, org_id, token_id, api_id, context_id, permissions, state, self_granted, created_at)
        VALUES ('grt_1', 'org_1', 'tok_1', 'api_1', NULL, 'doors:read', 'granted', 1, 7)",
    "INSERT INTO policies (org_id, kind, admission, level, max_lifetime_seconds, updated_at)
        VALUES ('org_1', 'personal_token', 'allow', 'all', 86400, 8)",
];

async fn one(pool: &AnyPool, statement: &'static str) -> String {
    let (value,): (String,) = sqlx::query_as(statement).fetch_one(pool).await.unwrap();
    value
}

async fn tokens_get_other_owners(database: Database) {
    let directory = tempfile::tempdir().unwrap();
    let url = fresh_database(database, &directory).await;
    let db = Db::connect(&url).await.unwrap();
    db.migrate_to(5).await.unwrap();
    let reached = match database {
        Database::Sqlite => format!("sqlite://{url}"),
        Database::Postgres => url,
    };
    let pool = AnyPool::connect(&reached).await.unwrap();
    for statement in OLD {
        sqlx::query(*statement).execute(&pool).await.unwrap();
    }
    db.migrate().await.unwrap();
    db.migrate().await.unwrap();

    let token =
        "SELECT owner_id || ' ' || kind || ' ' || coverage || ' ' || created_by || ' ' || addresses FROM tokens";
    assert_eq!(one(&pool, token).await, "usr_1 personal_token listed usr_1 10.0.0.0/8");
    assert_eq!(one(&pool, "SELECT state || ' ' || state_reason FROM token_parts").await, "blocked leak");
    assert_eq!(one(&pool, "SELECT permissions || ' ' || state FROM grants").await, "doors:read granted");
    let flags = "SELECT CAST(unscoped AS TEXT) || CAST(without_end AS TEXT) FROM policies";
    assert_eq!(one(&pool, flags).await, "00");

    // An owner may be an organization now; parts and grants still belong to a token that exists.
    let key =
        "INSERT INTO tokens (id, owner_id, kind, coverage, name, state, reason, addresses, created_by, created_at,
            expires_at, revoked_at)
        VALUES ('tok_2', 'org_1', 'organization_key', 'unscoped', 'all', 'active', '', '', 'usr_1', 5, 9, NULL)";
    sqlx::query(key).execute(&pool).await.unwrap();
    for statement in [
        "INSERT INTO token_parts (org_id, token_id, state, state_reason, changed_at)
            VALUES ('org_1', 'tok_3', 'active', NULL, 6)",
        "INSERT INTO grants (id, org_id, token_id, api_id, context_id, permissions, state, self_granted, created_at)
            VALUES ('grt_2', 'org_1', 'tok_3', 'api_1', NULL, 'doors:read', 'granted', 1, 7)",
        "DELETE FROM tokens WHERE id = 'tok_1'",
    ] {
        assert!(sqlx::query(statement).execute(&pool).await.is_err(), "{statement}");
    }
    pool.close().await;
    db.close().await;
}

#[tokio::test]
async fn tokens_get_other_owners_on_sqlite() {
    tokens_get_other_owners(Database::Sqlite).await;
}

#[tokio::test]
async fn tokens_get_other_owners_on_postgres() {
    tokens_get_other_owners(Database::Postgres).await;
}
