SELECT json_build_array(target_user_record_id, status, expires_at)::text
FROM notifications
WHERE tenant_id = $1 AND id = $2
