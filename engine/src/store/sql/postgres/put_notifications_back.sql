-- Time went back by $2 to $1. What another engine has put back already was last written not long after $1.
UPDATE notifications AS n
SET scheduled_delivery = n.scheduled_delivery - $2, modified_date = $1
FROM targets
WHERE n.tenant_id = targets.tenant_id
    AND n.target_id = targets.id
    AND n.status IN ('SCHEDULED', 'RETRY')
    AND n.scheduled_delivery > $1
    AND (n.scheduled_delivery <= $1 + $2 OR n.status = 'RETRY')
    AND n.modified_date > $1 + 10000
