-- Slows the target of a notification ($2, $3) down.
UPDATE targets
SET slowed_until = $1, modified_date = $4
WHERE tenant_id = $2
    AND id = (SELECT target_id FROM notifications WHERE tenant_id = $2 AND id = $3)
    AND (slowed_until IS NULL OR slowed_until < $1)
