"""LangChain's ChatOpenAI against our server, over chat completions and over responses; prints what it saw."""

import json
import sys

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI

url, api, *said = sys.argv[1:]
model = ChatOpenAI(
    base_url=f"{url}/v1",
    api_key="any",
    model="guide",
    max_retries=0,
    timeout=60,
    use_responses_api=api == "responses",
    stream_usage=True,
)
first, answer, then = said
invoked = model.invoke([SystemMessage("Be brief. 请简短。"), HumanMessage(first)])
led = model.invoke([HumanMessage(first), AIMessage(answer), HumanMessage(then)])
chunks = list(model.stream([HumanMessage(first)]))
whole = chunks[0]
for chunk in chunks[1:]:
    whole += chunk
print(
    json.dumps(
        {
            "text": invoked.text,
            "usage": invoked.usage_metadata,
            "led": led.text,
            "chunks": len(chunks),
            "streamed": whole.text,
            "streamed_usage": whole.usage_metadata,
            "content": invoked.content if isinstance(invoked.content, list) else [],
        },
        ensure_ascii=False,
        default=str,
    )
)
