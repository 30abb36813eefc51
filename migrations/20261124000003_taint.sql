-- A post whose outcome was once unknown: only a look-up of the past seconds licenses another attempt.
ALTER TABLE outbox ADD COLUMN tainted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN looked_up INTEGER;
