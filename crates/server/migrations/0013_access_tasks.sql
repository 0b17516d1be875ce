-- Access requests as AuthZEN's callers know them: what was asked for in their own words, and the request that decides it.

-- `request_id` is absent where everything was granted at once. `submitted` is a document: the resources and actions as they were sent,
-- each with the lines of the request that it waits for.
CREATE TABLE access_tasks (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id),
    token_id TEXT NOT NULL REFERENCES tokens (id),
    requester_id TEXT NOT NULL REFERENCES users (id),
    request_id TEXT REFERENCES requests (id),
    approval_id TEXT NOT NULL,
    submitted TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX access_tasks_by_request ON access_tasks (org_id, request_id);
CREATE INDEX access_tasks_by_expiry ON access_tasks (expires_at);
