-- When a credential was last used in an organization; written behind, so it may be some minutes old.
CREATE TABLE credential_uses (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    credential TEXT NOT NULL,
    used_at BIGINT NOT NULL,
    PRIMARY KEY (credential, org_id)
);
CREATE INDEX credential_uses_by_org ON credential_uses (org_id, used_at);
