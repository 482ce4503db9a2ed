-- What an engine has claimed is only marked, and is dealt with by it.
UPDATE notifications
SET canceled = 1,
    status = CASE WHEN claimed_by IS NULL THEN 'CANCELED' ELSE status END,
    modified_date = ?3
WHERE tenant_id = ?1 AND id = ?2 AND status IN ('SCHEDULED', 'RETRY')
RETURNING json_quote(status)
