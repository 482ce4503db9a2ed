"""How the engine is run, with small programs in its place that end as they are told."""

import json
import stat
import tempfile
from pathlib import Path

from django.test import SimpleTestCase, override_settings

from notifications import engine, exceptions
from notifications.creators import ids


class RunTest(SimpleTestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.enterContext(override_settings(ENGINE_FOLDER=self.folder, ENGINE_CONFIG="e.toml", ENGINE_TIMEOUT=20))

    def stand_in(self, script):
        program = self.folder / "engine"
        program.write_text(f"#!/usr/bin/env python3\nimport json, sys, time\n{script}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        self.enterContext(override_settings(ENGINE_BINARY=program))

    def test_options_become_arguments(self):
        self.stand_in("print(json.dumps(sys.argv[1:]))")
        said = engine.run("record", "upsert", target_user_id="-1", description="", quiet=True, at=None, max_retries=0)
        self.assertEqual(
            said,
            ["record", "upsert", "--config=e.toml", "--output=json"]
            + ["--target-user-id=-1", "--description=", "--quiet", "--max-retries=0"],
        )

    def test_silence_is_none(self):
        self.stand_in("")
        self.assertIsNone(engine.run("notify"))

    def test_exit_codes_are_exceptions(self):
        cases = {
            1: exceptions.EngineFailed,
            2: exceptions.EngineFailed,
            3: exceptions.EngineFailed,
            4: exceptions.UserIsOptedOut,
            5: exceptions.UserHasNoTargetRecords,
            6: exceptions.NotificationsNotCreated,
        }
        for code, expected in cases.items():
            with self.subTest(code=code):
                self.stand_in(f"print('WARN engine: slow', 'engine: That is why.', sep='\\n', file=sys.stderr); sys.exit({code})")
                with self.assertRaises(exceptions.NotificationSystemError) as raised:
                    engine.run("notify")
                self.assertIs(type(raised.exception), expected)
                self.assertEqual(str(raised.exception), "That is why.")

    def test_a_failure_without_a_sentence_is_quoted(self):
        self.stand_in("print('error: no such option', file=sys.stderr); sys.exit(2)")
        with self.assertRaisesMessage(exceptions.EngineFailed, "`engine notify` ended with 2: error: no such option"):
            engine.run("notify")

    def test_what_is_no_engine_is_told(self):
        self.stand_in("print('Hello')")
        with self.assertRaisesMessage(exceptions.EngineFailed, "did not print JSON"):
            engine.run("notify")
        for binary, value in [(self.folder / "nothing", "x"), (self.folder, "x"), ("/bin/true", "a\0b")]:
            with override_settings(ENGINE_BINARY=binary), self.assertRaisesMessage(exceptions.EngineFailed, "be started"):
                engine.run("notify", title=value)

    def test_a_command_that_hangs_is_ended(self):
        self.stand_in("time.sleep(60)")
        with override_settings(ENGINE_TIMEOUT=0.5), self.assertRaises(exceptions.EngineFailed) as raised:
            engine.run("notify", body="a secret")
        self.assertIn("ended after 0.5 s", str(raised.exception))
        self.assertNotIn("a secret", str(raised.exception))
        # A traceback in the log would show the cause, and with it the command line.
        self.assertIsNone(raised.exception.__cause__)
        self.assertTrue(raised.exception.__suppress_context__)


class AnswerTest(SimpleTestCase):
    def test_ids_are_those_of_all_targets(self):
        made = json.loads('[{"target": "email", "notifications": ["1", "2"]}, {"target": "expo", "notifications": ["3"]}]')
        self.assertEqual(ids(made), ["1", "2", "3"])
        self.assertEqual(ids(None), [])
