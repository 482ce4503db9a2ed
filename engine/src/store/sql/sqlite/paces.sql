SELECT json_array(hex(target_id), slow_until) FROM target_paces WHERE tenant_id = ?1
