-- The other targets whose components are built in. A target of that name that is there already stays as it is.
INSERT INTO targets (tenant_id, id, name, notification_module_name, created_date, modified_date)
SELECT id, x'00000000000070008000000000000002', 'Twilio', 'twilio', created_date, modified_date FROM tenants WHERE id = 1
UNION ALL
SELECT id, x'00000000000070008000000000000003', 'Expo', 'expo', created_date, modified_date FROM tenants WHERE id = 1
ON CONFLICT (tenant_id, name) DO NOTHING;
