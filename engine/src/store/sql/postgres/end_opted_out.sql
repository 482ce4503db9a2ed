-- What waits for a user who has opted out. What is claimed is only marked, and is dealt with by the engine that holds it.
UPDATE notifications
SET opted_out = true,
    status = CASE WHEN claimed_by IS NULL THEN 'OPTED OUT' ELSE status END,
    modified_date = $3
WHERE tenant_id = $1
    AND target_user_record_id IN (SELECT id FROM target_user_records WHERE tenant_id = $1 AND user_id = $2)
    AND status IN ('SCHEDULED', 'RETRY')
RETURNING to_json(claimed_by IS NULL)::text
