-- Which of these claims ($1 to $3: tenants, notifications, fences) must not be used, at $4: the place in the list, and what the
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
FROM unnest($1::bigint[], $2::uuid[], $3::bigint[]) WITH ORDINALITY AS held (tenant_id, id, fence, place)
LEFT JOIN notifications AS n ON n.tenant_id = held.tenant_id
    AND n.id = held.id
    AND n.fence = held.fence
    AND n.lease_until IS NOT NULL
LEFT JOIN LATERAL (
    SELECT * FROM target_user_records WHERE tenant_id = n.tenant_id AND id = n.target_user_record_id LIMIT 1
) AS record ON true
LEFT JOIN opt_outs ON opt_outs.tenant_id = record.tenant_id AND opt_outs.user_id = record.user_id
WHERE n.id IS NULL OR n.opted_out OR opt_outs.active OR n.canceled OR NOT record.active OR n.expires_at <= $4
