SELECT json_build_array(
    id, name, notification_module_name, pause_kind, pause_reason, paused_since, slowed_until, faults, revision
)::text
FROM targets
WHERE tenant_id = $1 AND (name = $2 OR notification_module_name = $2)
ORDER BY name COLLATE "C"
