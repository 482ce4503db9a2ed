-- What PostgreSQL needs here SQLite has: it writes only those indexes whose columns change.
UPDATE compatibility SET least_known = 9;
