-- $3: names.
DELETE FROM target_limits WHERE tenant_id = $1 AND target_id = $2 AND name IN (SELECT unnest($3::text[]))
