INSERT INTO target_components (tenant_id, target_id, digest)
VALUES ($1, $2, $3)
ON CONFLICT (tenant_id, target_id) DO UPDATE SET digest = excluded.digest
