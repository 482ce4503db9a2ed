"""The engine's command line, and the only place that runs it."""

import json
import logging
import subprocess

from django.conf import settings

from . import exceptions

logger = logging.getLogger(__name__)

# What `engine notify --help` says of exit codes.
REFUSALS = {
    4: exceptions.UserIsOptedOut,
    5: exceptions.UserHasNoTargetRecords,
    6: exceptions.NotificationsNotCreated,
}


def run(*command, **options):
    """Runs `engine COMMAND… --option=value…` and returns what it printed as JSON, or None if it printed nothing.

    An option's value is text or a number; True gives the option alone, None leaves it out. A refusal raises its exception,
    any other failure EngineFailed. Neither text is longer than a sentence or two, and no value of an option is in it unless
    the engine repeats it.
    """
    name = " ".join(command)
    arguments = [str(settings.ENGINE_BINARY), *command, f"--config={settings.ENGINE_CONFIG}", "--output=json"]
    for option, value in options.items():
        option = f"--{option.replace('_', '-')}"
        if value is True:
            arguments.append(option)
        elif value is not None:
            # In one word, so that a value with a hyphen in front is not taken for an option.
            arguments.append(f"{option}={value}")
    try:
        ended = subprocess.run(
            arguments,
            cwd=settings.ENGINE_FOLDER,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=settings.ENGINE_TIMEOUT,
        )
    except subprocess.TimeoutExpired:
        # Without its cause, whose text has the whole command line, the notification's body included.
        raise exceptions.EngineFailed(
            f"`engine {name}` was ended after {settings.ENGINE_TIMEOUT} s, and may have done its work: raise ENGINE_TIMEOUT "
            "if the machine is slow."
        ) from None
    except (OSError, ValueError) as error:
        # Not there, not to be run, too long a command line; a NUL in a value.
        raise exceptions.EngineFailed(f"`engine {name}` cannot be started: {error}.") from error
    if ended.returncode == 0:
        return answer(name, ended.stdout)
    raise REFUSALS.get(ended.returncode, exceptions.EngineFailed)(why(name, ended))


def answer(name, text):
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except ValueError as error:
        raise exceptions.EngineFailed(f"`engine {name}` did not print JSON: check that ENGINE_BINARY is the engine.") from error


def why(name, ended):
    """The engine's sentence. Lines of its log may stand before it."""
    said = [line.removeprefix("engine: ") for line in ended.stderr.splitlines() if line.startswith("engine: ")]
    return said[-1] if said else f"`engine {name}` ended with {ended.returncode}: {ended.stderr.strip()[:1000]}"
