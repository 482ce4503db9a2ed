-- $2: JSON list of the users whose opt-outs were lifted.
UPDATE opt_outs
SET active = true
WHERE tenant_id = $1 AND user_id IN (SELECT value::uuid FROM jsonb_array_elements_text($2::jsonb) AS list (value))
