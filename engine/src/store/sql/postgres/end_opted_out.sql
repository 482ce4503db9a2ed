-- What waits for a user who has opted out. What is claimed is only marked, and is dealt with by the engine that holds it.
-- They are locked in the order of ids, as those are that engines settle.
UPDATE notifications
SET opted_out = true,
    status = CASE WHEN claimed_by IS NULL THEN 'OPTED OUT' ELSE status END,
    modified_date = $3
WHERE tenant_id = $1
    AND id = ANY (ARRAY(
        SELECT waiting.id
        FROM notifications AS waiting
        WHERE waiting.tenant_id = $1
            AND waiting.id = ANY (ARRAY(
                SELECT texts.notification_id
                FROM target_user_records AS record
                JOIN notification_texts AS texts
                    ON texts.tenant_id = record.tenant_id AND texts.target_user_record_id = record.id
                WHERE record.tenant_id = $1 AND record.user_id = $2
            ))
            AND waiting.status IN ('SCHEDULED', 'RETRY')
        ORDER BY waiting.id
        FOR UPDATE
    ))
    AND status IN ('SCHEDULED', 'RETRY')
RETURNING to_json(claimed_by IS NULL)::text
