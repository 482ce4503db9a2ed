UPDATE notifications
SET status = ?3, modified_date = ?4
WHERE tenant_id = ?1 AND id = ?2 AND status = 'UNKNOWN'
