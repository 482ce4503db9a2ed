-- $1: JSON list of [tenant, target].
SELECT json_build_array(
    tenant_id,
    json_build_array(id, name, notification_module_name, pause_kind, pause_reason, paused_since, slowed_until, faults)
)::text
FROM targets
WHERE (tenant_id, id) IN (
    SELECT (value ->> 0)::bigint, (value ->> 1)::uuid FROM jsonb_array_elements($1::jsonb) AS list (value)
)
