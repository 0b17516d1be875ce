-- One text for SQLite and PostgreSQL: TEXT and BIGINT only, times as microseconds since 1970, digests as hexadecimal
-- text, lists as JSON or separated by spaces. No clock, no trigger, no default that differs between the two.

CREATE TABLE installation (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- One row. `sequence` numbers the writing transactions in commit order; `epoch` fences the serving process; `beat`
-- shows that it lives.
CREATE TABLE head (
    id BIGINT PRIMARY KEY,
    sequence BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    holder TEXT,
    beat BIGINT NOT NULL
);
INSERT INTO head (id, sequence, epoch, holder, beat) VALUES (1, 0, 0, NULL, 0);

CREATE TABLE hash_keys (
    key_id BIGINT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE feed (
    sequence BIGINT NOT NULL,
    ordinal BIGINT NOT NULL,
    topic TEXT NOT NULL,
    org_id TEXT,
    subject TEXT NOT NULL,
    PRIMARY KEY (sequence, ordinal)
);

CREATE TABLE activity (
    id TEXT PRIMARY KEY,
    sequence BIGINT NOT NULL,
    ordinal BIGINT NOT NULL,
    org_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    operation TEXT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id TEXT NOT NULL,
    actor_name TEXT NOT NULL,
    credential_id TEXT,
    subject TEXT NOT NULL,
    before_json TEXT,
    after_json TEXT,
    reason TEXT,
    address TEXT,
    user_agent TEXT,
    request_id TEXT
);
CREATE UNIQUE INDEX activity_by_org ON activity (org_id, sequence, ordinal);

CREATE TABLE idempotency (
    actor TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    status BIGINT NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (actor, idempotency_key)
);
CREATE INDEX idempotency_by_age ON idempotency (created_at);

CREATE TABLE users (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL,
    email_folded TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    password TEXT,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE orgs (
    id TEXT PRIMARY KEY,
    org_key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE memberships (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (org_id, user_id)
);
CREATE INDEX memberships_by_user ON memberships (user_id);

CREATE TABLE teams (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id),
    team_key TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (org_id, team_key)
);

CREATE TABLE team_members (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    team_id TEXT NOT NULL REFERENCES teams (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    PRIMARY KEY (team_id, user_id)
);
CREATE INDEX team_members_by_user ON team_members (org_id, user_id);

CREATE TABLE apis (
    id TEXT PRIMARY KEY,
    api_key TEXT NOT NULL UNIQUE,
    version BIGINT NOT NULL,
    document TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- Numbers are appended and never reused; a removed permission keeps its row.
CREATE TABLE api_permissions (
    api_id TEXT NOT NULL REFERENCES apis (id),
    number BIGINT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (api_id, number),
    UNIQUE (api_id, name)
);

CREATE TABLE org_apis (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    api_id TEXT NOT NULL REFERENCES apis (id),
    enabled_at BIGINT NOT NULL,
    PRIMARY KEY (org_id, api_id)
);

CREATE TABLE contexts (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id),
    kind TEXT NOT NULL,
    context_key TEXT NOT NULL,
    key_folded TEXT NOT NULL,
    external_id TEXT,
    name TEXT NOT NULL,
    parent_id TEXT REFERENCES contexts (id),
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    UNIQUE (org_id, kind, key_folded),
    UNIQUE (org_id, kind, external_id)
);
CREATE INDEX contexts_by_parent ON contexts (org_id, parent_id);

CREATE TABLE roles (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id),
    role_key TEXT NOT NULL,
    name TEXT NOT NULL,
    context_type TEXT NOT NULL,
    everything BIGINT NOT NULL,
    origin TEXT NOT NULL,
    api_id TEXT REFERENCES apis (id),
    created_at BIGINT NOT NULL,
    UNIQUE (org_id, role_key)
);

CREATE TABLE role_permissions (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    role_id TEXT NOT NULL REFERENCES roles (id),
    api_id TEXT NOT NULL REFERENCES apis (id),
    permission TEXT NOT NULL,
    PRIMARY KEY (role_id, api_id, permission)
);

CREATE TABLE assignments (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id),
    role_id TEXT NOT NULL REFERENCES roles (id),
    principal_kind TEXT NOT NULL,
    principal_id TEXT NOT NULL,
    context_id TEXT REFERENCES contexts (id),
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL
);
CREATE UNIQUE INDEX assignments_once ON assignments (org_id, role_id, principal_id, COALESCE(context_id, ''));
CREATE INDEX assignments_by_principal ON assignments (org_id, principal_id);
CREATE INDEX assignments_by_context ON assignments (org_id, context_id);

-- Every secret that Tegata made, by its keyed digest. `valid_until` ends an overlap after a regeneration.
CREATE TABLE secrets (
    digest TEXT PRIMARY KEY,
    key_id BIGINT NOT NULL REFERENCES hash_keys (key_id),
    subject TEXT NOT NULL,
    valid_until BIGINT,
    created_at BIGINT NOT NULL
);
CREATE INDEX secrets_by_subject ON secrets (subject);

CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT,
    address TEXT,
    user_agent TEXT
);
CREATE INDEX sessions_by_user ON sessions (user_id);

CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    owner_id TEXT NOT NULL REFERENCES users (id),
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    addresses TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX tokens_by_owner ON tokens (owner_id, id);

CREATE TABLE token_parts (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    token_id TEXT NOT NULL REFERENCES tokens (id),
    state TEXT NOT NULL,
    state_reason TEXT,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (token_id, org_id)
);
CREATE INDEX token_parts_by_org ON token_parts (org_id, token_id);

CREATE TABLE grants (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id),
    token_id TEXT NOT NULL REFERENCES tokens (id),
    api_id TEXT NOT NULL REFERENCES apis (id),
    context_id TEXT REFERENCES contexts (id),
    permissions TEXT NOT NULL,
    state TEXT NOT NULL,
    self_granted BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX grants_by_token ON grants (token_id);
CREATE INDEX grants_by_api ON grants (api_id);

CREATE TABLE policies (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    kind TEXT NOT NULL,
    admission TEXT NOT NULL,
    level TEXT NOT NULL,
    max_lifetime_seconds BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (org_id, kind)
);

CREATE TABLE verifiers (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);

CREATE TABLE verifier_apis (
    verifier_id TEXT NOT NULL REFERENCES verifiers (id),
    api_id TEXT NOT NULL REFERENCES apis (id),
    PRIMARY KEY (verifier_id, api_id)
);
