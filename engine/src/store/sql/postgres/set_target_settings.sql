-- $3 and $4: names and values, each a JSON text.
INSERT INTO target_settings (tenant_id, target_id, name, value)
SELECT $1, $2, name, value FROM unnest($3::text[], $4::text[]) AS new (name, value)
ON CONFLICT (tenant_id, target_id, name) DO UPDATE SET value = excluded.value
