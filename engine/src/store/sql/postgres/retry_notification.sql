-- Due at once, with all its retries before it again.
UPDATE notifications
SET status = 'RETRY', scheduled_delivery = $3, retry_attempts = 0, lease_deaths = 0, opted_out = false, canceled = false,
    modified_date = $3
WHERE tenant_id = $1
    AND id = $2
    AND claimed_by IS NULL
    AND status IN ('RETRY', 'UNKNOWN', 'DELIVERY FAILURE')
