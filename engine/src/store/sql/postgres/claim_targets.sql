-- $1 and $2: tenants and targets.
SELECT json_build_array(
    tenant_id,
    json_build_array(id, name, notification_module_name, pause_kind, pause_reason, paused_since, slowed_until, faults, revision)
)::text
FROM targets
WHERE (tenant_id, id) IN (SELECT * FROM unnest($1::bigint[], $2::uuid[]))
