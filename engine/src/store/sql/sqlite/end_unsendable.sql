-- ?1: JSON list of [tenant, notification, status], as `claim_due` found them in the same transaction.
UPDATE notifications
SET status = ended.status, modified_date = ?2
FROM (SELECT value ->> 0 AS tenant_id, unhex(value ->> 1) AS id, value ->> 2 AS status FROM json_each(?1)) AS ended
WHERE notifications.tenant_id = ended.tenant_id AND notifications.id = ended.id
