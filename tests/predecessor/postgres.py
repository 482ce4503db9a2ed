"""A PostgreSQL for a while: in a temporary folder, on a free port, with a password."""

import contextlib
import glob
import os
import pwd
import shutil
import socket
import subprocess
import tempfile

PASSWORD = "between us"


def program(name):
    found = shutil.which(name) or next(iter(sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), reverse=True)), None)
    if not found:
        raise SystemExit(f"There is no {name}: install PostgreSQL, or leave it out with `--only sqlite`.")
    return os.path.realpath(found)


def owner():
    """Whom it runs as: it refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    for name in ["postgres", "nobody"]:
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise SystemExit("PostgreSQL does not run as root, and there is neither a user postgres nor nobody.")


@contextlib.contextmanager
def running():
    """Gives the variables with which libpq finds it."""
    initdb, pg_ctl = program("initdb"), program("pg_ctl")
    user = owner()
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
        free.close()
        if user:
            os.chown(folder, user["user"], user["group"])
        quiet = {"check": True, "cwd": folder, "stdout": subprocess.DEVNULL, **user}
        secret = os.path.join(folder, "password")
        with open(secret, "w") as file:
            file.write(PASSWORD)
        os.chmod(secret, 0o644)
        data = os.path.join(folder, "data")
        subprocess.run([initdb, "-D", data, "-U", "app", "-A", "scram-sha-256", "--pwfile", secret, "-E", "UTF8"], **quiet)
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
        log = os.path.join(folder, "log")
        subprocess.run([pg_ctl, "-D", data, "-w", "-l", log, "-o", options, "start"], **quiet)
        try:
            yield {
                "PGHOST": "127.0.0.1",
                "PGPORT": port,
                "PGUSER": "app",
                "PGPASSWORD": PASSWORD,
                "PGDATABASE": "postgres",
            }
        finally:
            subprocess.run([pg_ctl, "-D", data, "-m", "fast", "-w", "stop"], **quiet)
