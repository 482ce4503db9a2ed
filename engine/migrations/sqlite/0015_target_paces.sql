-- The targets of which it is known how long their calls take: slow until then, or quick.
CREATE TABLE target_paces (
    tenant_id  INTEGER NOT NULL,
    target_id  BLOB    NOT NULL,
    slow_until INTEGER,
    PRIMARY KEY (tenant_id, target_id),
    FOREIGN KEY (tenant_id, target_id) REFERENCES targets (tenant_id, id) ON DELETE CASCADE
) STRICT;
