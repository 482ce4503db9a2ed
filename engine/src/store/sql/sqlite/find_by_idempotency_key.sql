SELECT json_quote(hex(id)) FROM notifications WHERE tenant_id = ?1 AND idempotency_key = ?2
