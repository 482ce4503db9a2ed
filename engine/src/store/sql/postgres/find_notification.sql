-- With its history, in one statement, so that the history belongs to the status beside it.
SELECT json_build_array(
    json_build_array(
        n.id, n.tenant_id, n.target_user_record_id, texts.title, texts.body, texts.extra, n.status,
        n.scheduled_delivery, n.attempted_delivery, n.retry_time_interval, n.retry_attempts, n.max_retries,
        n.expires_at, n.idempotency_key, n.on_unknown, n.created_date, n.modified_date
    ),
    users.username,
    targets.name,
    record.target_user_id,
    coalesce(
        (
            SELECT json_agg(
                json_build_array(
                    number, started_at, finished_at, outcome, code, message, provider_id, phase, log,
                    component_digest, engine_id, request_hash, usage::json
                )
                ORDER BY number
            )
            FROM attempts
            WHERE attempts.tenant_id = n.tenant_id AND attempts.notification_id = n.id
        ),
        '[]'
    )
)::text
FROM notifications AS n
JOIN notification_texts AS texts ON texts.tenant_id = n.tenant_id AND texts.notification_id = n.id
CROSS JOIN LATERAL (
    SELECT * FROM target_user_records WHERE tenant_id = n.tenant_id AND id = n.target_user_record_id LIMIT 1
) AS record
CROSS JOIN LATERAL (
    SELECT * FROM users WHERE tenant_id = n.tenant_id AND id = record.user_id LIMIT 1
) AS users
JOIN targets ON targets.tenant_id = record.tenant_id AND targets.id = record.target_id
WHERE n.tenant_id = $1 AND n.id = $2
