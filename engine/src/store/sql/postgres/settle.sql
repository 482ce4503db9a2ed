-- $1 to $9: columns of the rows that are meant, as they are named below. A claim that has ended, or whose fence has grown, is not among the rows that are changed and
-- returned; nor does one go back to waiting whose user has opted out, or that was canceled, meanwhile: what it is then is returned.
UPDATE notifications AS n
SET status = CASE
        WHEN settled.status NOT IN ('SCHEDULED', 'RETRY') THEN settled.status
        WHEN n.opted_out THEN 'OPTED OUT'
        WHEN n.canceled THEN 'CANCELED'
        ELSE settled.status
    END,
    scheduled_delivery = settled.scheduled_delivery,
    attempted_delivery = settled.attempted_delivery,
    retry_attempts = settled.retry_attempts,
    attempts = settled.attempts,
    lease_deaths = n.lease_deaths + settled.lease_deaths,
    claimed_by = NULL,
    claimed_at = NULL,
    lease_until = NULL,
    sending = NULL,
    modified_date = $10
FROM unnest(
    $1::bigint[], $2::uuid[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[]
) AS settled (
    tenant_id, id, fence, status, scheduled_delivery, attempted_delivery, retry_attempts, attempts, lease_deaths
)
WHERE n.tenant_id = settled.tenant_id
    AND n.id = settled.id
    AND n.fence = settled.fence
    AND n.lease_until IS NOT NULL
RETURNING n.tenant_id, n.id, n.fence, n.target_user_record_id, n.target_id,
    CASE WHEN (n.opted_out OR n.canceled) AND n.status IN ('OPTED OUT', 'CANCELED') THEN n.status END
