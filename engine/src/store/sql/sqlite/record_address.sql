SELECT json_quote(target_user_id) FROM target_user_records WHERE tenant_id = ?1 AND id = ?2
