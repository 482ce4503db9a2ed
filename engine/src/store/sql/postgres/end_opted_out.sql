-- What waits for a user who has opted out. What is claimed is only marked, and is dealt with by the engine that holds it.
UPDATE notifications
SET opted_out = true,
    status = CASE WHEN claimed_by IS NULL THEN 'OPTED OUT' ELSE status END,
    modified_date = $3
WHERE tenant_id = $1
    AND id = ANY (ARRAY(
        SELECT texts.notification_id
        FROM target_user_records AS record
        JOIN notification_texts AS texts
            ON texts.tenant_id = record.tenant_id AND texts.target_user_record_id = record.id
        WHERE record.tenant_id = $1 AND record.user_id = $2
    ))
    AND status IN ('SCHEDULED', 'RETRY')
RETURNING to_json(claimed_by IS NULL)::text
