-- What an engine has claimed is only marked, and is dealt with by it.
UPDATE notifications
SET canceled = true,
    status = CASE WHEN claimed_by IS NULL THEN 'CANCELED' ELSE status END,
    modified_date = $3
WHERE tenant_id = $1 AND id = $2 AND status IN ('SCHEDULED', 'RETRY')
RETURNING to_json(status)::text
