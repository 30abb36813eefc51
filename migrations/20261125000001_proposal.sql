-- A document that is to replace a running release's, kept until owner and on-call have agreed (or for ever, if they do not).
CREATE TABLE proposal (
    release_id TEXT NOT NULL REFERENCES release (id),
    n          INTEGER NOT NULL,
    file_name  TEXT NOT NULL,
    bytes      BLOB NOT NULL,
    at         INTEGER NOT NULL,
    PRIMARY KEY (release_id, n)
) STRICT;
