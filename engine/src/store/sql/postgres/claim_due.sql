-- What is due by $1, earliest first, at most $2, with all that a call needs; nothing is changed yet, but the rows are locked, and those
-- that another engine has locked are passed over. $3 and $4: JSON lists of the targets that are meant and of those that are not, or
-- NULL. Each open target contributes its earliest at most, so that the queue of one is never walked through for the
-- sake of another.
WITH open_targets AS MATERIALIZED (
    SELECT tenant_id, id
    FROM targets
    WHERE pause_kind IS NULL
        AND (slowed_until IS NULL OR slowed_until <= $1)
        AND ($3::text IS NULL OR id IN (SELECT value::uuid FROM jsonb_array_elements_text($3::jsonb) AS meant (value)))
        AND ($4::text IS NULL OR id NOT IN (SELECT value::uuid FROM jsonb_array_elements_text($4::jsonb) AS unwanted (value)))
), due AS MATERIALIZED (
    SELECT candidate.*
    FROM open_targets
    CROSS JOIN LATERAL (
        SELECT n.*
        FROM notifications AS n
        WHERE n.tenant_id = open_targets.tenant_id
            AND n.target_id = open_targets.id
            AND n.claimed_by IS NULL
            AND n.status IN ('SCHEDULED', 'RETRY')
            AND n.scheduled_delivery <= $1
        ORDER BY n.scheduled_delivery
        LIMIT $2
        FOR UPDATE SKIP LOCKED
    ) AS candidate
    ORDER BY candidate.scheduled_delivery, candidate.id
    LIMIT $2
)
SELECT
    -- What it ends in, if it must not be sent.
    CASE
        WHEN opt_outs.active THEN 'OPTED OUT'
        WHEN NOT record.active THEN 'INACTIVE DEVICE'
        WHEN n.expires_at <= $1 THEN 'EXPIRED'
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
    n.id, n.tenant_id, n.target_user_record_id, texts.title, texts.body, texts.extra, n.status,
    n.scheduled_delivery, n.attempted_delivery, n.retry_time_interval, n.retry_attempts, n.max_retries,
    n.expires_at, n.idempotency_key, n.on_unknown, n.created_date, n.modified_date,
    users.id, users.username, users.email, users.first_name, users.last_name, users.time_zone, users.locale,
    users.attributes,
    record.id, record.user_id, record.target_id, record.target_user_id, record.description, record.active,
    record.inactive_reason
-- LIMIT keeps the planner from joining them before it has what they are looked up by.
FROM due AS n
CROSS JOIN LATERAL (
    SELECT * FROM notification_texts WHERE tenant_id = n.tenant_id AND notification_id = n.id LIMIT 1
) AS texts
CROSS JOIN LATERAL (
    SELECT * FROM target_user_records WHERE tenant_id = n.tenant_id AND id = n.target_user_record_id LIMIT 1
) AS record
CROSS JOIN LATERAL (
    SELECT * FROM users WHERE tenant_id = n.tenant_id AND id = record.user_id LIMIT 1
) AS users
LEFT JOIN opt_outs ON opt_outs.tenant_id = record.tenant_id AND opt_outs.user_id = record.user_id
ORDER BY n.scheduled_delivery, n.id
