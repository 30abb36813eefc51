-- Where a message goes in the terms of the rules, so that one whose channel is gone can be sent to the channel that is set now.
ALTER TABLE outbox ADD COLUMN addressee TEXT CHECK (addressee IS NULL OR json_valid(addressee));
-- However many look-ups wait in a channel, the next one is found at once.
CREATE INDEX outbox_doubt ON outbox (channel_id, priority, next_try, id) WHERE state = 'unknown';
