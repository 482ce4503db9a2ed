-- ?3: JSON list of [capability, scope].
INSERT INTO grants (tenant_id, target_id, capability, scope, created_date)
SELECT ?1, ?2, value ->> 0, value ->> 1, ?4 FROM json_each(?3)
WHERE true
ON CONFLICT (tenant_id, target_id, capability, scope) DO NOTHING
