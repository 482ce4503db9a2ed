-- One look into the claim's index for each target that is not paused.
SELECT json_quote(min(max(
    coalesce(targets.slowed_until, 0),
    (
        SELECT scheduled_delivery
        FROM notifications INDEXED BY notifications_due
        WHERE tenant_id = targets.tenant_id
            AND target_id = targets.id
            AND claimed_by IS NULL
            AND status IN ('SCHEDULED', 'RETRY')
        ORDER BY scheduled_delivery
        LIMIT 1
    )
)))
FROM targets
WHERE pause_kind IS NULL
