DELETE FROM secrets
WHERE tenant_id = $1 AND target_id IS NOT DISTINCT FROM $2 AND target_user_record_id IS NULL AND name = $3
