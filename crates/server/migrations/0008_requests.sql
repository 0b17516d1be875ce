-- Permissions that were asked for, and what approvers lay on what they grant.

CREATE TABLE requests (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id),
    token_id TEXT NOT NULL REFERENCES tokens (id),
    requester_id TEXT NOT NULL REFERENCES users (id),
    reason TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    closed_at BIGINT
);
CREATE INDEX requests_by_org ON requests (org_id, id);
CREATE INDEX requests_by_requester ON requests (requester_id, id);
CREATE INDEX requests_by_token ON requests (token_id);
CREATE INDEX requests_by_expiry ON requests (state, expires_at);

CREATE TABLE access_policies (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id),
    name TEXT NOT NULL,
    position BIGINT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (org_id, name)
);

CREATE TABLE access_policy_parts (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    policy_id TEXT NOT NULL REFERENCES access_policies (id),
    ordinal BIGINT NOT NULL,
    api_id TEXT NOT NULL REFERENCES apis (id),
    context_id TEXT REFERENCES contexts (id),
    permissions TEXT NOT NULL,
    PRIMARY KEY (policy_id, ordinal)
);

-- A line of a request is a grant of one permission; what was granted otherwise has no request.
ALTER TABLE grants ADD COLUMN request_id TEXT REFERENCES requests (id);
ALTER TABLE grants ADD COLUMN line BIGINT;
ALTER TABLE grants ADD COLUMN asked TEXT;
ALTER TABLE grants ADD COLUMN until BIGINT;
ALTER TABLE grants ADD COLUMN access_policy_id TEXT REFERENCES access_policies (id);
ALTER TABLE grants ADD COLUMN decided_by TEXT;
ALTER TABLE grants ADD COLUMN decided_at BIGINT;
ALTER TABLE grants ADD COLUMN comment TEXT;
CREATE INDEX grants_by_request ON grants (request_id);
CREATE INDEX grants_by_access_policy ON grants (access_policy_id);

ALTER TABLE policies ADD COLUMN four_eyes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE policies ADD COLUMN request_lifetime_seconds BIGINT NOT NULL DEFAULT 2592000;
