-- One look into the claim's index for each target that is not paused.
SELECT coalesce(to_json(min(greatest(coalesce(targets.slowed_until, 0), earliest.scheduled_delivery)))::text, 'null')
FROM targets
CROSS JOIN LATERAL (
    SELECT scheduled_delivery
    FROM notifications
    WHERE tenant_id = targets.tenant_id
        AND target_id = targets.id
        AND claimed_by IS NULL
        AND status IN ('SCHEDULED', 'RETRY')
    ORDER BY scheduled_delivery
    LIMIT 1
) AS earliest
WHERE pause_kind IS NULL
