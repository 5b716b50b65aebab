#!/usr/bin/env python3
"""Tells whether an export of Latchkey's event log is whole.

A second verifier, written from docs/event-log-format.md alone, with nothing but Python's standard library (3.11).
Exit code: 0 whole, 1 not whole, 2 called wrongly or an input could not be read.
"""

import argparse
import base64
import functools
import hashlib
import json
import re
import sys

import ed25519

MAX_LINE_BYTES = 1_048_576
MAX_LEVELS = 64
MAX_SAFE = 2**53 - 1
UNCHAINED_TYPES = {"sign-in.refused.v1"}
ARCHIVED = "events.archived.v1"


class InputError(Exception):
    """An input that cannot be read: exit code 2."""


# --- JSON and its canonical form -----------------------------------------------------------------------------------


class NoCanonicalForm(Exception):
    pass


_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")


def _nests_too_deep(text):
    levels = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        levels += 1 if bracket in "[{" else -1
        if levels > MAX_LEVELS:
            return True
    return False


def _refuse_constant(name):
    raise ValueError(name)  # NaN and Infinity, which Python takes and JSON has not


def _number(text):
    # an integer of thousands of digits is no safe one; Python would not even convert it
    return int(text) if len(text) <= 20 else float("inf")


def read_json(data):
    """(text, value, None), or (None, None, code) for bytes that are no JSON text."""
    try:
        text = data.decode("utf-8", "strict")
    except UnicodeDecodeError:
        return None, None, "not-utf8"
    if _nests_too_deep(text):
        return None, None, "not-json"
    try:
        value = json.loads(text, parse_int=_number, parse_constant=_refuse_constant)
    except ValueError:
        return None, None, "not-json"
    return text, value, None


_ESCAPED = re.compile(r'["\\\x00-\x1f]')
_SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def _canonical_string(text):
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise NoCanonicalForm
    return '"' + _ESCAPED.sub(lambda m: _SHORT.get(m[0]) or f"\\u{ord(m[0]):04x}", text) + '"'


def _utf16(name):
    return name.encode("utf-16-be", "surrogatepass")


def canonical(value):
    """The RFC 8785 form of a value; raises NoCanonicalForm."""
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, str):
        return _canonical_string(value)
    if isinstance(value, int):
        if abs(value) > MAX_SAFE:
            raise NoCanonicalForm
        return str(value)
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, dict):
        names = sorted(value, key=_utf16)
        return "{" + ",".join(_canonical_string(name) + ":" + canonical(value[name]) for name in names) + "}"
    raise NoCanonicalForm  # a number with a fraction or an exponent


# --- the shapes of events and checkpoints --------------------------------------------------------------------------

_IDENTIFIER = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
_HASH = re.compile(r"[0-9a-f]{64}")


def _matches(pattern):
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


is_identifier = _matches(_IDENTIFIER)
is_instant = _matches(_INSTANT)
is_hash = _matches(_HASH)


def is_null(value):
    return value is None


def is_string(value):
    return isinstance(value, str)


def is_name(value):
    return isinstance(value, str) and value != ""


def is_name_or_null(value):
    return value is None or is_name(value)


def is_seq(value):
    """True and False are integers to Python, and 3.0 is a number without a fraction to JSON."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return 1 <= value <= MAX_SAFE and value == int(value)


def is_operation_id(value):
    return value is None or (is_identifier(value) and value != "platform")


def has_shape(value, shape):
    return isinstance(value, dict) and value.keys() == shape.keys() and all(shape[name](value[name]) for name in shape)


def _object_of(**shape):
    return lambda value: has_shape(value, shape)


_COMMON = {
    "id": is_identifier,
    "operationId": is_operation_id,
    "type": is_name,
    "at": is_instant,
    "actor": _object_of(type=is_name, id=is_name, ip=is_name_or_null),
    "subject": _object_of(type=is_name, id=is_name),
    "outcome": is_name,
    "data": lambda value: isinstance(value, dict),
    "requestId": is_name_or_null,
}
CHAINED = {**_COMMON, "seq": is_seq, "prevHash": is_hash, "hash": is_hash}
UNCHAINED = {**_COMMON, "seq": is_null, "prevHash": is_null, "hash": is_null}
CHECKPOINT = {
    "id": is_identifier,
    "operationId": is_operation_id,
    "seq": is_seq,
    "hash": is_hash,
    "at": is_instant,
    "keyId": is_string,
    "signature": is_string,
}


def chain_name(operation_id):
    return "platform" if operation_id is None else operation_id


# --- keys and checkpoints ------------------------------------------------------------------------------------------


def decode_exactly(text, length):
    """The bytes of their one base64url text, None for any other."""
    if not isinstance(text, str) or not re.fullmatch(r"[A-Za-z0-9_-]*", text):
        return None
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    exact = len(data) == length and encode(data) == text
    return data if exact else None


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def thumbprint(x):
    return encode(hashlib.sha256(f'{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}'.encode()).digest())


class KeyRing:
    """Public keys by their ids: (32 bytes, the instant of retirement or None)."""

    def __init__(self):
        self.keys = {}

    def add_set(self, value):
        keys = value.get("keys") if isinstance(value, dict) else None
        if not isinstance(keys, list):
            raise InputError("not a JWK Set")
        for jwk in keys:
            if isinstance(jwk, dict) and jwk.get("kty") == "OKP" and jwk.get("crv") == "Ed25519":
                self._add_jwk(jwk)

    def add_pem(self, pem):
        match = re.match(r"-----BEGIN PUBLIC KEY-----\s([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----", pem)
        try:
            der = base64.b64decode("".join(match[1].split()), validate=True) if match else b""
        except ValueError:
            der = b""
        # RFC 8410: SubjectPublicKeyInfo with the algorithm id-Ed25519 has this one form
        if len(der) != 44 or der[:12] != bytes.fromhex("302a300506032b6570032100"):
            raise InputError("not an Ed25519 public key in PEM")
        self._add(encode(der[12:]), None)

    def _add_jwk(self, jwk):
        if "d" in jwk:
            raise InputError("holds a private key")
        x = jwk.get("x")
        if decode_exactly(x, 32) is None:
            raise InputError("holds a key that is none")
        if jwk.get("kid") != thumbprint(x):
            raise InputError("holds a key whose kid is not its thumbprint")
        retired_at = jwk.get("latchkey_retired_at")
        if "latchkey_retired_at" in jwk and not is_instant(retired_at):
            raise InputError("holds a key whose latchkey_retired_at is no instant")
        self._add(x, retired_at)

    def _add(self, x, retired_at):
        _, earlier = self.keys.get(thumbprint(x), (None, None))
        retirements = [instant for instant in (earlier, retired_at) if instant is not None]
        self.keys[thumbprint(x)] = (decode_exactly(x, 32), min(retirements, default=None))


def list_of_checkpoints(value):
    items = value.get("items") if isinstance(value, dict) else value
    if not isinstance(items, list):
        raise InputError('neither an array nor an object with an array "items"')
    return items


# a mutated log is mostly verified with the same checkpoints again
_verify = functools.lru_cache(maxsize=1024)(ed25519.verify)


def checkpoint_fault(checkpoint, keys):
    key, retired_at = keys.get(checkpoint["keyId"], (None, None))
    if key is None:
        return "unknown-key"
    if retired_at is not None and checkpoint["at"] > retired_at:
        return "retired-key"
    signature = decode_exactly(checkpoint["signature"], 64)
    if signature is None:
        return "signature"
    body = {name: value for name, value in checkpoint.items() if name != "signature"}
    try:
        signed = canonical(body)
    except NoCanonicalForm:
        return "signature"
    return None if _verify(key, b"\x01" + signed.encode(), signature) else "signature"


# --- a chain -------------------------------------------------------------------------------------------------------


class Chain:
    def __init__(self, name, checkpoints):
        self.name = name
        self.checkpoints = {}
        for checkpoint in checkpoints:
            self.checkpoints.setdefault(checkpoint["seq"], []).append(checkpoint)
        self.events = 0
        self.first = None
        self.head = None  # (seq, prevHash, hash) of the last good event
        self.signed = None
        self.fault = None
        self.archived_before = 0
        self.start_is_archived = False

    def add_faulty(self, seq, code):
        self.events += 1
        if self.fault is None:
            self.fault = (seq if self.head is None else min(seq, self.head[0] + 1), code)

    def add(self, event, computed_hash):
        self.events += 1
        if self.fault is not None:
            return
        if self.first is None:
            self.first = event["seq"]
        self.fault = self._check(event, computed_hash)
        if self.fault is not None:
            return
        self.head = (event["seq"], event["prevHash"], event["hash"])
        if event["seq"] in self.checkpoints:
            self.signed = event["seq"]
        if event["type"] == ARCHIVED:
            self._note_retention(event["data"])

    def _check(self, event, computed_hash):
        seq, prev_hash, own_hash = event["seq"], event["prevHash"], event["hash"]
        if self.head is not None and seq > self.head[0] + 1:
            return (self.head[0] + 1, "gap")
        if self.head is not None and seq <= self.head[0]:
            forked = seq == self.head[0] and prev_hash == self.head[1] and own_hash != self.head[2]
            return (seq, "fork" if forked else "duplicate")
        if any(expected != prev_hash for expected in self._hashes_before(seq)):
            return (seq, "prev-hash")
        if own_hash != computed_hash:
            return (seq, "hash")
        if any(checkpoint["hash"] != own_hash for checkpoint in self.checkpoints.get(seq, [])):
            return (seq, "checkpoint")
        return None

    def _hashes_before(self, seq):
        if self.head is not None:
            return [self.head[2]]
        if seq > 1:
            return [checkpoint["hash"] for checkpoint in self.checkpoints.get(seq - 1, [])]
        return [hashlib.sha256(b"\x02" + self.name.encode()).hexdigest()]

    def _note_retention(self, data):
        through, before = data.get("throughSeq"), self.first - 1
        if not is_seq(through):
            return
        if through < before:
            self.archived_before = through
        elif through == before:
            ids = [checkpoint["id"] for checkpoint in self.checkpoints.get(before, [])]
            self.start_is_archived = self.start_is_archived or data.get("checkpointId") in ids

    def _fault_at_end(self):
        start = (self.archived_before + 1, "start") if self.first is not None and self.first > 1 else None
        if start and self.first - 1 not in self.checkpoints:
            return start
        if self.fault is not None:
            return self.fault
        last = 0 if self.head is None else self.head[0]
        if max(self.checkpoints, default=0) > last or self.events == 0:
            return (last + 1, "tail")
        return None if self.start_is_archived else start

    def report(self, partial):
        fault = self.fault if partial else self._fault_at_end()
        return {
            "chain": self.name,
            "events": self.events,
            "first": self.first,
            "last": self.head and self.head[0],
            "signed": self.signed,
            "fault": fault and {"seq": int(fault[0]), "code": fault[1]},
        }


# --- the log -------------------------------------------------------------------------------------------------------


class Verifier:
    def __init__(self, checkpoints=(), keys=None, partial=False, chains=None):
        self.wanted = None if chains is None else set(chains)
        self.partial = partial
        self.good = {}
        self.good_checkpoints = 0
        self.checkpoint_faults = []
        for index, checkpoint in enumerate(checkpoints):
            self._add_checkpoint(index, checkpoint, keys or {})
        self.chains = {}
        self.faulty_lines = 0
        self.first_faulty_line = None
        self.refusal_summaries = 0
        self.ignored = 0

    def _add_checkpoint(self, index, value, keys):
        if has_shape(value, CHECKPOINT):
            if not self._is_wanted(chain_name(value["operationId"])):
                return
            checkpoint = {**value, "seq": int(value["seq"])}
            code = checkpoint_fault(checkpoint, keys)
        else:
            code = "not-a-checkpoint"
        if code is None:
            self.good_checkpoints += 1
            self.good.setdefault(chain_name(checkpoint["operationId"]), []).append(checkpoint)
        else:
            own_id = value.get("id") if isinstance(value, dict) else None
            own_id = own_id if is_identifier(own_id) else None
            self.checkpoint_faults.append({"index": index, "id": own_id, "code": code})

    def read(self, stream, file):
        """Takes a file's lines, holding one at a time."""
        line = 0
        while data := stream.readline(MAX_LINE_BYTES + 2):
            line += 1
            length = len(data)
            while not data.endswith(b"\n") and length > MAX_LINE_BYTES:
                data = stream.readline(MAX_LINE_BYTES)
                if not data:
                    break
            if length - (1 if data.endswith(b"\n") and length <= MAX_LINE_BYTES + 1 else 0) > MAX_LINE_BYTES:
                self._add_faulty_line(file, line, "line-too-long")
            elif not data.endswith(b"\n"):
                self._add_faulty_line(file, line, "unterminated")
            else:
                self._add_line(data[:-1], file, line)

    def _add_faulty_line(self, file, line, code):
        self.faulty_lines += 1
        if self.first_faulty_line is None:
            self.first_faulty_line = {"file": file, "line": line, "code": code}

    def _add_line(self, data, file, line):
        text, value, code = read_json(data)
        if code is not None:
            self._add_faulty_line(file, line, code)
            return
        try:
            code = None if canonical(value) == text else "not-canonical"
        except NoCanonicalForm:
            code = "not-canonical"
        if code is None and has_shape(value, UNCHAINED) and value["type"] in UNCHAINED_TYPES:
            if self._is_wanted(chain_name(value["operationId"])):
                self.refusal_summaries += 1
            else:
                self.ignored += 1
            return
        if code is None and not (has_shape(value, CHAINED) and value["type"] not in UNCHAINED_TYPES):
            code = "not-an-event"
        if code is None:
            self._add_event(value)
        else:
            self._add_faulty_value(value, code, file, line)

    def _add_event(self, event):
        name = chain_name(event["operationId"])
        if not self._is_wanted(name):
            self.ignored += 1
            return
        body = {member: value for member, value in event.items() if member != "hash"}
        computed_hash = hashlib.sha256(b"\x00" + canonical(body).encode()).hexdigest()
        self._chain(name).add(event, computed_hash)

    def _add_faulty_value(self, value, code, file, line):
        place = isinstance(value, dict) and "operationId" in value and is_operation_id(value["operationId"])
        if not place or not is_seq(value.get("seq")):
            self._add_faulty_line(file, line, code)
        elif self._is_wanted(chain_name(value["operationId"])):
            self._chain(chain_name(value["operationId"])).add_faulty(int(value["seq"]), code)
        else:
            self.ignored += 1

    def _is_wanted(self, chain):
        return self.wanted is None or chain in self.wanted

    def _chain(self, name):
        if name not in self.chains:
            self.chains[name] = Chain(name, self.good.get(name, []))
        return self.chains[name]

    def report(self):
        if not self.partial:
            for name in [*self.good, *(self.wanted or [])]:
                self._chain(name)
        chains = [self.chains[name].report(self.partial) for name in sorted(self.chains)]
        if not self.partial and not (chains or self.faulty_lines or self.refusal_summaries or self.ignored):
            raise InputError("there is no event in the export")
        whole = not self.faulty_lines and not self.checkpoint_faults and all(c["fault"] is None for c in chains)
        return {
            "whole": whole,
            "chains": chains,
            "lines": {"faulty": self.faulty_lines, "first": self.first_faulty_line},
            "checkpoints": {"good": self.good_checkpoints, "faults": self.checkpoint_faults},
            "refusalSummaries": self.refusal_summaries,
            "ignored": self.ignored,
        }


def parse_document(data):
    _, value, code = read_json(data)
    if code is not None:
        raise InputError(code)
    return value


def say(report):
    for fault in report["checkpoints"]["faults"]:
        print(f"checkpoint {fault['id'] or 'number %d' % (fault['index'] + 1)}: {fault['code']}")
    if first := report["lines"]["first"]:
        print(f"{first['file']} line {first['line']}: {first['code']} ({report['lines']['faulty']} such lines)")
    for chain in report["chains"]:
        if fault := chain["fault"]:
            name = chain["chain"] if chain["chain"] == "platform" else f"operation {chain['chain']}"
            print(f"{name}: event seq {fault['seq']}: {fault['code']}")
    print("whole" if report["whole"] else "NOT WHOLE")


def main():
    parser = argparse.ArgumentParser(description="Tells whether an export of Latchkey's event log is whole.")
    parser.add_argument("--events", action="append", required=True)
    parser.add_argument("--checkpoints", action="append", default=[])
    parser.add_argument("--keys", action="append", default=[])
    parser.add_argument("--public-key", action="append", default=[])
    parser.add_argument("--chain", action="append")
    parser.add_argument("--partial", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if bool(options.checkpoints) != bool(options.keys + options.public_key):
        parser.error("--checkpoints and --keys or --public-key go together")
    try:
        ring = KeyRing()
        checkpoints = []
        for path in options.keys:
            with open(path, "rb") as file:
                ring.add_set(parse_document(file.read()))
        for path in options.public_key:
            with open(path, encoding="ascii") as file:
                ring.add_pem(file.read())
        for path in options.checkpoints:
            with open(path, "rb") as file:
                checkpoints += list_of_checkpoints(parse_document(file.read()))
        verifier = Verifier(checkpoints, ring.keys, options.partial, options.chain)
        for path in options.events:
            if path == "-":
                verifier.read(sys.stdin.buffer, path)
                continue
            with open(path, "rb") as file:
                verifier.read(file, path)
        report = verifier.report()
    except (InputError, OSError, UnicodeDecodeError) as error:
        print(f"verify_events: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(report))
    else:
        say(report)
    return 0 if report["whole"] else 1


if __name__ == "__main__":
    sys.exit(main())
