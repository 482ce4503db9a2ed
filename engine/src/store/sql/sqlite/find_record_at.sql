SELECT json_array(
    hex(id), hex(user_id), hex(target_id), target_user_id, description, active, inactive_reason
)
FROM target_user_records
WHERE tenant_id = ?1 AND user_id = ?2 AND target_id = ?3 AND target_user_id = ?4
