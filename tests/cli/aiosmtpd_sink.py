"""Takes mails with aiosmtpd until standard input ends; prints its port, then a line for each mail: Message-ID and verdict.

aiosmtpd_sink.py [starttls|tls CERTIFICATE KEY]: with TLS it takes mail only after a login of "ada" with "secret", and only encrypted.
"""

import email
import email.policy
import socket
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult


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
options = {}
if len(sys.argv) > 1:
    mode, certificate, key = sys.argv[1:]
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    options = {
        "auth_required": True,
        "authenticator": lambda server, session, envelope, mechanism, login: AuthResult(
            success=(login.login, login.password) == (b"ada", b"secret")
        ),
    }
    if mode == "starttls":
        options |= {"tls_context": context, "require_starttls": True}
    else:
        options |= {"ssl_context": context, "auth_require_tls": False}
controller = Controller(sink, hostname="127.0.0.1", port=port, **options)
controller.start()
print(port, flush=True)
sys.stdin.read()
controller.stop()
for line in sink.lines:
    print(line)
