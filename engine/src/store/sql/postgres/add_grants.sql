-- $3 and $4: capabilities and scopes.
INSERT INTO grants (tenant_id, target_id, capability, scope, created_date)
SELECT $1, $2, capability, scope, $5 FROM unnest($3::text[], $4::text[]) AS new (capability, scope)
ON CONFLICT (tenant_id, target_id, capability, scope) DO NOTHING
