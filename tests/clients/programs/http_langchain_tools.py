"""LangChain's ChatOpenAI with a tool of its own against our server: called, done, answered; prints what it saw."""

import json
import sys

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI


@tool
def light(on: bool) -> str:
    """开关灯 switches the light"""
    return "灯已打开" if on else "灯已关上"


url, words = sys.argv[1:]
plain = ChatOpenAI(base_url=f"{url}/v1", api_key="any", model="guide", max_retries=0, timeout=60)
model = plain.bind_tools([light])
messages = [HumanMessage(words)]
called = model.invoke(messages)
chunks = list(model.stream(messages))
whole = chunks[0]
for chunk in chunks[1:]:
    whole += chunk
results = [ToolMessage(light.invoke(call["args"]), tool_call_id=call["id"]) for call in called.tool_calls]
answered = model.invoke([*messages, called, *results])
print(
    json.dumps(
        {
            "calls": [[call["name"], call["args"]] for call in called.tool_calls],
            "streamed": [[call["name"], call["args"]] for call in whole.tool_calls],
            "text": answered.text,
        },
        ensure_ascii=False,
    )
)
