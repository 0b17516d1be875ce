-- For how long an organization keeps its access records, where it has said so.
CREATE TABLE record_retention (
    org_id TEXT PRIMARY KEY REFERENCES orgs (id),
    -- Whole days after the day of the record; NULL where the installation's setting holds.
    days BIGINT,
    -- A legal hold: while this is 1 nothing of the organization is dropped.
    hold BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
