"""What Wyoming clients are served with: one for all of their connections."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from agent.session import Session
from configs.language import LANGUAGES
from knowledge.bases import UnknownBase
from server.admission import NO_BASE, Admission
from server.assemble import Service
from server.auth import Grant
from server.protocols.base import Rejected
from server.protocols.wyoming import Ask, Format, Manner, Transcribe
from server.protocols.wyoming.answers import LANGUAGES as TAGS
from server.protocols.wyoming.answers import Offer
from server.reception import Reception
from server.wyoming.answering import Answering
from server.wyoming.conversations import Conversations, Owner
from server.wyoming.failure import Failure
from server.wyoming.hearing import Hearing
from server.wyoming.reading import Reading
from server.wyoming.wire import Reply

_DEAF = "no speech recognition is set up here / 没有接上语音识别"


class Provider:
    def __init__(self, service: Service, admission: Admission) -> None:
        self._service, self._admission = service, admission
        self.settings = service.settings.wyoming
        self._grant = Grant(self.settings.base, write=False, minors=self.settings.minors)
        self._bases = tuple(admission.bases(self._grant))
        reception = Reception(service, self._grant, self._bases)
        most, seconds = self.settings.conversations, self.settings.forget
        self._conversations = Conversations(reception, most, seconds)

    def offer(self) -> Offer:
        """Also while the service is not open yet: Home Assistant waits for a second."""
        persona, settings = self._service.persona, self._service.settings
        first = [persona.language, *(lang for lang in LANGUAGES if lang != persona.language)]
        return Offer(
            voice=self._voice,
            description=f"{persona.name['zh']} / {persona.name['en']}",
            version=version("zhubo"),
            languages=[tag for lang in first for tag in TAGS[lang]],
            hears=settings.recognizer is not None,
        )

    @contextmanager
    def admitted(self) -> Iterator[None]:
        """While one thing is done for a client. Raises Failure."""
        refusal = self._admission.refusal(self._bases)
        if refusal is not None:
            raise _failure(refusal)
        with self._admission.admitted():
            try:
                yield
            except UnknownBase as error:  # deleted since
                raise _failure(NO_BASE) from error

    def hearing(self, form: Format, asked: Transcribe, reply: Reply, *, pieces: bool) -> Hearing:
        """Within `admitted`. Raises Failure."""
        service = self._service
        if service.listening.recognizer is None:
            raise Failure("no_recognizer", _DEAF)
        ears = service.ears_for(*self._bases, first=asked.words)
        longest = service.settings.listening.longest
        session = Session(service.presenter_for(*self._bases), ears=ears)
        return Hearing(session, form, asked, reply, longest=longest, pieces=pieces)

    def reading(self, manner: Manner, reply: Reply) -> Reading:
        """Within `admitted`. Raises Failure."""
        service, names = self._service, self._service.persona.name
        called = {one.casefold() for one in (self._voice, *(names[lang] for lang in LANGUAGES))}
        if manner.voice is not None and manner.voice.casefold() not in called:
            raise Failure("unknown_voice", f"the voice here is {self._voice} / 这里的声音叫 {self._voice}")
        most = self.settings.characters
        minor = self._admission.minor(self._grant)
        return Reading(service.presenter_for(*self._bases), manner.lang, reply, most, minor=minor)

    async def answer(self, ask: Ask, owner: Owner, reply: Reply, *, pieces: bool) -> None:
        """Tells, too, why there is no answer: it is what the user is read."""
        answering = Answering(self._service.persona, ask, reply, pieces=pieces, notice=self.settings.notice)
        try:
            with self.admitted():
                async with self._conversations.asked(owner, ask.lang) as conversation:
                    await answering.run(conversation)
        except Failure as failure:
            await answering.decline(failure.message)

    async def leave(self, owner: Owner) -> None:
        """Nobody can go on with this conversation any more."""
        await self._conversations.end(owner)

    async def aclose(self) -> None:
        await self._conversations.aclose()

    @property
    def _voice(self) -> str:
        return Path(self._service.settings.persona).stem


def _failure(refusal: Rejected) -> Failure:
    return Failure(refusal.code, refusal.message)
