UPDATE targets
SET slowed_until = $3, modified_date = $4
WHERE tenant_id = $1 AND id = $2 AND (slowed_until IS NULL OR slowed_until < $3)
