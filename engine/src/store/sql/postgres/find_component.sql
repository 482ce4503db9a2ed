SELECT bytes FROM components WHERE tenant_id = $1 AND digest = $2
