-- Organization policies: from where credentials count, what may be asked for, and what contexts say beyond that.

-- Addresses and ranges with spaces between them; empty for anywhere.
ALTER TABLE policies ADD COLUMN addresses TEXT NOT NULL DEFAULT '';

-- What may be asked for at all, a line for each API and place: the API's id, the context's id or `-`, and the names of the
-- permissions, with spaces between them; empty for everything.
ALTER TABLE policies ADD COLUMN permissions TEXT NOT NULL DEFAULT '';

-- After how long without a use they are revoked; NULL for never. It counts from `updated_at` at the earliest.
ALTER TABLE policies ADD COLUMN unused_seconds BIGINT;

-- What a context says of a kind of credential, in itself and everything below. What is NULL or empty is as above.
CREATE TABLE context_policies (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    context_id TEXT NOT NULL REFERENCES contexts (id),
    kind TEXT NOT NULL,
    admission TEXT,
    level TEXT,
    max_lifetime_seconds BIGINT,
    four_eyes BIGINT NOT NULL,
    request_lifetime_seconds BIGINT,
    addresses TEXT NOT NULL,
    permissions TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (context_id, kind)
);
CREATE INDEX context_policies_by_org ON context_policies (org_id, kind);
