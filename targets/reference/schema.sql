-- The gateway's store. Money is in quota units, prices in units per 1000 tokens. Secrets of callers are kept as SHA-256 only.

CREATE TABLE users (
    id         INTEGER PRIMARY KEY,
    quota      INTEGER NOT NULL CHECK (quota >= 0),
    user_group TEXT    NOT NULL
);

CREATE TABLE keys (
    id             INTEGER PRIMARY KEY,
    hash           BLOB    NOT NULL UNIQUE,
    user_id        INTEGER NOT NULL REFERENCES users (id),
    status         TEXT    NOT NULL CHECK (status IN ('active', 'revoked')),
    budget         INTEGER CHECK (budget >= 0), -- NULL: only the user's quota bounds it
    allowed_models TEXT,                        -- JSON array; NULL: all
    allowed_ips    TEXT,                        -- JSON array of prefixes; NULL: all
    rate_kind      TEXT,                        -- the kind of limiter
    rate_requests  INTEGER,                     -- NULL: unlimited
    rate_window_ms INTEGER,
    rate_burst     INTEGER                      -- of a token bucket; NULL: as many as rate_requests
);

CREATE TABLE models (
    name         TEXT PRIMARY KEY,
    input_price  INTEGER, -- NULL: unpriced
    output_price INTEGER
) WITHOUT ROWID;

CREATE TABLE channels (
    id         INTEGER PRIMARY KEY,
    protocol   TEXT    NOT NULL,
    base_url   TEXT    NOT NULL,
    mapping    TEXT,              -- JSON object, asked model to the upstream's model
    annotation TEXT,              -- JSON, added to every answer of this channel
    enabled    INTEGER NOT NULL,
    user_group TEXT    NOT NULL,
    priority   INTEGER NOT NULL   -- lower is tried first
);

CREATE TABLE channel_models (
    model      TEXT    NOT NULL REFERENCES models (name),
    channel_id INTEGER NOT NULL REFERENCES channels (id),
    PRIMARY KEY (model, channel_id)
) WITHOUT ROWID;

CREATE TABLE channel_keys (
    id         INTEGER PRIMARY KEY,
    channel_id INTEGER NOT NULL REFERENCES channels (id),
    secret     TEXT    NOT NULL,
    enabled    INTEGER NOT NULL
);
CREATE INDEX channel_keys_by_channel ON channel_keys (channel_id);

CREATE TABLE words (
    word TEXT PRIMARY KEY
) WITHOUT ROWID;

-- One row for each call that quota was reserved for.
CREATE TABLE ledger (
    request_id TEXT PRIMARY KEY,
    user_id    INTEGER NOT NULL,
    key_id     INTEGER NOT NULL,
    model      TEXT    NOT NULL,
    held       INTEGER NOT NULL,
    charged    INTEGER NOT NULL,
    state      TEXT    NOT NULL CHECK (state IN ('held', 'settled', 'refunded'))
) WITHOUT ROWID;
