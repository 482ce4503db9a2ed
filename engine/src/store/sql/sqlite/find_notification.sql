-- With its history, in one statement, so that the history belongs to the status beside it.
SELECT json_array(
    json_array(
        hex(n.id), n.tenant_id, hex(n.target_user_record_id), texts.title, texts.body, json(texts.extra), n.status,
        n.scheduled_delivery, n.attempted_delivery, n.retry_time_interval, n.retry_attempts, n.max_retries,
        n.expires_at, n.idempotency_key, n.on_unknown, n.created_date, n.modified_date
    ),
    users.username,
    targets.name,
    record.target_user_id,
    (
        SELECT json_group_array(
            json_array(
                number, started_at, finished_at, outcome, code, message, provider_id, phase, log, component_digest,
                hex(engine_id), request_hash, json(usage)
            )
            ORDER BY number
        )
        FROM attempts
        WHERE attempts.tenant_id = n.tenant_id AND attempts.notification_id = n.id
    )
)
FROM notifications AS n
JOIN notification_texts AS texts ON texts.tenant_id = n.tenant_id AND texts.notification_id = n.id
JOIN target_user_records AS record ON record.tenant_id = n.tenant_id AND record.id = n.target_user_record_id
JOIN users ON users.tenant_id = record.tenant_id AND users.id = record.user_id
JOIN targets ON targets.tenant_id = record.tenant_id AND targets.id = record.target_id
WHERE n.tenant_id = ?1 AND n.id = ?2
