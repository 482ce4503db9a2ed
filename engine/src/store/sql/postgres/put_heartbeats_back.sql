-- Nobody was heard of after $1.
UPDATE engines SET heartbeat_at = $1 WHERE heartbeat_at > $1
