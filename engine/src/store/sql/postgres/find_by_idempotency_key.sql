SELECT to_json(id)::text FROM notifications WHERE tenant_id = $1 AND idempotency_key = $2
