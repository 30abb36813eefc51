-- Forward-only. Instants are integer milliseconds UTC; ids of the chat platform are opaque text.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE workspace (
    guild_id TEXT PRIMARY KEY,
    version  INTEGER NOT NULL,
    state    TEXT NOT NULL CHECK (json_valid(state))
) STRICT;

-- The running state of a release, small; its plan's bytes are revisions.
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

CREATE TABLE revision (
    release_id TEXT NOT NULL REFERENCES release (id),
    revision   INTEGER NOT NULL,
    digest     TEXT NOT NULL,
    file_name  TEXT NOT NULL,
    bytes      BLOB NOT NULL,
    at         INTEGER NOT NULL,
    PRIMARY KEY (release_id, revision)
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
CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

-- What came in once: interactions, webhook deliveries.
CREATE TABLE inbox (
    source TEXT NOT NULL,
    id     TEXT NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (source, id)
) STRICT;

-- What a button leads to. The button carries only the id.
CREATE TABLE prompt (
    id         TEXT PRIMARY KEY,
    guild_id   TEXT NOT NULL,
    release_id TEXT NOT NULL REFERENCES release (id),
    kind       TEXT NOT NULL CHECK (json_valid(kind)),
    at         INTEGER NOT NULL
) STRICT;
CREATE INDEX prompt_release ON prompt (release_id, kind);

-- One row per message to be posted exactly once.
CREATE TABLE outbox (
    id            INTEGER PRIMARY KEY,
    key           TEXT NOT NULL UNIQUE,
    guild_id      TEXT NOT NULL,
    release_id    TEXT NOT NULL REFERENCES release (id),
    channel_id    TEXT NOT NULL,
    priority      INTEGER NOT NULL,
    due           INTEGER NOT NULL,
    useful_until  INTEGER,
    payload       TEXT NOT NULL CHECK (json_valid(payload)),
    prompt_id     TEXT REFERENCES prompt (id),
    nonce         TEXT NOT NULL UNIQUE,
    marker        TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('planned', 'sending', 'unknown', 'sent', 'sent_deleted', 'skipped',
                                                 'superseded', 'blocked', 'held', 'dead')),
    reason        TEXT,
    attempt       INTEGER NOT NULL DEFAULT 0,
    recoveries    INTEGER NOT NULL DEFAULT 0,
    next_try      INTEGER NOT NULL,
    lease_until   INTEGER,
    first_attempt INTEGER,
    anchor_id     TEXT,
    message_id    TEXT,
    posted_at     INTEGER,
    reported      INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX outbox_open ON outbox (next_try, priority) WHERE state IN ('planned', 'unknown', 'sending', 'blocked');
CREATE INDEX outbox_unreported ON outbox (id) WHERE state = 'sent' AND reported = 0;
CREATE INDEX outbox_channel ON outbox (channel_id, posted_at) WHERE message_id IS NOT NULL;

CREATE TABLE attempt (
    outbox_id INTEGER NOT NULL REFERENCES outbox (id),
    n         INTEGER NOT NULL,
    started   INTEGER NOT NULL,
    ended     INTEGER,
    outcome   TEXT,
    PRIMARY KEY (outbox_id, n)
) STRICT;

-- The latest rendering of a message that was or will be posted under the same key; the latest wins.
CREATE TABLE edit (
    key        TEXT PRIMARY KEY,
    release_id TEXT NOT NULL REFERENCES release (id),
    payload    TEXT NOT NULL CHECK (json_valid(payload)),
    prompt_id  TEXT REFERENCES prompt (id),
    wanted     INTEGER NOT NULL,
    done       INTEGER NOT NULL,
    next_try   INTEGER NOT NULL,
    done_at    INTEGER,
    attempt    INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX edit_open ON edit (next_try) WHERE done < wanted;
