DELETE FROM target_paces WHERE tenant_id = ?1 AND target_id = ?2
