-- What has ended before ?3, at most ?4. ?2 is an id that nothing made by then has or exceeds, since ids begin with their time: so only
-- what is old is looked at.
DELETE FROM notifications
WHERE rowid IN (
    SELECT rowid
    FROM notifications
    WHERE tenant_id = ?1
        AND id < ?2
        AND status NOT IN ('SCHEDULED', 'RETRY', 'SENT', 'UNKNOWN')
        AND modified_date < ?3
    ORDER BY id
    LIMIT ?4 + 0
)
