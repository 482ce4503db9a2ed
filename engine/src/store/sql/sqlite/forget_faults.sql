UPDATE targets
SET faults = 0
WHERE tenant_id = ?1 AND id = ?2 AND pause_kind IS NULL
