-- ?3: JSON list of names.
DELETE FROM target_settings WHERE tenant_id = ?1 AND target_id = ?2 AND name IN (SELECT value FROM json_each(?3))
