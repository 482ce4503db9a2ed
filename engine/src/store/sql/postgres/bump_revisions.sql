UPDATE targets SET revision = revision + 1, modified_date = $2 WHERE tenant_id = $1
