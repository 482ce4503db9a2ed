SELECT to_json(revision)::text FROM targets WHERE tenant_id = $1 AND id = $2
