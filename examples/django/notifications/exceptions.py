"""Why no notification was made. Names and parents are the predecessor's, so that `except` clauses stay as they are."""


class NotificationSystemError(Exception):
    """The parent of all others."""


class NotificationsNotCreated(NotificationSystemError):
    """The target had nothing to send for this request. Exit code 6 of `engine notify`."""


class NotificationNotSent(NotificationSystemError):
    """The parent of the reasons that lie with the user."""


class UserIsOptedOut(NotificationNotSent):
    """The user wants no notifications. Exit code 4 of `engine notify`."""


class UserHasNoTargetRecords(NotificationNotSent):
    """The user has no active record in the target. Exit code 5 of `engine notify`."""


class EngineFailed(NotificationSystemError):
    """The engine could not do what it was told, could not be started, or did not end in time. New: the predecessor had no
    engine to fail. Its text is a sentence for the log, not for visitors."""
