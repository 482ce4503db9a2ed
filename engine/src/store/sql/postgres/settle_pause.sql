-- Pauses the target of a notification ($3, $4).
UPDATE targets
SET pause_kind = $1, pause_reason = $2, paused_since = $5, modified_date = $5
WHERE tenant_id = $3
    AND id = (SELECT target_id FROM notifications WHERE tenant_id = $3 AND id = $4)
    AND pause_kind IS NULL
