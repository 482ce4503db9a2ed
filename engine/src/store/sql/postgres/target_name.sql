SELECT to_json(name)::text FROM targets WHERE tenant_id = $1 AND id = $2
