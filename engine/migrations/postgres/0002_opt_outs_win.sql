-- An opt-out ends what waits for the user at once. What an engine has claimed at that moment is marked instead: it is not sent any more
-- unless it has left already, and never goes back to waiting, even if the user opts in again meanwhile.
ALTER TABLE notifications ADD COLUMN opted_out BOOLEAN NOT NULL DEFAULT false CHECK (
    NOT opted_out OR claimed_by IS NOT NULL OR status NOT IN ('SCHEDULED', 'RETRY')
);
