-- ?3: JSON list of [name, amount].
INSERT INTO target_limits (tenant_id, target_id, name, amount)
SELECT ?1, ?2, value ->> 0, value ->> 1 FROM json_each(?3)
WHERE true
ON CONFLICT (tenant_id, target_id, name) DO UPDATE SET amount = excluded.amount
