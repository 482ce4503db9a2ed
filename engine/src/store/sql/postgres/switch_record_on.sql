UPDATE target_user_records
SET active = true, inactive_reason = NULL, modified_date = $3
WHERE tenant_id = $1 AND id = $2
