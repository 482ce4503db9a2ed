-- What waits for a user who has opted out. What is claimed is left to the engine that holds it.
UPDATE notifications
SET status = 'OPTED OUT', modified_date = ?3
WHERE tenant_id = ?1
    AND target_user_record_id IN (SELECT id FROM target_user_records WHERE tenant_id = ?1 AND user_id = ?2)
    AND status IN ('SCHEDULED', 'RETRY')
    AND claimed_by IS NULL
