-- What `sqlx` kept of the twelve migrations, and a post in each state.
CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
                               success BOOLEAN NOT NULL, checksum BLOB NOT NULL, execution_time BIGINT NOT NULL);
INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (20261201000001, 'shown', 1, x'00', 0);
INSERT INTO release (id, guild_id, no, version, phase, title, state)
    VALUES ('01977420-0000-7000-8000-000000000000', 'g', 1, 1, 'gathering', 'Before', '{}');
INSERT INTO revision VALUES ('01977420-0000-7000-8000-000000000000', 1, 'd', 'plan.md', x'706c616e', 5);
INSERT INTO outbox (key, guild_id, release_id, channel_id, priority, due, payload, nonce, marker, state, next_try, attempt, tainted,
                    first_attempt, lease_until, message_id, posted_at, reason, reported, told)
SELECT '01977420-0000-7000-8000-000000000000/' || value, 'g', '01977420-0000-7000-8000-000000000000', 'c', 1, 5000,
       '{"headline":"x"}', value, 'm' || value, value, 5000, 1, value IN ('sending', 'unknown'), 4000,
       iif(value = 'sending', 6000, NULL), iif(value = 'sent', '77', NULL), iif(value = 'sent', 5500, NULL), 'why', value <> 'sent', 1
FROM json_each('["planned", "sending", "unknown", "sent", "blocked", "held", "dead", "skipped"]');
INSERT INTO edit (key, release_id, payload, wanted, done, next_try)
    SELECT key, release_id, '{"headline":"y"}', 2, 1, 6000 FROM outbox WHERE state = 'sent';
