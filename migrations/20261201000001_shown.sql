-- What an edit showed last, as the message's id and a hash: a rendering that is shown already is not sent again.
ALTER TABLE edit ADD COLUMN shown TEXT;
