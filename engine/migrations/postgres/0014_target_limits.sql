-- What a tenant has set for the calls of a target, lower than the operator has it: milliseconds, bytes, pieces.
CREATE TABLE target_limits (
    tenant_id BIGINT NOT NULL,
    target_id UUID   NOT NULL,
    name      TEXT   NOT NULL CHECK (char_length(name) BETWEEN 1 AND 50),
    amount    BIGINT NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (tenant_id, target_id, name),
    FOREIGN KEY (tenant_id, target_id) REFERENCES targets (tenant_id, id) ON DELETE CASCADE
);
UPDATE compatibility SET least_known = 14;
