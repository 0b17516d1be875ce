-- Where access records are sent on to, and how far that has come.
CREATE TABLE record_streams (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id),
    name TEXT NOT NULL,
    -- Where, how and which records, as JSON; nothing secret.
    settings TEXT NOT NULL,
    -- Signing secrets, sealed. The former one signs as well until `former_until`.
    secret TEXT,
    former_secret TEXT,
    former_until BIGINT,
    -- Counted up whenever the stream begins anew or its settings change: what is written behind for a former pass is lost.
    pass BIGINT NOT NULL,
    -- Every record up to this sequence was delivered, or is none of this stream's.
    position BIGINT NOT NULL,
    -- Only records of this moment or later.
    from_us BIGINT,
    -- Records that were dropped before they were delivered, and of which the receiver does not know yet.
    missed BIGINT NOT NULL,
    paused_at BIGINT,
    paused_because TEXT,
    delivered BIGINT NOT NULL,
    delivered_at BIGINT,
    last_record TEXT,
    last_record_at BIGINT,
    attempts BIGINT NOT NULL,
    failing_since BIGINT,
    failure TEXT,
    next_attempt_at BIGINT,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL
);
CREATE INDEX record_streams_by_org ON record_streams (org_id, id);
