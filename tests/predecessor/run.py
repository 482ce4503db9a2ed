"""Shows that a database which the real django-notification-system has filled is imported, and that what is due in it is delivered once.

run.py ENGINE [--only sqlite|postgres]
"""

import argparse
import collections
import contextlib
import email
import email.policy
import json
import os
import socket
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta

import postgres
from aiosmtpd.controller import Controller

HERE = os.path.dirname(os.path.abspath(__file__))
# What the engine has to send, and nothing else: subject and how often.
DUE = {
    "Due": 1,
    "Due in HTML": 1,
    "Without extra": 2,
    "For ever": 1,
    "Scheduled and attempted": 1,
    "Refused there": 1,
}


class Mails:
    """A mail server that keeps subjects, and refuses whom it is told to refuse, for now."""

    def __init__(self):
        self.subjects = []
        self.refused = set()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.refused:
            return "451 4.7.1 Try again later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.subjects.append(str(mail["subject"]))
        return "250 2.0.0 Taken"

    def taken(self):
        """What has come since this was last asked."""
        subjects, self.subjects = self.subjects, []
        return dict(collections.Counter(subjects))


class Lane:
    def __init__(self, engine, folder, mails, variables, url):
        self.engine, self.folder, self.mails, self.url = engine, folder, mails, url
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "ENGINE_"))}
        mail_port = str(mails.port)
        relay = {"ENGINE_SMTP__HOST": "127.0.0.1", "ENGINE_SMTP__PORT": mail_port}
        self.variables = clean | variables | relay | {"MAIL_PORT": mail_port, "PYTHONDONTWRITEBYTECODE": "1"}

    def django(self, *arguments):
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=HERE, env=self.variables, check=True, text=True, capture_output=True).stdout

    def show(self):
        return json.loads(self.django("fill.py", "show"))

    def run(self, *arguments):
        print("  $ engine", *arguments)
        command = [self.engine, *arguments]
        ran = subprocess.run(command, cwd=self.folder, env=self.variables, text=True, capture_output=True)
        for line in (ran.stdout + ran.stderr).splitlines():
            print("   ", line)
        expect(ran.returncode, 0, "the exit code")
        return ran.stdout

    def json(self, *arguments):
        command = [self.engine, *arguments, "--output", "json"]
        ran = subprocess.run(command, cwd=self.folder, env=self.variables, text=True, capture_output=True, check=True)
        return json.loads(ran.stdout)

    def everything(self):
        lists = [["user", "list"], ["target", "list"], ["record", "list"], ["opt-out", "list"]]
        return [self.json(*arguments) for arguments in [*lists, ["notification", "list", "--limit", "1000"]]]

    def go(self):
        self.django("-m", "django", "migrate", "--settings", "settings", "--verbosity", "0")
        self.mails.refused = {"cleo@example.org"}
        self.django("fill.py", "fill")
        expect(self.mails.taken(), {"Delivered there": 1}, "what the predecessor has delivered")
        self.mails.refused = set()
        there = self.show()
        print(f"  filled by the predecessor: {there['users']} users, {len(there['records'])} records, "
              f"{len(there['notifications'])} notifications")

        self.run("import", "django", "--from", self.url, "--dry-run")
        expect(self.everything()[0], [], "the users after a dry run")
        self.run("import", "django", "--from", self.url)
        here = self.everything()
        self.compare(there, here)
        self.run("import", "django", "--from", self.url)
        expect(self.everything(), here, "everything after a second import")
        expect(self.show(), there, "the predecessor's database after all")

        self.run("process-notifications")
        expect(self.mails.taken(), DUE, "what was sent")
        self.run("process-notifications")
        self.run("import", "django", "--from", self.url)
        self.run("process-notifications")
        expect(self.mails.taken(), {}, "what was sent after that")
        statuses = {n["title"]: n["status"] for n in self.everything()[4]}
        expect({statuses[title] for title in DUE}, {"DELIVERED"}, "the statuses of what was due")
        expect(statuses["To a record that is off"], "INACTIVE DEVICE", "the status of what went to a record that is off")

    def compare(self, there, here):
        users, _, records, opt_outs, notifications = here
        expect(len(users), there["users"], "the number of users")
        expect([opt_out["username"] for opt_out in opt_outs], ["bob"], "who has opted out")
        columns = ["username", "target_name", "target_user_id", "description", "active"]
        expect({r["id"]: {c: r[c] for c in columns} for r in records}, there["records"], "the records")
        # The rest of an id is the time at which the notification was made.
        kept = {id[19:]: old for id, old in there["notifications"].items()}
        expect({n["id"][19:] for n in notifications}, set(kept), "the ids of the notifications")
        for new in notifications:
            old = kept[new["id"][19:]]
            title = old["title"]
            for column in ["username", "target_name", "target_user_id", "title", "body"]:
                expect(new[column], old[column], f"{column} of {title}")
            expect(new["extra"], old["extra"] or {}, f"extra of {title}")
            expect(new["retry_time_interval"], old["retry_time_interval"] * 60, f"the interval of {title}")
            expect(new["max_retries"], max(old["max_retries"] - 1, 0), f"max_retries of {title}")
            expect(new["retry_attempts"], old["retry_attempts"], f"retry_attempts of {title}")
            expect(new["status"], BECOMES.get(title, old["status"]), f"the status of {title}")
            for column in ["scheduled_delivery", "created_date", "modified_date"]:
                same_time(new[column], old[column], f"{column} of {title}")
            if old["attempted_delivery"]:
                same_time(new["attempted_delivery"], old["attempted_delivery"], f"attempted_delivery of {title}")


# Whose status cannot be what it is there.
BECOMES = {"Scheduled and attempted": "RETRY", "After he opted out": "OPTED OUT"}


def same_time(new, old, what):
    new, old = (datetime.fromisoformat(time.replace("Z", "+00:00")) for time in (new, old))
    if not timedelta(0) <= old - new < timedelta(milliseconds=1):
        raise SystemExit(f"{what} is {new}, and should be {old}.")


def expect(found, wanted, what):
    if found != wanted:
        raise SystemExit(f"Not as it should be, {what}:\n  found  {found}\n  wanted {wanted}")


@contextlib.contextmanager
def sqlite(folder):
    file = os.path.join(folder, "db.sqlite3")
    yield {"SQLITE_FILE": file}, f"sqlite:{file}"


@contextlib.contextmanager
def postgresql(_):
    with postgres.running() as variables:
        # Without the password, which the variables hold.
        yield variables, "postgres://app@127.0.0.1:{PGPORT}/{PGDATABASE}".format(**variables)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("engine")
    arguments.add_argument("--only", choices=["sqlite", "postgres"])
    arguments = arguments.parse_args()
    mails = Mails()
    mails.controller.start()
    try:
        for name, database in [("sqlite", sqlite), ("postgres", postgresql)]:
            if arguments.only in (None, name):
                print(f"From {name}:")
                with tempfile.TemporaryDirectory() as folder, database(folder) as (variables, url):
                    Lane(os.path.abspath(arguments.engine), folder, mails, variables, url).go()
        print("All of it arrived, and once.")
    finally:
        mails.controller.stop()


main()
