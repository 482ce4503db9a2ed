UPDATE targets
SET faults = faults + 1
WHERE tenant_id = $1 AND id = $2
RETURNING to_json(faults)::text
