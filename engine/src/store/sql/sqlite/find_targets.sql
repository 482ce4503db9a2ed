SELECT json_array(
    hex(id), name, notification_module_name, pause_kind, pause_reason, paused_since, slowed_until, faults, revision
)
FROM targets
WHERE tenant_id = ?1 AND (name = ?2 OR notification_module_name = ?2)
ORDER BY name
