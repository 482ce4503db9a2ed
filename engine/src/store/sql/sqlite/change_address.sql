UPDATE target_user_records
SET target_user_id = ?3, modified_date = ?4
WHERE tenant_id = ?1 AND id = ?2
