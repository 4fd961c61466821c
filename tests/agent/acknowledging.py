"""`python -m tests.agent.acknowledging FOLDER`: a conversation without end, that says on standard output what is safe.

Each line is a turn whose exchange, and whose fact, are on the disk; the first is the conversation's id.
"""

import asyncio
import sys
from pathlib import Path

from tests.agent.remembering import memories, said


async def main(folder: Path) -> None:
    kept = memories(folder)
    memory = await kept.open(user="visitor")
    await memory.consent(True)
    sys.stdout.write(f"{memory.id}\n")
    turn = 0
    while True:
        turn += 1
        memory.answered(turn, f"我的第{turn}号号码是{turn * 7}。", said(f"Answer {turn}."))
        if turn % 3 == 0:
            memory.cut(turn, 0.0)
        await memory.settled()
        sys.stdout.write(f"{turn}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
