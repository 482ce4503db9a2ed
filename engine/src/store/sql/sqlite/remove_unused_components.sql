DELETE FROM components
WHERE tenant_id = ?1
    AND NOT EXISTS (
        SELECT 1
        FROM target_components AS used
        WHERE used.tenant_id = components.tenant_id AND used.digest = components.digest
    )
