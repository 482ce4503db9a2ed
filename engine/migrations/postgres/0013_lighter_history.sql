-- What is written of an attempt is written for each notification, so that each check counts. Lengths in bytes are known without reading the text; they are what the
-- engine cuts to.
ALTER TABLE attempts
    DROP CONSTRAINT attempts_code_check, ADD CONSTRAINT attempts_code_check CHECK (octet_length(code) <= 100),
    DROP CONSTRAINT attempts_message_check, ADD CONSTRAINT attempts_message_check CHECK (octet_length(message) <= 4096),
    DROP CONSTRAINT attempts_provider_id_check,
    ADD CONSTRAINT attempts_provider_id_check CHECK (octet_length(provider_id) <= 300),
    DROP CONSTRAINT attempts_log_check, ADD CONSTRAINT attempts_log_check CHECK (octet_length(log) <= 65536),
    DROP CONSTRAINT attempts_component_digest_check,
    ADD CONSTRAINT attempts_component_digest_check CHECK (octet_length(component_digest) BETWEEN 1 AND 80),
    DROP CONSTRAINT attempts_request_hash_check,
    ADD CONSTRAINT attempts_request_hash_check CHECK (octet_length(request_hash) BETWEEN 1 AND 80),
    DROP CONSTRAINT attempts_usage_check,
    ADD CONSTRAINT attempts_usage_check CHECK (octet_length(usage) BETWEEN 1 AND 200);

-- An attempt is only written for a notification that the same transaction has just settled, and locked by that: to look for it again proved nothing. It still goes
-- with its notification.
DROP TRIGGER attempts_have_notifications ON attempts;
DROP FUNCTION attempts_have_notifications();
UPDATE compatibility SET least_known = 13;
