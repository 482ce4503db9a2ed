-- Claims that nobody will settle: their lease has run out by $2, or they are of another engine than $1 which is known
-- to be dead ($3 is NULL) or has not been heard of since $3. At most $4; those that another engine is rescuing are passed
-- over. What becomes due after $5 is not claimed.
SELECT json_build_array(
    n.tenant_id, n.id, n.fence, n.attempts, n.claimed_by, n.claimed_at, n.sending, n.lease_deaths,
    n.scheduled_delivery, n.attempted_delivery, n.retry_time_interval, n.retry_attempts, n.max_retries, n.expires_at
)::text
FROM targets
CROSS JOIN LATERAL (
    SELECT *
    FROM notifications
    WHERE tenant_id = targets.tenant_id
        AND target_id = targets.id
        AND status IN ('SCHEDULED', 'RETRY')
        AND scheduled_delivery <= $5
        AND claimed_by IS NOT NULL
        AND (lease_until <= $2
            OR (claimed_by <> $1 AND ($3::bigint IS NULL OR NOT EXISTS (
                SELECT 1 FROM engines WHERE engines.id = claimed_by AND engines.heartbeat_at >= $3
            ))))
    LIMIT $4
    FOR UPDATE SKIP LOCKED
) AS n
LIMIT $4
