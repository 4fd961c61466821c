"""What a client is told of sound that could not be heard."""

from agent.events import Unheard
from agent.listening.ear import Host

_BAD = "收到的声音无法解码，请检查格式和采样率。 / The sound cannot be decoded: check its format and sample rate."
_EMPTY = "没有收到声音，请对着麦克风说话。 / There was no sound: please speak into the microphone."
_LOST = "声音来得太快，有一段没有听到。 / Sound came too fast: some of it was not heard."
_BROKEN = "语音检测出了故障，请再说一遍，或者打字。 / Voice detection failed: please say it again, or type."


class Complaints:
    def __init__(self, host: Host) -> None:
        self._host = host
        self._bad = False

    def well(self) -> None:
        """What comes can be heard again."""
        self._bad = False

    def bad(self, code: str) -> None:
        self._once(code, _BAD)

    def broken(self, code: str) -> None:
        self._once(f"detector_{code}", _BROKEN)

    def empty(self) -> None:
        self._tell("commit_empty", _EMPTY)

    def lost(self) -> None:
        self._tell("overrun", _LOST)

    def _once(self, code: str, message: str) -> None:
        """Until it is well again."""
        if not self._bad:
            self._bad = True
            self._tell(code, message)

    def _tell(self, code: str, message: str) -> None:
        self._host.tell(Unheard(self._host.stage.number, 0, code, message))
