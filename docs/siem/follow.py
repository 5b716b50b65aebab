#!/usr/bin/env python3
"""Follows Latchkey's event log and writes one event a line to standard output. CURSOR_FILE remembers the place."""
import json, os, sys, time, urllib.error, urllib.parse, urllib.request

url, key, cursor_file = os.environ["LATCHKEY_URL"], os.environ["LATCHKEY_API_KEY"], os.environ["CURSOR_FILE"]
cursor = open(cursor_file).read() if os.path.exists(cursor_file) else None
sys.stdout.write("\n")  # ends a line that was cut off when this program was killed
while True:
    query = urllib.parse.urlencode({"wait": 25, "limit": 100, **({"after": cursor} if cursor else {})})
    request = urllib.request.Request(f"{url}/v1/events/feed?{query}", headers={"Authorization": f"Bearer {key}"})
    try:
        page = json.load(urllib.request.urlopen(request, timeout=60))
    except urllib.error.HTTPError as error:
        problem = json.load(error)
        print(problem["detail"], file=sys.stderr)
        if error.code not in (410, 429, 503): sys.exit(1)
        if error.code != 410: time.sleep(5)
        page = {"items": [], "nextCursor": problem.get("nextCursor", cursor)}
    except (OSError, ValueError) as error:  # no connection, or it broke off: try again from the same cursor
        print(error, file=sys.stderr)
        time.sleep(1)
        continue
    for event in page["items"]:
        print(json.dumps(event))
    sys.stdout.flush()  # first the events, then the cursor: a crash between the two repeats events, and loses none
    cursor = page["nextCursor"]
    with open(cursor_file + ".new", "w") as file:
        file.write(cursor or "")
    os.replace(cursor_file + ".new", cursor_file)
