-- Ids are of version 7, so that the newest comes first. The inner SELECT finds the rows, before anything is joined to
-- them.
SELECT json_array(
    json_array(
        hex(n.id), n.tenant_id, hex(n.target_user_record_id), texts.title, texts.body, json(texts.extra), n.status,
        n.scheduled_delivery, n.attempted_delivery, n.retry_time_interval, n.retry_attempts, n.max_retries,
        n.expires_at, n.idempotency_key, n.on_unknown, n.created_date, n.modified_date
    ),
    users.username,
    targets.name,
    record.target_user_id
)
FROM (
    SELECT *
    FROM notifications
    WHERE tenant_id = ?1
        AND (?2 IS NULL OR status = ?2)
        AND (?3 IS NULL
            OR target_user_record_id IN (SELECT id FROM target_user_records WHERE tenant_id = ?1 AND user_id = ?3))
        AND (?4 IS NULL OR target_id = ?4)
    ORDER BY id DESC
    LIMIT ?5 + 0
) AS n
CROSS JOIN notification_texts AS texts ON texts.tenant_id = n.tenant_id AND texts.notification_id = n.id
CROSS JOIN target_user_records AS record ON record.tenant_id = n.tenant_id AND record.id = n.target_user_record_id
CROSS JOIN users ON users.tenant_id = record.tenant_id AND users.id = record.user_id
CROSS JOIN targets ON targets.tenant_id = record.tenant_id AND targets.id = record.target_id
ORDER BY n.id DESC
