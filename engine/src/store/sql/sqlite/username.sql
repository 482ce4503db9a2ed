SELECT json_quote(username) FROM users WHERE tenant_id = ?1 AND id = ?2
