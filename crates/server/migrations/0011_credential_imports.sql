-- Credentials that were made elsewhere and are known by the hash that was kept of them there.

-- One import. Its rows are `staged` until all of them are known to be sound; from the moment that it is `committed`, every row of
-- it becomes a credential, whatever is stopped meanwhile; then it is `live`.
CREATE TABLE credential_imports (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id),
    state TEXT NOT NULL,
    credentials BIGINT NOT NULL,
    skipped BIGINT NOT NULL,
    warnings BIGINT NOT NULL,
    reason TEXT NOT NULL,
    created_by TEXT NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    live_at BIGINT
);
CREATE INDEX credential_imports_by_org ON credential_imports (org_id, id);

-- How imported keys are recognized, in the whole installation: a few functions whose hashes find themselves (an HMAC with its sealed
-- key), and a few shapes of keys whose visible beginning says whose they are.
CREATE TABLE import_profiles (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    document TEXT NOT NULL,
    sealed TEXT,
    created_at BIGINT NOT NULL
);

-- What is imported, beside its token: the visible beginning of its key, and the hash that waits for the key to be shown.
CREATE TABLE imported_credentials (
    token_id TEXT PRIMARY KEY REFERENCES tokens (id),
    org_id TEXT NOT NULL REFERENCES orgs (id),
    import_id TEXT NOT NULL REFERENCES credential_imports (id),
    identifier TEXT UNIQUE,
    hash TEXT,
    valid_until BIGINT
);

-- The rows of an import that is under way.
CREATE TABLE import_rows (
    import_id TEXT NOT NULL REFERENCES credential_imports (id),
    ordinal BIGINT NOT NULL,
    org_id TEXT NOT NULL,
    token_id TEXT NOT NULL,
    owner_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    coverage TEXT NOT NULL,
    name TEXT NOT NULL,
    reason TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    digest TEXT,
    key_id BIGINT,
    identifier TEXT,
    hash TEXT,
    client_id TEXT,
    secret_hash TEXT,
    PRIMARY KEY (import_id, ordinal)
);
CREATE TABLE import_grants (
    id TEXT PRIMARY KEY,
    import_id TEXT NOT NULL REFERENCES credential_imports (id),
    ordinal BIGINT NOT NULL,
    org_id TEXT NOT NULL,
    token_id TEXT NOT NULL,
    api_id TEXT NOT NULL,
    context_id TEXT,
    permissions TEXT NOT NULL
);
CREATE INDEX import_grants_by_row ON import_grants (import_id, ordinal);
