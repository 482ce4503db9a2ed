SELECT json_build_array(revision, pause_kind IS NOT NULL)::text FROM targets WHERE tenant_id = $1 AND id = $2
