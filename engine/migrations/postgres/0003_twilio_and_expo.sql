-- The other targets whose components are built in. A target of that name that is there already stays as it is.
INSERT INTO targets (tenant_id, id, name, notification_module_name, created_date, modified_date)
SELECT id, '00000000-0000-7000-8000-000000000002'::uuid, 'Twilio', 'twilio', created_date, modified_date FROM tenants WHERE id = 1
UNION ALL
SELECT id, '00000000-0000-7000-8000-000000000003'::uuid, 'Expo', 'expo', created_date, modified_date FROM tenants WHERE id = 1
ON CONFLICT (tenant_id, name) DO NOTHING;
