SELECT json_build_array(
    id, user_id, target_id, target_user_id, description, active, inactive_reason
)::text
FROM target_user_records
WHERE tenant_id = $1 AND user_id = $2 AND target_id = $3 AND target_user_id = $4
