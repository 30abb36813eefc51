-- A workspace speaks for itself (freezes, trains), so a post need not belong to a release; and a post can be withdrawn while
-- it is being sent. SQLite changes a column's constraint only by a new table; `attempt` refers to it and moves along.
CREATE TABLE outbox_new (
    id            INTEGER PRIMARY KEY,
    key           TEXT NOT NULL UNIQUE,
    guild_id      TEXT NOT NULL,
    release_id    TEXT REFERENCES release (id),
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
    reported      INTEGER NOT NULL DEFAULT 0,
    told          INTEGER NOT NULL DEFAULT 0,
    tainted       INTEGER NOT NULL DEFAULT 0,
    looked_up     INTEGER,
    withdrawn     INTEGER NOT NULL DEFAULT 0,
    plain         INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO outbox_new (id, key, guild_id, release_id, channel_id, priority, due, useful_until, payload, prompt_id, nonce, marker, state,
                        reason, attempt, recoveries, next_try, lease_until, first_attempt, anchor_id, message_id, posted_at, reported,
                        told, tainted, looked_up)
SELECT id, key, guild_id, release_id, channel_id, priority, due, useful_until, payload, prompt_id, nonce, marker, state,
       reason, attempt, recoveries, next_try, lease_until, first_attempt, anchor_id, message_id, posted_at, reported,
       told, tainted, looked_up
FROM outbox;
CREATE TABLE attempt_new (
    outbox_id INTEGER NOT NULL REFERENCES outbox_new (id),
    n         INTEGER NOT NULL,
    started   INTEGER NOT NULL,
    ended     INTEGER,
    outcome   TEXT,
    PRIMARY KEY (outbox_id, n)
) STRICT;
INSERT INTO attempt_new SELECT outbox_id, n, started, ended, outcome FROM attempt;
DROP TABLE attempt;
DROP TABLE outbox;
ALTER TABLE outbox_new RENAME TO outbox;
ALTER TABLE attempt_new RENAME TO attempt;

-- Each state the courier asks for has an index of its own: SQLite uses a partial index only where a query says its very words.
CREATE INDEX outbox_waiting ON outbox (next_try, priority, channel_id) WHERE state IN ('planned', 'blocked');
CREATE INDEX outbox_unknown ON outbox (next_try) WHERE state = 'unknown';
CREATE INDEX outbox_sending ON outbox (lease_until) WHERE state = 'sending';
CREATE INDEX outbox_busy ON outbox (channel_id) WHERE state = 'sending';
CREATE INDEX outbox_stuck ON outbox (id) WHERE state IN ('held', 'dead');
CREATE INDEX outbox_posted ON outbox (posted_at) WHERE message_id IS NOT NULL;
CREATE INDEX outbox_unreported ON outbox (id) WHERE state = 'sent' AND reported = 0;
CREATE INDEX outbox_channel ON outbox (channel_id, posted_at) WHERE message_id IS NOT NULL;
CREATE INDEX outbox_untold ON outbox (id) WHERE told = 0 AND state IN ('held', 'blocked', 'dead', 'skipped');

-- When a workspace has something to do by itself.
ALTER TABLE workspace ADD COLUMN next_wakeup INTEGER;
CREATE INDEX workspace_wakeup ON workspace (next_wakeup) WHERE next_wakeup IS NOT NULL;

-- The template a train's drafts are made from.
CREATE TABLE train_plan (
    guild_id  TEXT NOT NULL,
    name      TEXT NOT NULL,
    file_name TEXT NOT NULL,
    bytes     BLOB NOT NULL,
    PRIMARY KEY (guild_id, name)
) STRICT;
