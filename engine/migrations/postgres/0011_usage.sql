-- What the call of an attempt took: computing, memory, requests, mails, as a JSON object.
ALTER TABLE attempts ADD COLUMN usage TEXT CHECK (char_length(usage) BETWEEN 1 AND 200);
UPDATE compatibility SET least_known = 11;
