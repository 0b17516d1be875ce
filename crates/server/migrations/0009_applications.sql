-- Programs that organizations let in. What one was granted in an organization are the grants of a credential of its own
-- there (`token_id`), which each installation makes anew.

CREATE TABLE applications (
    id TEXT PRIMARY KEY,
    -- Where it is registered.
    org_id TEXT NOT NULL REFERENCES orgs (id),
    client_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    -- Whether other organizations may install it.
    shared BIGINT NOT NULL,
    created_by TEXT NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL
);
CREATE INDEX applications_by_org ON applications (org_id, name);

-- One row for each organization that has it, its own included.
CREATE TABLE application_installs (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    application_id TEXT NOT NULL REFERENCES applications (id),
    token_id TEXT NOT NULL UNIQUE REFERENCES tokens (id),
    -- The member who answers for it there.
    owner_id TEXT NOT NULL REFERENCES users (id),
    created_by TEXT NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (application_id, org_id)
);
CREATE INDEX application_installs_by_org ON application_installs (org_id, application_id);
CREATE INDEX application_installs_by_owner ON application_installs (owner_id, org_id);

-- What it needs in every place where it is let in.
CREATE TABLE application_permissions (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    application_id TEXT NOT NULL REFERENCES applications (id),
    api_id TEXT NOT NULL REFERENCES apis (id),
    permission TEXT NOT NULL,
    PRIMARY KEY (application_id, api_id, permission)
);
