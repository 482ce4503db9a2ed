-- $3: origins.
INSERT INTO secret_origins (tenant_id, secret_id, origin)
SELECT $1, $2, origin FROM unnest($3::text[]) AS new (origin)
