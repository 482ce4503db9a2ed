"""A real engine with an empty database for each test."""

import os
import tempfile
from pathlib import Path
from unittest import mock

from django.contrib.auth import get_user_model
from django.test import TransactionTestCase, override_settings

from notifications import engine


class EngineTestCase(TransactionTestCase):
    """TransactionTestCase, since a TestCase never commits, and so nothing would ever be told."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.binary = os.environ.get("ENGINE_BINARY", "")
        if not os.access(cls.binary, os.X_OK):
            raise AssertionError("ENGINE_BINARY must be the path of the engine: ENGINE_BINARY=/path/to/engine manage.py test")
        # One folder for all tests of a class: compiled components are kept beside the databases.
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)

    def setUp(self):
        config = self.folder / f"{self.id()}.toml"
        config.write_text(f'[database]\nurl = "sqlite:{self.id()}.db"\n')
        ours = {"ENGINE_BINARY": os.path.abspath(self.binary), "ENGINE_CONFIG": config, "ENGINE_FOLDER": self.folder}
        self.enterContext(override_settings(**ours, ENGINE_TIMEOUT=120))
        # Settings of the engine that this shell happens to have.
        self.enterContext(mock.patch.dict(os.environ))
        for name in [name for name in os.environ if name.startswith("ENGINE_")]:
            del os.environ[name]

    def ada(self, **fields):
        ada = {"username": "ada", "email": "ada@example.org", "first_name": "Ada", "last_name": "Lovelace"}
        return get_user_model().objects.create(**ada | fields)

    def users(self):
        return engine.run("user", "list")

    def addresses(self):
        """Those at which a notification would arrive now."""
        return [record["target_user_id"] for record in engine.run("record", "list") if record["active"]]

    def notifications(self):
        return engine.run("notification", "list")
