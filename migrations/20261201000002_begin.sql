-- Forward-only. Instants are integer milliseconds UTC; ids of the chat platform are opaque text.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE workspace (
    guild_id    TEXT PRIMARY KEY,
    version     INTEGER NOT NULL,
    next_wakeup INTEGER,
    state       TEXT NOT NULL CHECK (json_valid(state))
) STRICT;
CREATE INDEX workspace_wakeup ON workspace (next_wakeup) WHERE next_wakeup IS NOT NULL;

-- The running state of a release, small. What it runs by changes seldom and is kept apart.
CREATE TABLE release (
    id          TEXT PRIMARY KEY,
    guild_id    TEXT NOT NULL,
    no          INTEGER NOT NULL,
    version     INTEGER NOT NULL,
    phase       TEXT NOT NULL CHECK (phase IN ('draft', 'gathering', 'approved', 'held', 'live', 'watching',
                                               'rolling_back', 'rolled_back', 'all_clear', 'closed', 'scrubbed')),
    title       TEXT NOT NULL,
    service     TEXT,
    next_wakeup INTEGER,
    state       TEXT NOT NULL CHECK (json_valid(state)),
    UNIQUE (guild_id, no)
) STRICT;
CREATE INDEX release_wakeup ON release (next_wakeup) WHERE next_wakeup IS NOT NULL;
CREATE INDEX release_phase ON release (guild_id, phase);

CREATE TABLE release_terms (
    release_id TEXT PRIMARY KEY REFERENCES release (id),
    plan       TEXT NOT NULL CHECK (json_valid(plan)),
    policy     TEXT NOT NULL CHECK (json_valid(policy))
) STRICT;

-- Bytes by the SHA-256 of what they are, stored once: plans, templates, files of messages.
CREATE TABLE content (
    hash  TEXT PRIMARY KEY,
    bytes BLOB NOT NULL
) STRICT;

-- Plans and templates, by what they are for: `store::DocumentKey`.
CREATE TABLE document (
    key       TEXT PRIMARY KEY,
    file_name TEXT NOT NULL,
    content   TEXT NOT NULL REFERENCES content (hash)
) STRICT;

-- Append-only and hash-chained over the whole installation.
CREATE TABLE journal (
    seq        INTEGER PRIMARY KEY,
    guild_id   TEXT NOT NULL,
    release_id TEXT,
    at         INTEGER NOT NULL,
    entry      TEXT NOT NULL CHECK (json_valid(entry)),
    prev_hash  TEXT NOT NULL,
    hash       TEXT NOT NULL
) STRICT;
CREATE INDEX journal_release ON journal (release_id, seq);
CREATE INDEX journal_own ON journal (guild_id, seq) WHERE release_id IS NULL;
CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

-- What came in once: interactions, webhook deliveries.
CREATE TABLE inbox (
    source TEXT NOT NULL,
    id     TEXT NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (source, id)
) STRICT, WITHOUT ROWID;

-- What a button leads to. The button carries only the id.
CREATE TABLE prompt (
    id         TEXT PRIMARY KEY,
    guild_id   TEXT NOT NULL,
    release_id TEXT NOT NULL REFERENCES release (id),
    kind       TEXT NOT NULL CHECK (json_valid(kind)),
    at         INTEGER NOT NULL
) STRICT;

-- Messages, each posted once and then edited: `row` is `store::PostRow`. The columns it is found by are computed from it, but for
-- those that never change: their indexes stay as they are when a message does.
CREATE TABLE outbox (
    id         INTEGER PRIMARY KEY,
    owner      TEXT NOT NULL,
    key        TEXT NOT NULL,
    guild_id   TEXT NOT NULL,
    release_id TEXT REFERENCES release (id),
    target     TEXT NOT NULL AS (row -> '$.target') STORED,
    priority   INTEGER NOT NULL AS (row ->> '$.priority') STORED,
    state      TEXT NOT NULL AS (row ->> '$.state') STORED CHECK (state IN (
                   'waiting', 'sending', 'unknown', 'posted', 'deleted', 'held', 'dead', 'skipped', 'superseded')),
    next_at    INTEGER AS (row ->> '$.next_at') STORED,
    expires    INTEGER AS (row ->> '$.expires') STORED,
    edit_at    INTEGER AS (row ->> '$.edit_at') STORED,
    told       INTEGER NOT NULL AS (row ->> '$.post.told') STORED,
    report     TEXT AS (row ->> '$.post.report') STORED,
    message_id TEXT AS (row ->> '$.message') STORED,
    posted_at  INTEGER AS (row ->> '$.posted_at') STORED,
    -- Last: it is long, and what comes after a long value is slow to read.
    row        TEXT NOT NULL CHECK (json_valid(row)),
    UNIQUE (owner, key)
) STRICT;
CREATE INDEX outbox_open ON outbox (state, next_at) WHERE next_at IS NOT NULL;
CREATE INDEX outbox_turn ON outbox (state, target, priority, next_at, id) WHERE next_at IS NOT NULL;
CREATE INDEX outbox_expires ON outbox (expires) WHERE expires IS NOT NULL;
CREATE INDEX outbox_edit ON outbox (edit_at) WHERE edit_at IS NOT NULL;
CREATE INDEX outbox_stuck ON outbox (guild_id) WHERE state IN ('held', 'dead');
CREATE INDEX outbox_report ON outbox (id) WHERE report IS NOT NULL;
CREATE INDEX outbox_posted ON outbox (posted_at) WHERE message_id IS NOT NULL;
CREATE INDEX outbox_newest ON outbox (target, posted_at) WHERE message_id IS NOT NULL;

-- Targets that take nothing at present (`delivery::ChannelState`); all others are open.
CREATE TABLE channel (
    target TEXT PRIMARY KEY CHECK (json_valid(target)),
    state  TEXT NOT NULL CHECK (json_valid(state))
) STRICT;
