-- ?1: JSON list of [row, status], as `claim_due` found them in the same transaction.
UPDATE notifications
SET status = ended.status, modified_date = ?2
FROM (SELECT value ->> 0 AS row, value ->> 1 AS status FROM json_each(?1)) AS ended
WHERE notifications.rowid = ended.row
