-- Grows with whatever a target's component is given, so that an engine that has made it ready knows when to do so again.
ALTER TABLE targets ADD COLUMN revision BIGINT NOT NULL DEFAULT 0 CHECK (revision >= 0);

-- Components that a tenant has installed, by their digest. All engines have them from here; each compiles for itself.
CREATE TABLE components (
    tenant_id    BIGINT NOT NULL REFERENCES tenants (id),
    digest       TEXT   NOT NULL CHECK (char_length(digest) BETWEEN 1 AND 80),
    bytes        BYTEA  NOT NULL CHECK (octet_length(bytes) BETWEEN 1 AND 33554432),
    created_date BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, digest)
);

-- Which of them is behind a target. A target without a row has a component of the operator's, by its module's name.
CREATE TABLE target_components (
    tenant_id BIGINT NOT NULL,
    target_id UUID   NOT NULL,
    digest    TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, target_id),
    FOREIGN KEY (tenant_id, target_id) REFERENCES targets (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, digest) REFERENCES components (tenant_id, digest)
);

CREATE INDEX target_components_by_digest ON target_components (tenant_id, digest);

-- What a tenant has set for a target's component; values are JSON.
CREATE TABLE target_settings (
    tenant_id BIGINT NOT NULL,
    target_id UUID   NOT NULL,
    name      TEXT   NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    value     TEXT   NOT NULL CHECK (octet_length(value) <= 16384 AND value::json IS NOT NULL),
    PRIMARY KEY (tenant_id, target_id, name),
    FOREIGN KEY (tenant_id, target_id) REFERENCES targets (tenant_id, id) ON DELETE CASCADE
);
UPDATE compatibility SET least_known = 10;
