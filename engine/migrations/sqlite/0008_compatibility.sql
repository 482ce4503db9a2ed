-- The number of the newest migration that an engine must know at least to work with this schema; one row. A migration with which engines of the
-- version before it could not work raises it, and they are refused then instead of doing harm.
CREATE TABLE compatibility (least_known INTEGER NOT NULL) STRICT;
INSERT INTO compatibility (least_known) VALUES (8);
