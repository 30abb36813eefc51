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
-- What could not be delivered is told to people once; this says whether it was.
ALTER TABLE outbox ADD COLUMN told INTEGER NOT NULL DEFAULT 0;
CREATE INDEX outbox_untold ON outbox (id) WHERE told = 0 AND state IN ('held', 'blocked', 'dead', 'skipped');
-- A post whose outcome was once unknown: only a look-up of the past seconds licenses another attempt.
ALTER TABLE outbox ADD COLUMN tainted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN looked_up INTEGER;
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
-- A status page that cannot be brought up to date is told to people once, and once more when it is: 0 no trouble, 1 not told
-- yet, 2 told.
ALTER TABLE edit ADD COLUMN trouble INTEGER NOT NULL DEFAULT 0;
ALTER TABLE edit ADD COLUMN reason TEXT;
CREATE INDEX edit_untold ON edit (key) WHERE trouble = 1;
-- A document that is to replace a running release's, kept until owner and on-call have agreed (or for ever, if they do not).
CREATE TABLE proposal (
    release_id TEXT NOT NULL REFERENCES release (id),
    n          INTEGER NOT NULL,
    file_name  TEXT NOT NULL,
    bytes      BLOB NOT NULL,
    at         INTEGER NOT NULL,
    PRIMARY KEY (release_id, n)
) STRICT;
-- An edit of unknown outcome may still take effect, after a newer one: the latest is sent once more when that is over. NULL where
-- every attempt was answered.
ALTER TABLE edit ADD COLUMN again INTEGER;
CREATE INDEX edit_again ON edit (again) WHERE again IS NOT NULL;
-- How far apart edits of the message are, in milliseconds: a row of the statement that wants many at once.
ALTER TABLE edit ADD COLUMN apart INTEGER NOT NULL DEFAULT 3000;
-- However many posts wait for their turn in a channel, the next one is found at once.
CREATE INDEX outbox_turn ON outbox (channel_id, priority, next_try, id) WHERE state IN ('planned', 'blocked');
CREATE INDEX outbox_stale ON outbox (next_try) WHERE state IN ('planned', 'blocked') AND tainted = 1;
CREATE INDEX outbox_useful ON outbox (useful_until) WHERE state IN ('planned', 'blocked') AND useful_until IS NOT NULL;
CREATE INDEX outbox_shut ON outbox (channel_id, next_try) WHERE state = 'blocked';
-- Where a message goes in the terms of the rules, so that one whose channel is gone can be sent to the channel that is set now.
ALTER TABLE outbox ADD COLUMN addressee TEXT CHECK (addressee IS NULL OR json_valid(addressee));
-- However many look-ups wait in a channel, the next one is found at once.
CREATE INDEX outbox_doubt ON outbox (channel_id, priority, next_try, id) WHERE state = 'unknown';
-- The channel a message is for is not there any more: all that was in it is gone as well. Noted where the platform's answer is classified.
ALTER TABLE outbox ADD COLUMN gone INTEGER NOT NULL DEFAULT 0;
UPDATE outbox SET gone = 1 WHERE state IN ('planned', 'blocked') AND state = 'blocked' AND reason LIKE '404 %' AND channel_id NOT LIKE 'page:%';
-- What a server's own record says is read without the releases'.
CREATE INDEX journal_own ON journal (guild_id, seq) WHERE release_id IS NULL;
-- Only an attempt that did not arrive at once has a line of its own; when it began is of no interest.
CREATE TABLE attempt_new (
    outbox_id INTEGER NOT NULL REFERENCES outbox (id),
    n         INTEGER NOT NULL,
    ended     INTEGER NOT NULL,
    outcome   TEXT NOT NULL,
    PRIMARY KEY (outbox_id, n)
) STRICT;
INSERT INTO attempt_new (outbox_id, n, ended, outcome)
    SELECT outbox_id, n, coalesce(ended, started), coalesce(outcome, 'interrupted') FROM attempt
    WHERE outcome IS NOT 'sent' OR n > 1;
DROP TABLE attempt;
ALTER TABLE attempt_new RENAME TO attempt;
-- What a release runs by, its plan and its rules, changes seldom; its running state changes with everything that happens, and is written
-- without them.
CREATE TABLE release_terms (
    release_id TEXT PRIMARY KEY REFERENCES release (id),
    plan       TEXT NOT NULL CHECK (json_valid(plan)),
    policy     TEXT NOT NULL CHECK (json_valid(policy))
) STRICT;
INSERT INTO release_terms (release_id, plan, policy)
    SELECT id, state -> '$.plan', coalesce(state -> '$.policy', '{}') FROM release WHERE state -> '$.plan' IS NOT NULL;
UPDATE release SET state = json_remove(state, '$.plan', '$.policy');
-- One tree instead of two: whatever comes in writes to it.
CREATE TABLE inbox_new (
    source TEXT NOT NULL,
    id     TEXT NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (source, id)
) STRICT, WITHOUT ROWID;
INSERT INTO inbox_new (source, id, at) SELECT source, id, at FROM inbox;
DROP TABLE inbox;
ALTER TABLE inbox_new RENAME TO inbox;
-- A workspace's own messages are edited too: an edit need not belong to a release.
CREATE TABLE edit_new (
    key        TEXT PRIMARY KEY,
    release_id TEXT REFERENCES release (id),
    payload    TEXT NOT NULL CHECK (json_valid(payload)),
    prompt_id  TEXT REFERENCES prompt (id),
    wanted     INTEGER NOT NULL,
    done       INTEGER NOT NULL,
    next_try   INTEGER NOT NULL,
    done_at    INTEGER,
    attempt    INTEGER NOT NULL DEFAULT 0,
    trouble    INTEGER NOT NULL DEFAULT 0,
    reason     TEXT,
    again      INTEGER,
    apart      INTEGER NOT NULL DEFAULT 3000
) STRICT;
INSERT INTO edit_new (key, release_id, payload, prompt_id, wanted, done, next_try, done_at, attempt, trouble, reason, again, apart)
SELECT key, release_id, payload, prompt_id, wanted, done, next_try, done_at, attempt, trouble, reason, again, apart FROM edit;
DROP TABLE edit;
ALTER TABLE edit_new RENAME TO edit;
CREATE INDEX edit_open ON edit (next_try) WHERE done < wanted;
CREATE INDEX edit_untold ON edit (key) WHERE trouble = 1;
CREATE INDEX edit_again ON edit (again) WHERE again IS NOT NULL;
-- What an edit showed last, as the message's id and a hash: a rendering that is shown already is not sent again.
ALTER TABLE edit ADD COLUMN shown TEXT;
