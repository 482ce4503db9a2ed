-- $3 and $4: names and amounts.
INSERT INTO target_limits (tenant_id, target_id, name, amount)
SELECT $1, $2, name, amount FROM unnest($3::text[], $4::bigint[]) AS new (name, amount)
ON CONFLICT (tenant_id, target_id, name) DO UPDATE SET amount = excluded.amount
