SELECT json_quote(EXISTS (SELECT 1 FROM opt_outs WHERE tenant_id = ?1 AND user_id = ?2 AND active = 1))
