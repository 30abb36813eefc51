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
