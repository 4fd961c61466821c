"""OpenAI's HTTP API: chat completions, responses, speech and transcriptions over the same presenter."""
