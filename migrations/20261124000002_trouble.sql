-- What could not be delivered is told to people once; this says whether it was.
ALTER TABLE outbox ADD COLUMN told INTEGER NOT NULL DEFAULT 0;
CREATE INDEX outbox_untold ON outbox (id) WHERE told = 0 AND state IN ('held', 'blocked', 'dead', 'skipped');
