-- Which of these claims (?1: JSON list of [tenant, notification, fence]) must not be used, at ?2: the place in the list, and what the
-- notification ends in; NULL if it is the claim that is not valid any more.
SELECT json_array(
    held.key,
    CASE
        WHEN n.id IS NULL THEN NULL
        WHEN n.opted_out = 1 OR opt_outs.active = 1 THEN 'OPTED OUT'
        WHEN n.canceled = 1 THEN 'CANCELED'
        WHEN record.active = 0 THEN 'INACTIVE DEVICE'
        ELSE 'EXPIRED'
    END
)
FROM json_each(?1) AS held
LEFT JOIN notifications AS n ON n.tenant_id = held.value ->> 0
    AND n.id = unhex(held.value ->> 1)
    AND n.fence = held.value ->> 2
    AND n.claimed_by IS NOT NULL
LEFT JOIN target_user_records AS record ON record.tenant_id = n.tenant_id AND record.id = n.target_user_record_id
LEFT JOIN opt_outs ON opt_outs.tenant_id = record.tenant_id AND opt_outs.user_id = record.user_id
WHERE n.id IS NULL OR n.opted_out = 1 OR opt_outs.active = 1 OR n.canceled = 1 OR record.active = 0 OR n.expires_at <= ?2
