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
