SELECT to_json(target_user_id)::text FROM target_user_records WHERE tenant_id = $1 AND id = $2
