"""Takes mails with aiosmtpd until standard input ends; prints its port, then a line for each mail: Message-ID and verdict."""

import email
import email.policy
import socket
import sys

from aiosmtpd.controller import Controller


class Sink:
    def __init__(self):
        self.lines = []

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        faults = [fault for part in mail.walk() for fault in part.defects]
        good = not faults and mail["subject"] and mail["from"] and mail["date"] and mail.get_body(("plain",)) is not None
        self.lines.append(f"{mail['message-id']} {'ok' if good else faults}")
        return "250 2.0.0 Taken"


sink = Sink()
with socket.socket() as free:  # aiosmtpd connects to the port that it was told, so it must be told one.
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
controller = Controller(sink, hostname="127.0.0.1", port=port)
controller.start()
print(port, flush=True)
sys.stdin.read()
controller.stop()
for line in sink.lines:
    print(line)
