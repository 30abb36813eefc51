-- From tables of the versions before the one migration (`before_…`) to those of now. Instants become text in `delivery`'s values.

INSERT INTO meta SELECT key, value FROM before_meta;
INSERT INTO workspace (guild_id, version, next_wakeup, state) SELECT guild_id, version, next_wakeup, state FROM before_workspace;
INSERT INTO release (id, guild_id, no, version, phase, title, service, next_wakeup, state)
    SELECT id, guild_id, no, version, phase, title, service, next_wakeup, state FROM before_release;
INSERT INTO release_terms SELECT release_id, plan, policy FROM before_release_terms;
INSERT INTO journal SELECT seq, guild_id, release_id, at, entry, prev_hash, hash FROM before_journal;
INSERT INTO inbox SELECT source, id, at FROM before_inbox;
INSERT INTO prompt SELECT id, guild_id, release_id, kind, at FROM before_prompt;
INSERT INTO document (key, file_name, content)
    SELECT release_id || '/revision/' || revision, file_name, hash FROM before_revision r
    JOIN hash_of h ON h.document = 'revision' AND h.id = r.rowid;
INSERT INTO document (key, file_name, content)
    SELECT release_id || '/proposal/' || n, file_name, hash FROM before_proposal p
    JOIN hash_of h ON h.document = 'proposal' AND h.id = p.rowid;
INSERT INTO document (key, file_name, content)
    SELECT guild_id || '/train/' || name, file_name, hash FROM before_train_plan t
    JOIN hash_of h ON h.document = 'train_plan' AND h.id = t.rowid;

-- Where each message goes.
CREATE TEMP TABLE target_of (id INTEGER PRIMARY KEY, target TEXT);
INSERT INTO target_of SELECT id, json_object('page', json_object('name', substr(channel_id, 6))) FROM before_outbox
    WHERE channel_id LIKE 'page:%';
INSERT INTO target_of SELECT id, json_object('chat', json_object('workspace', guild_id, 'channel', channel_id)) FROM before_outbox
    WHERE channel_id NOT LIKE 'page:%';

-- Where each message is. A message that was blocked waits for its channel now, and one that may be there is looked up.
CREATE TEMP TABLE state_of (id INTEGER PRIMARY KEY, state TEXT, value TEXT);
INSERT INTO state_of SELECT id, 'waiting', json_object('waiting', json_object('at', strftime('%FT%H:%M:%fZ', next_try / 1000.0, 'unixepoch')))
    FROM before_outbox WHERE state = 'planned' OR (state = 'blocked' AND tainted = 0);
INSERT INTO state_of SELECT id, 'unknown', json_object('unknown', json_object('look_up_at', strftime('%FT%H:%M:%fZ', next_try / 1000.0, 'unixepoch')))
    FROM before_outbox WHERE state = 'unknown' OR (state = 'blocked' AND tainted = 1);
INSERT INTO state_of SELECT id, 'sending', json_object('sending', json_object(
        'began', strftime('%FT%H:%M:%fZ', coalesce(first_attempt, next_try) / 1000.0, 'unixepoch'),
        'until', strftime('%FT%H:%M:%fZ', coalesce(lease_until, next_try) / 1000.0, 'unixepoch')))
    FROM before_outbox WHERE state = 'sending';
INSERT INTO state_of SELECT id, 'posted', json_object('posted', json_object('message', message_id,
        'at', strftime('%FT%H:%M:%fZ', posted_at / 1000.0, 'unixepoch')))
    FROM before_outbox WHERE state = 'sent';
INSERT INTO state_of SELECT id, 'deleted', '"deleted"' FROM before_outbox WHERE state = 'sent_deleted';
INSERT INTO state_of SELECT id, state, json_quote(state) FROM before_outbox
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

-- The plan that goes along, and the message it replies to, which a reply names within its release now.
CREATE TEMP TABLE file_of (id INTEGER PRIMARY KEY, value TEXT);
INSERT INTO file_of SELECT o.id, json_object('name', d.file_name, 'content', d.content) FROM before_outbox o
    JOIN document d ON d.key = (o.payload ->> '$.document.release') || '/revision/' || (o.payload ->> '$.document.revision');
UPDATE before_outbox SET payload = json_remove(payload, '$.document') WHERE payload -> '$.document' IS NOT NULL;
UPDATE before_outbox SET payload = json_set(payload, '$.reply_to', substr(payload ->> '$.reply_to', length(release_id) + 2))
    WHERE payload ->> '$.reply_to' LIKE release_id || '/%';

-- What nobody has heard yet.
CREATE TEMP TABLE report_of (id INTEGER PRIMARY KEY, value TEXT);
INSERT INTO report_of SELECT id, '"arrived"' FROM before_outbox WHERE state = 'sent' AND reported = 0;
INSERT INTO report_of SELECT id, json_object('stuck', iif(state = 'skipped', 'expired', state)) FROM before_outbox
    WHERE told = 0 AND state IN ('held', 'dead', 'skipped');
INSERT OR IGNORE INTO report_of SELECT o.id, '{"stuck":"blocked"}' FROM before_edit e JOIN before_outbox o ON o.key = e.key
    WHERE e.trouble = 1;

-- What each message is to show.
CREATE TEMP TABLE edit_of (id INTEGER PRIMARY KEY, value TEXT);
INSERT INTO edit_of
SELECT o.id, json_object('rendering', json_object('payload', e.payload, 'prompt', e.prompt_id), 'wanted', e.wanted, 'done', e.done,
                   'at', strftime('%FT%H:%M:%fZ', e.next_try / 1000.0, 'unixepoch'),
                   'again', strftime('%FT%H:%M:%fZ', e.again / 1000.0, 'unixepoch'), 'attempt', e.attempt,
                   'shown_at', strftime('%FT%H:%M:%fZ', e.done_at / 1000.0, 'unixepoch'), 'shown', e.shown)
FROM before_edit e JOIN before_outbox o ON o.key = e.key;

-- `store::PostRow`, which the program reads and stores.
CREATE TEMP VIEW converted (id, row) AS SELECT o.id, json_object('id', o.id,
       'key', json_object('owner', json_object(iif(o.release_id IS NULL, 'workspace', 'release'), coalesce(o.release_id, o.guild_id)),
                          'post', substr(o.key, length(coalesce(o.release_id, o.guild_id)) + 2)),
       'guild', o.guild_id, 'target', json(t.target), 'to', json(o.addressee), 'priority', o.priority,
       'rendering', json_object('payload', o.payload, 'prompt', o.prompt_id), 'nonce', o.nonce, 'marker', o.marker,
       'plain', json(iif(o.plain, 'true', 'false')), 'file', json(f.value),
       'post', json_object('state', json(s.value), 'due', strftime('%FT%H:%M:%fZ', o.due / 1000.0, 'unixepoch'),
                   'useful_until', strftime('%FT%H:%M:%fZ', o.useful_until / 1000.0, 'unixepoch'), 'attempt', o.attempt,
                   'crashes', o.recoveries, 'doubt', json(d.value), 'withdrawn', json(iif(o.withdrawn, 'true', 'false')),
                   'told', json(iif(o.told OR u.id, 'true', 'false')), 'awaited', json(iif(o.reported AND u.id IS NULL, 'false', 'true')),
                   'why', coalesce(b.reason, o.reason), 'report', json(r.value)),
       'edit', json(e.value))
FROM before_outbox o JOIN target_of t ON t.id = o.id JOIN state_of s ON s.id = o.id LEFT JOIN doubt_of d ON d.id = o.id
LEFT JOIN untold u ON u.id = o.id LEFT JOIN file_of f ON f.id = o.id LEFT JOIN report_of r ON r.id = o.id
LEFT JOIN edit_of e ON e.id = o.id LEFT JOIN before_edit b ON b.key = o.key AND b.trouble > 0;

-- Channels that took nothing.
INSERT INTO channel (target, state)
SELECT t.target, json_object('closed', json_object(
           'since', strftime('%FT%H:%M:%fZ', min(o.due) / 1000.0, 'unixepoch'), 'why', coalesce(o.reason, ''),
           'gone', json(iif(max(o.gone), 'true', 'false')),
           'probe_at', strftime('%FT%H:%M:%fZ', max(o.next_try) / 1000.0, 'unixepoch')))
FROM before_outbox o JOIN target_of t ON t.id = o.id WHERE o.state = 'blocked' GROUP BY t.target;
