-- What has ended before $3, at most $4; what another engine is purging is passed over. $2 is an id that nothing made by then has or
-- exceeds, since ids begin with their time: so only what is old is looked at. ARRAY has them found once: IN may ask again for each row,
-- passes over what is removed by then, and so removes more than $4.
DELETE FROM notifications
WHERE tenant_id = $1
    AND id = ANY (ARRAY(
        SELECT id
        FROM notifications
        WHERE tenant_id = $1
            AND id < $2
            AND status NOT IN ('SCHEDULED', 'RETRY', 'SENT', 'UNKNOWN')
            AND modified_date < $3
        ORDER BY id
        LIMIT $4
        FOR UPDATE SKIP LOCKED
    ))
