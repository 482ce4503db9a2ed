SELECT json(revision) FROM targets WHERE tenant_id = ?1 AND id = ?2
