-- What is due by ?1, earliest first, at most ?2, with all that a call needs; nothing is changed yet. ?3 and ?4: JSON
-- lists of the targets that are meant and of those that are not, or NULL. Each open target contributes its earliest at
-- most, so that the queue of one is never walked through for the sake of another.
WITH open_targets AS MATERIALIZED (
    SELECT tenant_id, id
    FROM targets
    WHERE pause_kind IS NULL
        AND (slowed_until IS NULL OR slowed_until <= ?1)
        AND (?3 IS NULL OR id IN (SELECT unhex(value) FROM json_each(?3)))
        AND (?4 IS NULL OR id NOT IN (SELECT unhex(value) FROM json_each(?4)))
), due AS MATERIALIZED (
    SELECT n.rowid AS row
    FROM open_targets
    CROSS JOIN notifications AS n ON n.rowid IN (
        SELECT candidate.rowid
        FROM notifications AS candidate INDEXED BY notifications_due
        WHERE candidate.tenant_id = open_targets.tenant_id
            AND candidate.target_id = open_targets.id
            AND candidate.claimed_by IS NULL
            AND candidate.status IN ('SCHEDULED', 'RETRY')
            AND candidate.scheduled_delivery <= ?1
        ORDER BY candidate.scheduled_delivery
        LIMIT ?2 + 0
    )
    ORDER BY n.scheduled_delivery, n.rowid
    LIMIT ?2 + 0
)
SELECT json_array(
    -- What it ends in, if it must not be sent.
    CASE
        WHEN opt_outs.active = 1 THEN 'OPTED OUT'
        WHEN record.active = 0 THEN 'INACTIVE DEVICE'
        WHEN n.expires_at <= ?1 THEN 'EXPIRED'
    END,
    n.fence, n.attempts, n.lease_deaths,
    -- What earlier attempts have left behind; most notifications have none, and then nothing is looked up.
    CASE WHEN n.attempts > 0 THEN (
        SELECT max(previous.started_at)
        FROM attempts AS previous
        WHERE previous.tenant_id = n.tenant_id AND previous.notification_id = n.id
    ) END,
    CASE WHEN n.attempts > 0 THEN (
        SELECT previous.provider_id
        FROM attempts AS previous
        WHERE previous.tenant_id = n.tenant_id AND previous.notification_id = n.id AND previous.provider_id <> ''
        ORDER BY previous.number DESC
        LIMIT 1
    ) END,
    CASE WHEN n.attempts > 0 THEN (
        SELECT min(previous.started_at)
        FROM attempts AS previous
        WHERE previous.tenant_id = n.tenant_id AND previous.notification_id = n.id AND previous.outcome = 'unknown'
    ) END,
    json_array(
        hex(n.id), n.tenant_id, hex(n.target_user_record_id), texts.title, texts.body, json(texts.extra), n.status,
        n.scheduled_delivery, n.attempted_delivery, n.retry_time_interval, n.retry_attempts, n.max_retries,
        n.expires_at, n.idempotency_key, n.on_unknown, n.created_date, n.modified_date
    ),
    json_array(
        hex(users.id), users.username, users.email, users.first_name, users.last_name, users.time_zone, users.locale,
        json(users.attributes)
    ),
    json_array(
        hex(record.id), hex(record.user_id), hex(record.target_id), record.target_user_id, record.description,
        record.active, record.inactive_reason
    )
)
FROM due
CROSS JOIN notifications AS n ON n.rowid = due.row
CROSS JOIN notification_texts AS texts ON texts.tenant_id = n.tenant_id AND texts.notification_id = n.id
CROSS JOIN target_user_records AS record ON record.tenant_id = n.tenant_id AND record.id = n.target_user_record_id
CROSS JOIN users ON users.tenant_id = record.tenant_id AND users.id = record.user_id
LEFT JOIN opt_outs ON opt_outs.tenant_id = record.tenant_id AND opt_outs.user_id = record.user_id
ORDER BY n.scheduled_delivery, n.rowid
