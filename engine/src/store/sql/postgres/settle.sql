-- $1: JSON list of [tenant, notification, fence, status, scheduled_delivery, attempted_delivery, retry_attempts,
-- attempts, lease deaths]. A claim that has ended, or whose fence has grown, is not among the rows that are changed and
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
    modified_date = $2
FROM (
    SELECT (value ->> 0)::bigint AS tenant_id, (value ->> 1)::uuid AS id, (value ->> 2)::bigint AS fence,
        value ->> 3 AS status, (value ->> 4)::bigint AS scheduled_delivery, (value ->> 5)::bigint AS attempted_delivery,
        (value ->> 6)::integer AS retry_attempts, (value ->> 7)::integer AS attempts,
        (value ->> 8)::integer AS lease_deaths
    FROM jsonb_array_elements($1::jsonb) AS list (value)
) AS settled
WHERE n.tenant_id = settled.tenant_id
    AND n.id = settled.id
    AND n.fence = settled.fence
    AND n.lease_until IS NOT NULL
RETURNING json_build_array(n.tenant_id, n.id, n.fence,
    CASE WHEN (n.opted_out OR n.canceled) AND n.status IN ('OPTED OUT', 'CANCELED') THEN n.status END)::text
