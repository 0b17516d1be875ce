-- Limits on calls.
CREATE TABLE limits (
    id TEXT PRIMARY KEY,
    -- Whose it is; NULL where the publisher set it, for every organization.
    org_id TEXT REFERENCES orgs (id),
    name TEXT NOT NULL,
    quota BIGINT NOT NULL,
    window_seconds BIGINT NOT NULL,
    -- For whom calls are counted: credential, principal or organization.
    per TEXT NOT NULL,
    -- Which calls; NULL for those of every API, and for those of every class of endpoints.
    api_id TEXT REFERENCES apis (id),
    class TEXT,
    -- Counts the changes.
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX limits_everywhere ON limits (name) WHERE org_id IS NULL;
CREATE UNIQUE INDEX limits_own ON limits (org_id, name);

-- What is used of limits with long windows: written behind, so that a restart forgets little. Rows of limits that are gone
-- mean nothing, and go.
CREATE TABLE limit_usage (
    limit_id TEXT NOT NULL,
    -- Organization and whoever is counted, in base 32.
    subject TEXT NOT NULL,
    -- When all of the quota is there again, in nanoseconds since 1970, at this many nanoseconds a call.
    used_until BIGINT NOT NULL,
    step BIGINT NOT NULL,
    PRIMARY KEY (limit_id, subject)
);
CREATE INDEX limit_usage_used_until ON limit_usage (used_until);
