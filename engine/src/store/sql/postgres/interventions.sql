-- The oldest transaction that may still be under way. What a claim that begins after this does not see has this number or a higher one.
SELECT to_json(pg_snapshot_xmin(pg_current_snapshot())::text::bigint)::text
