SELECT json_quote(name) FROM targets WHERE tenant_id = ?1 AND id = ?2
