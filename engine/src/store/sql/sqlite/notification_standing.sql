SELECT json_array(hex(target_user_record_id), status, expires_at)
FROM notifications
WHERE tenant_id = ?1 AND id = ?2
