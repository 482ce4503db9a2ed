-- $3: names.
DELETE FROM target_settings WHERE tenant_id = $1 AND target_id = $2 AND name IN (SELECT unnest($3::text[]))
