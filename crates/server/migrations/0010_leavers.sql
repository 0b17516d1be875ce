-- What leavers answered for, and what identity providers write about people and teams (SCIM).

-- What becomes of organization keys that a leaver made, and how long what a leaver answered for waits for a successor.
ALTER TABLE policies ADD COLUMN leaver TEXT NOT NULL DEFAULT 'keep';
UPDATE policies SET leaver = 'revoke' WHERE kind = 'organization_key';
ALTER TABLE policies ADD COLUMN succession_seconds BIGINT NOT NULL DEFAULT 2592000;

CREATE TABLE successions (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id),
    -- Who left.
    leaver_id TEXT NOT NULL REFERENCES users (id),
    -- What they answered for: the id of a service account or an application.
    subject TEXT NOT NULL,
    -- `waiting`, `handed_over`, or `lapsed`, which is when nobody took it over in time.
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    -- When so many days were left, it was last warned of.
    warned_days BIGINT,
    successor_id TEXT REFERENCES users (id),
    settled_at BIGINT,
    settled_by TEXT
);
CREATE INDEX successions_by_org ON successions (org_id, id);
CREATE INDEX successions_by_subject ON successions (subject, state);
CREATE INDEX successions_by_end ON successions (state, due_at);

-- What an identity provider wrote about a member, beside the account. Without a row, the account speaks.
CREATE TABLE scim_users (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    -- In lower case, once in the organization; none once it was deleted.
    user_name_folded TEXT,
    external_id TEXT,
    -- What was written, as JSON.
    attributes TEXT NOT NULL,
    deleted_at BIGINT,
    PRIMARY KEY (org_id, user_id),
    UNIQUE (org_id, user_name_folded)
);
CREATE INDEX scim_users_by_external_id ON scim_users (org_id, external_id);

-- The teams that an identity provider made, which are its to change.
CREATE TABLE scim_teams (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    team_id TEXT PRIMARY KEY REFERENCES teams (id),
    external_id TEXT
);
CREATE INDEX scim_teams_by_org ON scim_teams (org_id, team_id);
