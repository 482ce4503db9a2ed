-- Which of these claims ($1: JSON list of [tenant, notification, fence]) must not be used, at $2: the place in the list, and what the
-- notification ends in; NULL if it is the claim that is not valid any more.
SELECT json_build_array(
    held.place - 1,
    CASE
        WHEN n.id IS NULL THEN NULL
        WHEN n.opted_out OR opt_outs.active THEN 'OPTED OUT'
        WHEN n.canceled THEN 'CANCELED'
        WHEN NOT record.active THEN 'INACTIVE DEVICE'
        ELSE 'EXPIRED'
    END
)::text
FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS held (value, place)
LEFT JOIN notifications AS n ON n.tenant_id = (held.value ->> 0)::bigint
    AND n.id = (held.value ->> 1)::uuid
    AND n.fence = (held.value ->> 2)::bigint
    AND n.lease_until IS NOT NULL
LEFT JOIN target_user_records AS record ON record.tenant_id = n.tenant_id AND record.id = n.target_user_record_id
LEFT JOIN opt_outs ON opt_outs.tenant_id = record.tenant_id AND opt_outs.user_id = record.user_id
WHERE n.id IS NULL OR n.opted_out OR opt_outs.active OR n.canceled OR NOT record.active OR n.expires_at <= $2
