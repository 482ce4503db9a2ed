-- $2: the users whose opt-outs were lifted.
UPDATE opt_outs
SET active = true
WHERE tenant_id = $1 AND user_id IN (SELECT unnest($2::uuid[]))
