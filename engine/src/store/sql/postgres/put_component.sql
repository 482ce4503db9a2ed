-- Locks the row that may be there already, so that nobody removes it before it is used.
INSERT INTO components (tenant_id, digest, bytes, created_date)
VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant_id, digest) DO UPDATE SET created_date = components.created_date
