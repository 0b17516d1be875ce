-- Credentials of organizations and of service accounts beside those of people. The owner is no longer always a user, so its
-- foreign key goes; no text does that on both databases but building the table anew, with those that refer to it.

CREATE TABLE tokens_new (
    id TEXT PRIMARY KEY,
    -- A user, an organization or a service account; the id says which.
    owner_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    -- How it says what it covers: by its grants, by levels, by roles, or everything.
    coverage TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    addresses TEXT NOT NULL,
    -- Who made it; the owner of a person's own.
    created_by TEXT NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    -- The last moment that can be written stands for no end.
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT
);
INSERT INTO tokens_new (id, owner_id, kind, coverage, name, state, reason, addresses, created_by, created_at, expires_at, revoked_at)
    SELECT id, owner_id, kind, 'listed', name, state, reason, addresses, owner_id, created_at, expires_at, revoked_at FROM tokens;

CREATE TABLE token_parts_new (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    token_id TEXT NOT NULL REFERENCES tokens_new (id),
    state TEXT NOT NULL,
    state_reason TEXT,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (token_id, org_id)
);
INSERT INTO token_parts_new (org_id, token_id, state, state_reason, changed_at)
    SELECT org_id, token_id, state, state_reason, changed_at FROM token_parts;

CREATE TABLE grants_new (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id),
    token_id TEXT NOT NULL REFERENCES tokens_new (id),
    api_id TEXT NOT NULL REFERENCES apis (id),
    context_id TEXT REFERENCES contexts (id),
    permissions TEXT NOT NULL,
    state TEXT NOT NULL,
    self_granted BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
INSERT INTO grants_new (id, org_id, token_id, api_id, context_id, permissions, state, self_granted, created_at)
    SELECT id, org_id, token_id, api_id, context_id, permissions, state, self_granted, created_at FROM grants;

DROP TABLE grants;
DROP TABLE token_parts;
DROP TABLE tokens;
ALTER TABLE tokens_new RENAME TO tokens;
ALTER TABLE token_parts_new RENAME TO token_parts;
ALTER TABLE grants_new RENAME TO grants;
CREATE INDEX tokens_by_owner ON tokens (owner_id, id);
CREATE INDEX token_parts_by_org ON token_parts (org_id, token_id);
CREATE INDEX grants_by_token ON grants (token_id);
CREATE INDEX grants_by_api ON grants (api_id);

-- Whether organization keys may be unscoped, and whether credentials of the kind may have no end.
ALTER TABLE policies ADD COLUMN unscoped BIGINT NOT NULL DEFAULT 0;
ALTER TABLE policies ADD COLUMN without_end BIGINT NOT NULL DEFAULT 0;

-- Accounts that belong to an organization and that no person signs in with; a member answers for each.
CREATE TABLE service_accounts (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id),
    name TEXT NOT NULL,
    owner_id TEXT NOT NULL REFERENCES users (id),
    state TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (org_id, name)
);

-- By what an access key is shown: the Argon2id hash of its secret, or nothing where no secret fits any more.
CREATE TABLE access_keys (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    token_id TEXT PRIMARY KEY REFERENCES tokens (id),
    client_id TEXT NOT NULL UNIQUE,
    secret_hash TEXT NOT NULL
);
CREATE INDEX access_keys_by_org ON access_keys (org_id, token_id);
