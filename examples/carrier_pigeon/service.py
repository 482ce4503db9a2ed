#!/usr/bin/env python3
"""A stand-in for the pigeon service: `python3 service.py [PORT]`; without a port it takes a free one.

It prints its address, and then a line for each flight that it is asked for. The loft decides what becomes of a pigeon:

- a loft with "hawk" in it: the pigeon dies, with every note;
- a loft with "fog" in it: the first pigeon of each note gets lost, and the next one arrives;
- any other loft: it arrives.

    POST /flights, with a header `idempotency-key` and a JSON object: `loft`, `title`, `note`, all texts, of which the loft is needed;
                   `talking_pigeon` and `pay_on_delivery`, both needed, true or false
    201 {"id": …}    410 {"error": "PigeonDied", …}    503 {"error": "PigeonGotLost", …}    400 {"error": "BadFlight", …}

A key is one note: asked for again after it has arrived, no second pigeon flies, and the answer is the same. Nothing is kept on disk.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

# A note is small; whatever is larger is not read.
LARGEST_BODY = 64 * 1024


class PigeonDied(Exception):
    status = 410


class PigeonGotLost(Exception):
    status = 503


class BadFlight(Exception):
    status = 400


class Sky:
    """What has flown so far. One at a time."""

    def __init__(self):
        self.arrived = {}
        self.lost = set()
        self.lock = Lock()

    def fly(self, key, flight):
        """The flight's id, or an exception that says what became of the pigeon."""
        with self.lock:
            if key in self.arrived:
                return self.arrived[key]
            loft = flight["loft"].lower()
            if "hawk" in loft:
                raise PigeonDied("a hawk was faster")
            if "fog" in loft and key not in self.lost:
                self.lost.add(key)
                raise PigeonGotLost("there is fog over the town")
            self.arrived[key] = f"flight-{len(self.arrived) + 1}"
            return self.arrived[key]


class Counter(BaseHTTPRequestHandler):
    """Where flights are asked for."""

    sky = Sky()
    protocol_version = "HTTP/1.1"
    timeout = 10  # Seconds that a silent connection is kept.

    def do_POST(self):
        try:
            key, flight = self.asked()
            answer = 201, {"id": self.sky.fly(key, flight)}
        except (PigeonDied, PigeonGotLost, BadFlight) as error:
            answer = error.status, {"error": type(error).__name__, "message": str(error)}
        self.answer(*answer)

    def asked(self):
        """The note's key and the flight. What is not one is answered, and the connection closed, as its body may be unread."""
        self.close_connection = True
        length = self.headers.get("content-length", "")
        if not length.isdecimal() or len(length) > 9 or int(length) > LARGEST_BODY:
            raise BadFlight(f"a flight has a content-length of at most {LARGEST_BODY}")
        body = self.rfile.read(int(length))
        self.close_connection = False
        key = self.headers.get("idempotency-key", "")
        if self.path != "/flights" or not key:
            raise BadFlight("flights are asked for at /flights, with an idempotency-key")
        try:
            flight = json.loads(body)
        except (ValueError, RecursionError) as error:  # The latter if it is nested too deep.
            raise BadFlight("a flight is a JSON object") from error
        if not isinstance(flight, dict) or not isinstance(flight.get("loft"), str):
            raise BadFlight("a flight needs a loft")
        for flag in ("talking_pigeon", "pay_on_delivery"):
            if not isinstance(flight.get(flag), bool):
                raise BadFlight(f"a flight needs {flag}, true or false")
        return key, flight

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        if self.close_connection:
            self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(body)
        print(status, json.dumps(value), flush=True)

    def log_message(self, *_):
        """Says nothing: `answer` has said it."""


def main():
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    server = ThreadingHTTPServer(("127.0.0.1", port), Counter)
    server.daemon_threads = True
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
