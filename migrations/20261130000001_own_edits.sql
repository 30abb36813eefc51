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
