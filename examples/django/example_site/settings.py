"""The settings of the example. What an application of your own needs of them is the part about the engine."""

import os
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent

# The engine. `notifications/engine.py` is the only reader of these.
#
# The program, as a path or as a name to be found in PATH.
ENGINE_BINARY = os.environ.get("ENGINE_BINARY", "engine")
# The engine's own settings file. A relative path in it counts from ENGINE_FOLDER.
ENGINE_CONFIG = FOLDER / "engine.toml"
# Where the engine is started.
ENGINE_FOLDER = FOLDER
# Seconds that one command may take. The first one after an update of the engine compiles components and takes longest.
ENGINE_TIMEOUT = 30

# Good for an example on your own machine; take a secret one where others can reach it.
SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY", "only-for-the-example")
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "notifications"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": FOLDER / "db.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [FOLDER / "templates"]}]
TIME_ZONE = "Europe/Vienna"
USE_TZ = True

# Where a command after a commit fails, nobody waits for its answer: it is logged, and these people are told by mail. Use
# another relay than the engine's, or the news of its failure takes the way that failed.
ADMINS = []
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {
        "console": {"class": "logging.StreamHandler"},
        "admins": {"class": "django.utils.log.AdminEmailHandler", "level": "ERROR"},
    },
    "loggers": {"notifications": {"handlers": ["console", "admins"], "level": "INFO"}},
}
