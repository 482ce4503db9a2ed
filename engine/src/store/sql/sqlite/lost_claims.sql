-- Claims that nobody will settle: their lease has run out by ?2, or they are of another engine than ?1 which is known
-- to be dead (?3 is NULL) or has not been heard of since ?3. At most ?4. What becomes due after ?5 is not claimed.
SELECT json_array(
    n.tenant_id, hex(n.id), n.fence, n.attempts, hex(n.claimed_by), n.claimed_at, n.sending, n.lease_deaths,
    n.scheduled_delivery, n.attempted_delivery, n.retry_time_interval, n.retry_attempts, n.max_retries, n.expires_at
)
FROM targets
CROSS JOIN notifications AS n INDEXED BY notifications_due ON n.tenant_id = targets.tenant_id
    AND n.target_id = targets.id
    AND n.status IN ('SCHEDULED', 'RETRY')
    AND n.scheduled_delivery <= ?5
LEFT JOIN engines ON engines.id = n.claimed_by
WHERE n.claimed_by IS NOT NULL
    AND (n.lease_until <= ?2
        OR (n.claimed_by <> ?1 AND (?3 IS NULL OR engines.id IS NULL OR engines.heartbeat_at < ?3)))
LIMIT ?4 + 0
