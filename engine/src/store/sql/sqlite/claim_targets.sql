-- ?1: JSON list of [tenant, target].
SELECT json_array(
    tenant_id,
    json_array(hex(id), name, notification_module_name, pause_kind, pause_reason, paused_since, slowed_until, faults, revision)
)
FROM targets
WHERE (tenant_id, id) IN (SELECT value ->> 0, unhex(value ->> 1) FROM json_each(?1))
