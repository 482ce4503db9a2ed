UPDATE targets SET revision = revision + 1, modified_date = $3 WHERE tenant_id = $1 AND id = $2
