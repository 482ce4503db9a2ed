SELECT json_build_array(target_id, slow_until)::text FROM target_paces WHERE tenant_id = $1
