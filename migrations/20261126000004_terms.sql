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
