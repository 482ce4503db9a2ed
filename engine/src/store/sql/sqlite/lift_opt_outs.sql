-- Of the users of these records (?2: JSON list of ids): within the transaction only, which puts them back (`put_opt_outs_back`). Nothing new is
-- made for users who have opted out, on whatever path it comes; a history is nothing new.
UPDATE opt_outs
SET active = 0
WHERE tenant_id = ?1
    AND active = 1
    AND user_id IN (
        SELECT record.user_id
        FROM json_each(?2) AS wanted
        CROSS JOIN target_user_records AS record ON record.tenant_id = ?1 AND record.id = unhex(wanted.value)
    )
RETURNING json_quote(hex(user_id))
