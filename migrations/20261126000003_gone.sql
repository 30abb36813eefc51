-- The channel a message is for is not there any more: all that was in it is gone as well. Noted where the platform's answer is classified.
ALTER TABLE outbox ADD COLUMN gone INTEGER NOT NULL DEFAULT 0;
UPDATE outbox SET gone = 1 WHERE state IN ('planned', 'blocked') AND state = 'blocked' AND reason LIKE '404 %' AND channel_id NOT LIKE 'page:%';
-- What a server's own record says is read without the releases'.
CREATE INDEX journal_own ON journal (guild_id, seq) WHERE release_id IS NULL;
