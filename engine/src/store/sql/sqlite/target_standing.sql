SELECT json_array(revision, pause_kind IS NOT NULL) FROM targets WHERE tenant_id = ?1 AND id = ?2
