-- $1: JSON list of [row, status], as `claim_due` found them in the same transaction.
UPDATE notifications
SET status = ended.status, modified_date = $2
FROM (
    SELECT (value -> 0 ->> 0)::bigint AS tenant_id, (value -> 0 ->> 1)::uuid AS id, value ->> 1 AS status
    FROM jsonb_array_elements($1::jsonb) AS list (value)
) AS ended
WHERE notifications.tenant_id = ended.tenant_id AND notifications.id = ended.id
