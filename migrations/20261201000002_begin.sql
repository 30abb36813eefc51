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

CREATE TABLE revision (
    release_id TEXT NOT NULL REFERENCES release (id),
    revision   INTEGER NOT NULL,
    digest     TEXT NOT NULL,
    file_name  TEXT NOT NULL,
    content    TEXT NOT NULL REFERENCES content (hash),
    at         INTEGER NOT NULL,
    PRIMARY KEY (release_id, revision)
) STRICT;

-- A document that is to replace a running release's, kept until owner and on-call have agreed (or for ever, if they do not).
CREATE TABLE proposal (
    release_id TEXT NOT NULL REFERENCES release (id),
    n          INTEGER NOT NULL,
    file_name  TEXT NOT NULL,
    content    TEXT NOT NULL REFERENCES content (hash),
    at         INTEGER NOT NULL,
    PRIMARY KEY (release_id, n)
) STRICT;

-- The template a train's drafts are made from.
CREATE TABLE train_plan (
    guild_id  TEXT NOT NULL,
    name      TEXT NOT NULL,
    file_name TEXT NOT NULL,
    content   TEXT NOT NULL REFERENCES content (hash),
    PRIMARY KEY (guild_id, name)
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

-- Messages, each posted once. `post` is where it is (`delivery::Post`); the columns after it repeat of that what is searched by.
CREATE TABLE outbox (
    id         INTEGER PRIMARY KEY,
    owner      TEXT NOT NULL,
    key        TEXT NOT NULL,
    guild_id   TEXT NOT NULL,
    release_id TEXT REFERENCES release (id),
    target     TEXT NOT NULL CHECK (json_valid(target)),
    addressee  TEXT CHECK (addressee IS NULL OR json_valid(addressee)),
    priority   INTEGER NOT NULL,
    payload    TEXT NOT NULL CHECK (json_valid(payload)),
    prompt_id  TEXT REFERENCES prompt (id),
    nonce      TEXT NOT NULL UNIQUE,
    marker     TEXT NOT NULL,
    plain      INTEGER NOT NULL DEFAULT 0,
    file_name  TEXT,
    content    TEXT REFERENCES content (hash),
    post       TEXT NOT NULL CHECK (json_valid(post)),
    state      TEXT NOT NULL CHECK (state IN ('waiting', 'sending', 'unknown', 'posted', 'deleted', 'held', 'dead',
                                              'skipped', 'superseded')),
    next_at    INTEGER,
    expires    INTEGER,
    told       INTEGER NOT NULL DEFAULT 0,
    report     TEXT CHECK (report IS NULL OR json_valid(report)),
    message_id TEXT,
    posted_at  INTEGER,
    UNIQUE (owner, key)
) STRICT;
CREATE INDEX outbox_open ON outbox (state, next_at) WHERE next_at IS NOT NULL;
CREATE INDEX outbox_turn ON outbox (target, priority, next_at, id) WHERE state = 'waiting';
CREATE INDEX outbox_doubt ON outbox (target, priority, next_at, id) WHERE state = 'unknown';
CREATE INDEX outbox_sending ON outbox (target, next_at) WHERE state = 'sending';
CREATE INDEX outbox_expires ON outbox (expires) WHERE expires IS NOT NULL;
CREATE INDEX outbox_stuck ON outbox (guild_id) WHERE state IN ('held', 'dead');
CREATE INDEX outbox_report ON outbox (id) WHERE report IS NOT NULL;
CREATE INDEX outbox_posted ON outbox (posted_at) WHERE message_id IS NOT NULL;
CREATE INDEX outbox_newest ON outbox (target, posted_at) WHERE message_id IS NOT NULL;

-- The newest rendering of a message (`delivery::Edit`), where that is another than it was posted with.
CREATE TABLE edit (
    post_id   INTEGER PRIMARY KEY REFERENCES outbox (id),
    payload   TEXT NOT NULL CHECK (json_valid(payload)),
    prompt_id TEXT REFERENCES prompt (id),
    edit      TEXT NOT NULL CHECK (json_valid(edit)),
    next_at   INTEGER
) STRICT;
CREATE INDEX edit_open ON edit (next_at) WHERE next_at IS NOT NULL;

-- Targets that take nothing at present (`delivery::ChannelState`); all others are open.
CREATE TABLE channel (
    target TEXT PRIMARY KEY CHECK (json_valid(target)),
    state  TEXT NOT NULL CHECK (json_valid(state))
) STRICT;
