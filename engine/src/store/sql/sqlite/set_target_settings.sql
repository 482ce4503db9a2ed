-- ?3: JSON list of [name, value], the value a JSON text.
INSERT INTO target_settings (tenant_id, target_id, name, value)
SELECT ?1, ?2, value ->> 0, value ->> 1 FROM json_each(?3)
WHERE true
ON CONFLICT (tenant_id, target_id, name) DO UPDATE SET value = excluded.value
