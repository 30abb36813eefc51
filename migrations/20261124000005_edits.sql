-- A status page that cannot be brought up to date is told to people once, and once more when it is: 0 no trouble, 1 not told
-- yet, 2 told.
ALTER TABLE edit ADD COLUMN trouble INTEGER NOT NULL DEFAULT 0;
ALTER TABLE edit ADD COLUMN reason TEXT;
CREATE INDEX edit_untold ON edit (key) WHERE trouble = 1;
