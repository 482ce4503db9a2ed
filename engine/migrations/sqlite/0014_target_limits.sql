-- What a tenant has set for the calls of a target, lower than the operator has it: milliseconds, bytes, pieces.
CREATE TABLE target_limits (
    tenant_id INTEGER NOT NULL,
    target_id BLOB    NOT NULL,
    name      TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 50),
    amount    INTEGER NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (tenant_id, target_id, name),
    FOREIGN KEY (tenant_id, target_id) REFERENCES targets (tenant_id, id) ON DELETE CASCADE
) STRICT;
UPDATE compatibility SET least_known = 14;
