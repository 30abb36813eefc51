-- An edit of unknown outcome may still take effect, after a newer one: the latest is sent once more when that is over. NULL where
-- every attempt was answered.
ALTER TABLE edit ADD COLUMN again INTEGER;
CREATE INDEX edit_again ON edit (again) WHERE again IS NOT NULL;
-- How far apart edits of the message are, in milliseconds: a row of the statement that wants many at once.
ALTER TABLE edit ADD COLUMN apart INTEGER NOT NULL DEFAULT 3000;
