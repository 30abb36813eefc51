-- From tables of the versions before the one migration (`before_…`) to those of now. Instants become text in `delivery`'s values.

INSERT INTO meta SELECT key, value FROM before_meta;
INSERT INTO workspace (guild_id, version, next_wakeup, state) SELECT guild_id, version, next_wakeup, state FROM before_workspace;
INSERT INTO release (id, guild_id, no, version, phase, title, service, next_wakeup, state)
    SELECT id, guild_id, no, version, phase, title, service, next_wakeup, state FROM before_release;
INSERT INTO release_terms SELECT release_id, plan, policy FROM before_release_terms;
INSERT INTO journal SELECT seq, guild_id, release_id, at, entry, prev_hash, hash FROM before_journal;
INSERT INTO inbox SELECT source, id, at FROM before_inbox;
INSERT INTO prompt SELECT id, guild_id, release_id, kind, at FROM before_prompt;
INSERT INTO revision (release_id, revision, digest, file_name, content, at)
    SELECT release_id, revision, digest, file_name, hash, at FROM before_revision r
    JOIN hash_of h ON h.document = 'revision' AND h.id = r.rowid;
INSERT INTO proposal (release_id, n, file_name, content, at)
    SELECT release_id, n, file_name, hash, at FROM before_proposal p JOIN hash_of h ON h.document = 'proposal' AND h.id = p.rowid;
INSERT INTO train_plan (guild_id, name, file_name, content)
    SELECT guild_id, name, file_name, hash FROM before_train_plan t JOIN hash_of h ON h.document = 'train_plan' AND h.id = t.rowid;

-- Where each message goes.
CREATE TEMP TABLE target_of (id INTEGER PRIMARY KEY, target TEXT);
INSERT INTO target_of SELECT id, json_object('page', json_object('name', substr(channel_id, 6))) FROM before_outbox
    WHERE channel_id LIKE 'page:%';
INSERT INTO target_of SELECT id, json_object('chat', json_object('workspace', guild_id, 'channel', channel_id)) FROM before_outbox
    WHERE channel_id NOT LIKE 'page:%';

-- Where each message is. A message that was blocked waits for its channel now, and one that may be there is looked up.
CREATE TEMP TABLE state_of (id INTEGER PRIMARY KEY, state TEXT, value TEXT, next_at INTEGER);
INSERT INTO state_of SELECT id, 'waiting', json_object('waiting', json_object('at', strftime('%FT%H:%M:%fZ', next_try / 1000.0, 'unixepoch'))), next_try
    FROM before_outbox WHERE state = 'planned' OR (state = 'blocked' AND tainted = 0);
INSERT INTO state_of SELECT id, 'unknown', json_object('unknown', json_object('look_up_at', strftime('%FT%H:%M:%fZ', next_try / 1000.0, 'unixepoch'))), next_try
    FROM before_outbox WHERE state = 'unknown' OR (state = 'blocked' AND tainted = 1);
INSERT INTO state_of SELECT id, 'sending', json_object('sending', json_object(
        'began', strftime('%FT%H:%M:%fZ', coalesce(first_attempt, next_try) / 1000.0, 'unixepoch'),
        'until', strftime('%FT%H:%M:%fZ', coalesce(lease_until, next_try) / 1000.0, 'unixepoch'))), coalesce(lease_until, next_try)
    FROM before_outbox WHERE state = 'sending';
INSERT INTO state_of SELECT id, 'posted', json_object('posted', json_object('message', message_id,
        'at', strftime('%FT%H:%M:%fZ', posted_at / 1000.0, 'unixepoch'))), NULL
    FROM before_outbox WHERE state = 'sent';
INSERT INTO state_of SELECT id, 'deleted', '"deleted"', NULL FROM before_outbox WHERE state = 'sent_deleted';
INSERT INTO state_of SELECT id, state, json_quote(state), NULL FROM before_outbox
    WHERE state IN ('held', 'dead', 'skipped', 'superseded');

-- What earlier attempts may have done.
CREATE TEMP TABLE doubt_of (id INTEGER PRIMARY KEY, value TEXT);
INSERT INTO doubt_of SELECT id, json_object(
        'first', strftime('%FT%H:%M:%fZ', first_attempt / 1000.0, 'unixepoch'),
        'cleared', strftime('%FT%H:%M:%fZ', looked_up / 1000.0, 'unixepoch'))
    FROM before_outbox WHERE tainted = 1 AND state IN ('planned', 'blocked', 'sending', 'unknown');

-- Trouble whose end somebody waits for.
CREATE TEMP TABLE untold (id INTEGER PRIMARY KEY);
INSERT INTO untold SELECT id FROM before_outbox WHERE told = 0 AND state IN ('held', 'dead', 'skipped');
INSERT INTO untold SELECT o.id FROM before_edit e JOIN before_outbox o ON o.key = e.key WHERE e.trouble > 0 AND o.state = 'sent';

INSERT INTO outbox (id, owner, key, guild_id, release_id, target, addressee, priority, payload, prompt_id, nonce, marker, plain,
                    file_name, content, post, state, next_at, expires, told, message_id, posted_at)
SELECT o.id, coalesce(o.release_id, o.guild_id), substr(o.key, length(coalesce(o.release_id, o.guild_id)) + 2), o.guild_id,
       o.release_id, t.target, o.addressee, o.priority, json_remove(o.payload, '$.document'), o.prompt_id, o.nonce, o.marker,
       o.plain, r.file_name, r.content,
       json_object('state', json(s.value), 'due', strftime('%FT%H:%M:%fZ', o.due / 1000.0, 'unixepoch'),
                   'useful_until', strftime('%FT%H:%M:%fZ', o.useful_until / 1000.0, 'unixepoch'), 'attempt', o.attempt,
                   'crashes', o.recoveries, 'doubt', json(d.value), 'withdrawn', json(iif(o.withdrawn, 'true', 'false')),
                   'told', json(iif(o.told OR u.id, 'true', 'false')), 'awaited', json(iif(o.reported AND u.id IS NULL, 'false', 'true')),
                   'why', o.reason),
       s.state, s.next_at, iif(s.state IN ('waiting', 'unknown'), o.useful_until, NULL), o.told, o.message_id, o.posted_at
FROM before_outbox o JOIN target_of t ON t.id = o.id JOIN state_of s ON s.id = o.id LEFT JOIN doubt_of d ON d.id = o.id
LEFT JOIN untold u ON u.id = o.id
LEFT JOIN revision r ON r.release_id = o.payload ->> '$.document.release' AND r.revision = o.payload ->> '$.document.revision';
-- A reply names its message within its release.
UPDATE outbox SET payload = json_set(payload, '$.reply_to', substr(payload ->> '$.reply_to', length(owner) + 2))
    WHERE payload ->> '$.reply_to' LIKE owner || '/%';

-- What nobody has heard yet.
UPDATE outbox SET report = '"arrived"' WHERE id IN (SELECT id FROM before_outbox WHERE state = 'sent' AND reported = 0);
UPDATE outbox SET report = json_object('stuck', iif(state = 'skipped', 'expired', state))
    WHERE id IN (SELECT id FROM before_outbox WHERE told = 0 AND state IN ('held', 'dead', 'skipped'));
UPDATE outbox SET report = '{"stuck":"blocked"}'
    WHERE report IS NULL AND id IN (SELECT o.id FROM before_edit e JOIN before_outbox o ON o.key = e.key WHERE e.trouble = 1);

-- Channels that took nothing.
INSERT INTO channel (target, state)
SELECT t.target, json_object(iif(max(o.gone), 'gone', 'shut'), json_object(
           'since', strftime('%FT%H:%M:%fZ', min(o.due) / 1000.0, 'unixepoch'), 'why', coalesce(o.reason, ''),
           'probe_at', strftime('%FT%H:%M:%fZ', max(o.next_try) / 1000.0, 'unixepoch')))
FROM before_outbox o JOIN target_of t ON t.id = o.id WHERE o.state = 'blocked' GROUP BY t.target;

INSERT INTO edit (post_id, payload, prompt_id, edit, next_at)
SELECT o.id, e.payload, e.prompt_id,
       json_object('wanted', e.wanted, 'done', e.done, 'at', strftime('%FT%H:%M:%fZ', e.next_try / 1000.0, 'unixepoch'),
                   'again', strftime('%FT%H:%M:%fZ', e.again / 1000.0, 'unixepoch'), 'attempt', e.attempt,
                   'shown_at', strftime('%FT%H:%M:%fZ', e.done_at / 1000.0, 'unixepoch'), 'shown', e.shown),
       iif(e.done < e.wanted, e.next_try, e.again)
FROM before_edit e JOIN before_outbox o ON o.key = e.key;

DROP TABLE before_attempt;
DROP TABLE before_edit;
DROP TABLE before_outbox;
DROP TABLE before_proposal;
DROP TABLE before_revision;
DROP TABLE before_train_plan;
DROP TABLE before_prompt;
DROP TABLE before_release_terms;
DROP TABLE before_release;
DROP TABLE before_workspace;
DROP TABLE before_journal;
DROP TABLE before_inbox;
DROP TABLE before_meta;
DROP TABLE temp.target_of;
DROP TABLE temp.state_of;
DROP TABLE temp.doubt_of;
DROP TABLE temp.hash_of;
DROP TABLE temp.untold;
DELETE FROM _sqlx_migrations;
