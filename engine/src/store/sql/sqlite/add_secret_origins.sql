-- ?3: JSON list of origins.
INSERT INTO secret_origins (tenant_id, secret_id, origin)
SELECT ?1, ?2, value FROM json_each(?3)
