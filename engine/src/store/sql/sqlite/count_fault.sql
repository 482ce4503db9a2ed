-- Those of a component (?3) that another has replaced are not the other's.
UPDATE targets
SET faults = faults + 1
WHERE tenant_id = ?1
    AND id = ?2
    AND NOT EXISTS (
        SELECT 1
        FROM target_components AS installed
        WHERE installed.tenant_id = targets.tenant_id AND installed.target_id = targets.id AND installed.digest <> ?3
    )
RETURNING json_quote(faults)
