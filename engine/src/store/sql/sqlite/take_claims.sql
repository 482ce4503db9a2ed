-- ?1: JSON list of rows, as `claim_due` found them in the same transaction.
UPDATE notifications
SET claimed_by = ?2, claimed_at = ?3, lease_until = ?4, fence = fence + 1
WHERE rowid IN (SELECT value FROM json_each(?1))
