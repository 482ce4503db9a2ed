DELETE FROM notifications WHERE tenant_id = $1 AND id = $2
