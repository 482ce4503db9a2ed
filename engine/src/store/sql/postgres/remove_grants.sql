-- $3 and $4: capabilities and scopes.
DELETE FROM grants
WHERE tenant_id = $1 AND target_id = $2
    AND (capability, scope) IN (SELECT * FROM unnest($3::text[], $4::text[]))
