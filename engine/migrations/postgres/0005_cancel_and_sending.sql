-- What is canceled while an engine has claimed it is marked, as with an opt-out: it is not sent any more unless it has left already, and
-- never goes back to waiting.
ALTER TABLE notifications ADD COLUMN canceled BOOLEAN NOT NULL DEFAULT false CHECK (
    NOT canceled OR claimed_by IS NOT NULL OR status NOT IN ('SCHEDULED', 'RETRY')
);
-- Set right before a send where it must be known afterwards that it may have begun: what to do then if its outcome stays unknown. Without
-- it, what a dead engine held is taken as not worth asking about, and sent again.
ALTER TABLE notifications ADD COLUMN sending TEXT CHECK (
    sending IS NULL OR (sending IN ('resend', 'hold') AND claimed_by IS NOT NULL)
);
