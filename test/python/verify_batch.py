"""Answers one JSON report, or null for unreadable input, to each request on standard input: many logs, one process."""

import base64
import io
import json
import sys

from verify_events import InputError, KeyRing, Verifier, list_of_checkpoints, parse_document


def answer(request):
    try:
        ring = KeyRing()
        checkpoints = []
        for document in request["keys"]:
            ring.add_set(parse_document(base64.b64decode(document)))
        for document in request["checkpoints"]:
            checkpoints += list_of_checkpoints(parse_document(base64.b64decode(document)))
        verifier = Verifier(checkpoints, ring.keys, request["partial"], request["chains"])
        for number, events in enumerate(request["events"]):
            verifier.read(io.BytesIO(base64.b64decode(events)), f"file {number}")
        return verifier.report()
    except InputError:
        return None


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))))
