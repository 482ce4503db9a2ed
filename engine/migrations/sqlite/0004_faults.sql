-- The calls in a row in which a target's component failed. Kept here, so that those of many short runs are counted together.
ALTER TABLE targets ADD COLUMN faults INTEGER NOT NULL DEFAULT 0 CHECK (faults BETWEEN 0 AND 4294967295);
