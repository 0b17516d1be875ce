-- Where an organization's changes are told to programs outside, and how far that has come.
CREATE TABLE webhooks (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id),
    name TEXT NOT NULL,
    url TEXT NOT NULL,
    -- Which types of events: a JSON list of patterns.
    events TEXT NOT NULL,
    -- Signing secrets, sealed. The former one signs as well until `former_until`.
    secret TEXT NOT NULL,
    former_secret TEXT,
    former_until BIGINT,
    -- Counted up whenever people change something.
    version BIGINT NOT NULL,
    -- The last entry of activity that was looked at. What comes after it becomes deliveries.
    position_sequence BIGINT NOT NULL,
    position_ordinal BIGINT NOT NULL,
    paused_at BIGINT,
    paused_because TEXT,
    failing_since BIGINT,
    failure TEXT,
    delivered BIGINT NOT NULL,
    delivered_at BIGINT,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL
);
CREATE INDEX webhooks_by_org ON webhooks (org_id, id);

-- Events on their way. What an event says is its entry of activity, which never changes.
CREATE TABLE webhook_deliveries (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id),
    webhook_id TEXT NOT NULL REFERENCES webhooks (id),
    activity_id TEXT NOT NULL,
    event TEXT NOT NULL,
    -- `pending`, `delivered`, or `failed`, which is when nobody tries any more.
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    next_attempt_at BIGINT NOT NULL,
    gives_up_at BIGINT NOT NULL,
    -- What came of the last attempt.
    attempted_at BIGINT,
    status BIGINT,
    failure TEXT,
    created_at BIGINT NOT NULL,
    done_at BIGINT
);
CREATE INDEX webhook_deliveries_by_webhook ON webhook_deliveries (webhook_id, id);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, next_attempt_at) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_done ON webhook_deliveries (done_at) WHERE done_at IS NOT NULL;

-- What is new in which organization.
CREATE INDEX activity_by_sequence ON activity (sequence);

-- Notices to people: a kind, and what its words need, as JSON; never a secret.
CREATE TABLE notices (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    org_id TEXT REFERENCES orgs (id),
    kind TEXT NOT NULL,
    about TEXT NOT NULL,
    data TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    read_at BIGINT
);
CREATE INDEX notices_by_user ON notices (user_id, id);
CREATE INDEX notices_unread ON notices (user_id, id) WHERE read_at IS NULL;
CREATE INDEX notices_by_age ON notices (created_at);

-- How people like to be spoken to.
CREATE TABLE user_preferences (
    user_id TEXT PRIMARY KEY REFERENCES users (id),
    language TEXT
);

-- How many days before a credential ends an organization has its owner warned; 30, 7 and 1 where it says nothing.
CREATE TABLE notice_settings (
    org_id TEXT PRIMARY KEY REFERENCES orgs (id),
    -- Numbers separated by spaces, the largest first.
    expiry_days TEXT NOT NULL
);

-- What was warned of: of this end of a credential, last when so many days were left.
CREATE TABLE expiry_warnings (
    credential TEXT PRIMARY KEY,
    expires_at BIGINT NOT NULL,
    days BIGINT NOT NULL
);
CREATE INDEX expiry_warnings_by_end ON expiry_warnings (expires_at);
CREATE INDEX tokens_by_end ON tokens (expires_at, id);
