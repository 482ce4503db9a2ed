-- ?3: JSON list of [capability, scope].
DELETE FROM grants
WHERE tenant_id = ?1 AND target_id = ?2
    AND (capability, scope) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?3))
