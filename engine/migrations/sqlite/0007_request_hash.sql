-- A digest of what the component was asked to send, so that it can be shown later what was sent without keeping it twice.
ALTER TABLE attempts ADD COLUMN request_hash TEXT CHECK (length(request_hash) BETWEEN 1 AND 80);
