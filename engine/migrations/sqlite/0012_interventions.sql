-- How often somebody has decided something that may keep claimed notifications from being sent. Engines ask right before each send whether that has
-- changed since the claim, which is one look for a whole batch, and look at each notification only then. One row.
CREATE TABLE interventions (
    number INTEGER NOT NULL,
    -- When the last was.
    at     INTEGER NOT NULL
) STRICT;
INSERT INTO interventions (number, at) VALUES (0, 0);

CREATE TRIGGER opt_outs_intervene AFTER INSERT ON opt_outs
BEGIN
    UPDATE interventions SET number = number + 1, at = unixepoch() * 1000;
END;
CREATE TRIGGER changed_opt_outs_intervene AFTER UPDATE ON opt_outs
BEGIN
    UPDATE interventions SET number = number + 1, at = unixepoch() * 1000;
END;
CREATE TRIGGER target_user_records_intervene AFTER UPDATE OF active ON target_user_records
BEGIN
    UPDATE interventions SET number = number + 1, at = unixepoch() * 1000;
END;
CREATE TRIGGER notifications_intervene AFTER UPDATE OF opted_out, canceled ON notifications
BEGIN
    UPDATE interventions SET number = number + 1, at = unixepoch() * 1000;
END;
UPDATE compatibility SET least_known = 12;
