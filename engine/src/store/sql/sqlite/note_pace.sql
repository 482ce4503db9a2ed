-- The target may be gone by now. What is known to be slow for longer stays so.
INSERT INTO target_paces (tenant_id, target_id, slow_until)
SELECT tenant_id, id, ?3 FROM targets WHERE tenant_id = ?1 AND id = ?2
ON CONFLICT (tenant_id, target_id) DO UPDATE
SET slow_until = max(coalesce(slow_until, excluded.slow_until), coalesce(excluded.slow_until, slow_until))
