"""pipecat's own models of the events: each line of standard input is one of ours; prints what it took it for."""

import json
import sys

from pipecat.services.openai.realtime.events import parse_server_event

for line in sys.stdin:
    parsed = parse_server_event(line)
    print(json.dumps([json.loads(line)["type"], type(parsed).__name__]))
