-- ?2: JSON list of the users whose opt-outs were lifted.
UPDATE opt_outs
SET active = 1
WHERE tenant_id = ?1 AND user_id IN (SELECT unhex(value) FROM json_each(?2))
