-- Of the users of these records ($2: their ids): within the transaction only, which puts them back (`put_opt_outs_back`). Nothing new is
-- made for users who have opted out, on whatever path it comes; a history is nothing new.
UPDATE opt_outs
SET active = false
WHERE tenant_id = $1
    AND active
    AND user_id IN (
        SELECT record.user_id
        FROM unnest($2::uuid[]) AS wanted (id)
        JOIN target_user_records AS record ON record.tenant_id = $1 AND record.id = wanted.id
    )
RETURNING to_json(user_id)::text
