SELECT json_array(
    number, started_at, finished_at, outcome, code, message, provider_id, phase, log, component_digest, hex(engine_id)
)
FROM attempts
WHERE tenant_id = ?1 AND notification_id = ?2
ORDER BY number
