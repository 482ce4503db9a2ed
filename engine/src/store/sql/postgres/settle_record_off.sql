-- Switches the record of a notification ($2, $3) off.
UPDATE target_user_records
SET active = false, inactive_reason = $1, modified_date = $4
WHERE tenant_id = $2
    AND id = (SELECT target_user_record_id FROM notifications WHERE tenant_id = $2 AND id = $3)
    AND active
