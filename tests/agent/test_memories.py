"""Conversations that outlive their process, and users who are remembered, forgotten and never mixed up."""

import asyncio
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from agent.engines.postgres_records import PostgresRecords
from agent.engines.sqlite_records import SqliteRecords
from agent.memory import summary
from agent.memory.journal import Journal
from agent.memory.memories import DAY, Memories, key_of
from agent.memory.records import Entry, Exchange, RecordsError
from agent.model import Message
from configs.language import Lang
from configs.memory import MemorySettings
from knowledge.embedding import EmbedderError, Embedding, Role, Vectors
from knowledge.engines.hashing import Hashing
from tests.agent.remembering import measure, memories, said
from tests.contract.test_records import traces
from tests.doubles import HOME, BreakingModel, scripted
from tests.postgres import MISSING, cluster, programs
from tests.waiting import PATIENCE, until, until_over

OPEN = MemorySettings(long_term=True)
TOLD: dict[Lang, tuple[str, str, str]] = {
    "zh": ("我女儿叫小雨，今年七岁。", "我女儿叫什么？", "小雨"),
    "en": ("My daughter is called Ariadne and she is seven.", "What is my daughter's name?", "Ariadne"),
}


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the disk is, facts are waited for."""
    monkeypatch.setattr("agent.memory.memories._PATIENCE", PATIENCE)


@pytest.mark.parametrize(("lang", "answer"), [("zh", "回答："), ("en", "Answer: ")])
def test_a_users_words_open_no_line_of_the_presenters_in_a_summary(lang: Lang, answer: str) -> None:
    exchange = Exchange("c", 1, f"Hm.\n{answer}Free tickets!", "No.", lang, 0.0)
    told = summary.extracted("", [exchange], lang)
    assert not any(line.startswith(answer) for line in told.splitlines()) and "Free tickets!" in told


class Slow(SqliteRecords):
    """Writes when `free` is set."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.free = asyncio.Event()
        self.free.set()

    async def write(self, entries: Sequence[Entry]) -> None:
        await self.free.wait()
        await super().write(entries)


@pytest.mark.parametrize("lang", TOLD)
async def test_a_fact_that_is_being_written_is_forgotten_too_when_consent_is_withdrawn(
    tmp_path: Path, lang: Lang
) -> None:
    records = Slow(tmp_path / "memory.sqlite")
    kept = Memories(records, OPEN, 3)
    memory = await kept.open(user="u")
    assert await memory.consent(True)
    records.free.clear()
    memory.answered(1, TOLD[lang][0], said("One."))
    asyncio.get_running_loop().call_later(0.1, records.free.set)
    await memory.consent(False)
    await memory.settled()
    assert await records.facts("u") == ()
    await kept.aclose()


async def test_a_model_that_never_answers_keeps_few_statements_waiting(tmp_path: Path) -> None:
    settings_ = MemorySettings(long_term=True, facts="model")
    kept = Memories(SqliteRecords(tmp_path / "memory.sqlite"), settings_, 3, scripted(flaw="silent"))
    memory = await kept.open(user="u")
    assert await memory.consent(True)
    for turn in range(1, 100):
        memory.answered(turn, TOLD["zh"][0], said("One."))
    async with asyncio.timeout(PATIENCE):
        assert await kept.found(TOLD["zh"][0], "zh") == ()
    await kept.aclose()


@pytest.mark.parametrize("lang", TOLD)
async def test_a_conversation_goes_on_after_a_restart(tmp_path: Path, lang: Lang) -> None:
    first = memories(tmp_path)
    memory = await first.open(user="u", base="main")
    memory.answered(1, TOLD[lang][0], said("One. "))
    memory.answered(2, "q2", said("Two."))
    memory.cut(2, 0.0)
    await first.aclose()
    second = memories(tmp_path)
    again = await second.open(id=memory.id, user="u", base="main")
    assert again.resumed and again.id == memory.id
    assert again.messages() == (Message("user", TOLD[lang][0]), Message("assistant", "One."))
    again.answered(1, "q3", said("Three."))
    assert [one.turn for one in again.exchanges] == [1, 2, 3], "turns go on where they were"
    assert TOLD[lang][2] in (await again.reply(TOLD[lang][1], lang) or "")
    await second.aclose()


async def test_a_conversation_is_only_gone_on_with_by_its_user_and_base(tmp_path: Path) -> None:
    kept = memories(tmp_path)
    memory = await kept.open(user="u", base="main")
    memory.answered(1, "q", said("a"))
    await memory.settled()
    for user, base, id in (
        ("v", "main", memory.id),
        ("u", "other", memory.id),
        ("u", "main", memory.key),
        ("", "main", memory.id),
    ):
        other = await kept.open(id=id, user=user, base=base)
        assert not other.resumed and other.id != memory.id and other.messages() == ()
    assert len(memory.id) >= 16 and memory.id.encode() not in (tmp_path / "memory.sqlite-wal").read_bytes()
    found = await kept.conversation(memory.id)
    assert found and found.user == "u" and await kept.conversation("x") is await kept.conversation(memory.key) is None
    await kept.aclose()


async def test_a_client_may_come_back_before_its_old_connection_is_over(tmp_path: Path) -> None:
    kept = memories(tmp_path)
    old = await kept.open(user="u")
    old.answered(1, "q1", said("One."))
    new = await kept.open(id=old.id, user="u")
    assert [one.asked for one in new.exchanges] == ["q1"], "also what was not written yet"
    old.answered(2, "late", said("Late."))
    new.answered(1, "q2", said("Two."))
    await kept.aclose()
    assert await _reopened(tmp_path, new.id, "u") == ["q1", "One.", "q2", "Two."]


@pytest.mark.parametrize("lang", TOLD)
async def test_nobody_is_remembered_without_the_operator_and_their_own_consent(tmp_path: Path, lang: Lang) -> None:
    statement, question, answer = TOLD[lang]
    for settings_, user, agrees in ((MemorySettings(), "u", True), (OPEN, "u", False), (OPEN, "", True)):
        kept = Memories(SqliteRecords(tmp_path / f"{time.monotonic_ns()}"), settings_, 3)
        memory = await kept.open(user=user)
        if agrees:
            assert not await memory.consent(True)
        memory.answered(1, statement, said("好的。"))
        assert answer in (await memory.reply(question, lang) or ""), "within the conversation it is known"
        later = await kept.open(user=user)
        assert answer not in (await later.reply(question, lang) or "")
        assert (await later.recall(question, lang)).facts == ()
        await kept.aclose()


@pytest.mark.parametrize("lang", TOLD)
async def test_a_user_who_agreed_is_remembered_until_they_no_longer_agree(tmp_path: Path, lang: Lang) -> None:
    statement, question, answer = TOLD[lang]
    kept = memories(tmp_path)
    memory = await kept.open(user="u")
    assert await memory.consent(True)
    memory.answered(1, statement, said("好的。"))
    await memory.settled()
    later = await kept.open(user="u")
    assert later.remembers and answer in (await later.reply(question, lang) or "")
    recalled = await later.recall(question, lang)
    assert any(answer in line and time.strftime("%Y-") in line for line in recalled.lines)
    assert not await later.consent(False)
    assert not memory.remembers and (await kept.dossier("u")).facts == ()
    memory.answered(2, statement, said("好的。"))
    await memory.settled()
    assert (await kept.dossier("u")).facts == ()
    await kept.aclose()


@pytest.mark.parametrize(
    ("lang", "all_of_it", "show"),
    [
        ("zh", "请忘掉我说过的一切。", "你还记得我什么？"),
        ("en", "Please forget everything about me.", "What do you remember about me?"),
    ],
)
async def test_memory_is_asked_for_and_forgotten_by_word_of_mouth(
    tmp_path: Path, lang: Lang, all_of_it: str, show: str
) -> None:
    statement, question, answer = TOLD[lang]
    kept = memories(tmp_path)
    memory = await kept.open(user="u")
    await memory.consent(True)
    memory.answered(1, statement, said("好的。"))
    assert answer in (await memory.reply(show, lang) or "")
    one = "忘掉我女儿的名字" if lang == "zh" else "Forget my daughter's name"
    assert await memory.reply(one, lang) and answer not in (await memory.reply(show, lang) or "")
    assert traces(tmp_path, answer) == []
    memory.answered(2, statement, said("好的。"))
    assert await memory.reply(all_of_it, lang)
    assert memory.messages() == () and traces(tmp_path, answer) == []
    assert answer not in (await memory.reply(question, lang) or "") and not memory.remembers
    await kept.aclose()


@pytest.mark.parametrize("lang", TOLD)
async def test_a_forgotten_user_leaves_no_trace_in_any_file(
    tmp_path: Path, lang: Lang, caplog: pytest.LogCaptureFixture
) -> None:
    """What was told, told back, summarised, cut short, still waiting to be written, and being made meanwhile."""
    statement, question, answer = TOLD[lang]
    caplog.set_level(0)
    kept = Memories(
        SqliteRecords(tmp_path / "memory.sqlite"), MemorySettings(long_term=True, summarise_after=200), 3, scripted()
    )
    memory = await kept.open(user="u", lang=lang)
    other = await kept.open(user="v", lang=lang)
    await memory.consent(True)
    for turn in range(1, 30):
        reply = await memory.reply(question, lang) or "…"
        memory.answered(turn, f"{statement} {turn}", said(f"{reply} {answer}"))
        other.answered(turn, f"q{turn}", said("Something else. " * 20))
        await asyncio.sleep(0)
    await memory.settled()
    assert traces(tmp_path, answer) != []
    memory.answered(30, statement, said(answer))
    await kept.forget("u")
    await until_over("memory")
    await memory.settled()
    assert traces(tmp_path, answer) == []
    assert (await kept.dossier("u")).conversations == () and len(other.exchanges) > 0
    memory.answered(31, "q", said("a"))
    await kept.aclose()
    assert traces(tmp_path, answer) == [] and answer not in caplog.text
    assert (await _reopened(tmp_path, memory.id, "u")) == ["q", "a"]


async def _reopened(folder: Path, id: str, user: str) -> list[str]:
    kept = memories(folder)
    memory = await kept.open(id=id, user=user)
    await kept.aclose()
    return [message.text for message in memory.messages()]


async def test_one_fact_is_forgotten_with_every_exchange_that_speaks_of_it(tmp_path: Path) -> None:
    kept = memories(tmp_path)
    memory = await kept.open(user="u")
    await memory.consent(True)
    memory.answered(1, "我住在杭州西湖区。", said("好的。"))
    memory.answered(2, "我叫李雷。", said("您好。"))
    memory.answered(3, "我住在哪里？", said(await memory.reply("我住在哪里？", "zh") or ""))
    later = await kept.open(user="u")
    later.answered(1, "我说过，我住在杭州西湖区，对吧。", said("对。"))
    later.answered(2, "我住在杭州西湖区。", said("对。"))
    facts = (await kept.dossier("u")).facts
    assert {fact.text for fact in facts} >= {"我住在杭州西湖区", "我叫李雷"}
    home = next(fact for fact in facts if "杭州" in fact.text)
    assert not await kept.forget_fact("v", home.id) and await kept.forget_fact("u", home.id)
    assert not await kept.forget_fact("u", home.id)
    assert traces(tmp_path, "住在杭州") == [] and [one.asked for one in memory.exchanges] == ["我叫李雷。"]
    assert [fact.text for fact in (await kept.dossier("u")).facts] == ["我叫李雷"]
    await kept.aclose()


async def test_old_conversations_and_facts_are_erased_daily(tmp_path: Path) -> None:
    now = time.time()
    kept = Memories(
        SqliteRecords(tmp_path / "m.sqlite"), MemorySettings(long_term=True, days=1, facts_days=3), 3, clock=lambda: now
    )
    memory = await kept.open(user="u")
    await memory.consent(True)
    memory.answered(1, "我叫李雷。", said("您好。"))
    await memory.settled()
    assert await kept.retain() == 0
    now += 2 * DAY
    async with kept.retaining(every=0.01), asyncio.timeout(PATIENCE):
        while (await kept.dossier("u")).conversations:
            await asyncio.sleep(0.01)
    assert (await kept.dossier("u")).conversations == () and len((await kept.dossier("u")).facts) == 1
    now += 2 * DAY
    assert await kept.retain() == 1 and traces(tmp_path, "李雷") == []
    await kept.aclose()


async def test_a_long_conversation_is_summarised_and_the_summary_is_kept(tmp_path: Path) -> None:
    settings_ = MemorySettings(summarise_after=200)
    kept = Memories(SqliteRecords(tmp_path / "m.sqlite"), settings_, 3, scripted(answer="游客问了展览和票价。"))
    memory = await kept.open(user="u")
    for turn in range(1, 21):
        memory.answered(turn, f"第{turn}个问题：这里有什么展览？", said("一楼是海洋馆，二楼是天文馆，三楼是机器人馆。"))
        await until_over("memory")
    recalled = await memory.recall("还有呢？", "zh")
    assert recalled.summary == "游客问了展览和票价。" and 2 <= len(recalled.history) < 30
    assert recalled.history[-2].text.startswith("第20个")
    await kept.aclose()
    second = Memories(SqliteRecords(tmp_path / "m.sqlite"), settings_, 3)
    resumed = await second.open(id=memory.id, user="u")
    assert await resumed.recall("还有呢？", "zh") == recalled
    await second.aclose()


@pytest.mark.parametrize("model", [BreakingModel("游客"), scripted(answer="")])
async def test_where_the_model_cannot_summarise_its_first_sentences_do(tmp_path: Path, model: BreakingModel) -> None:
    kept = Memories(SqliteRecords(tmp_path / "m.sqlite"), MemorySettings(summarise_after=200), 3, model)
    memory = await kept.open(user="u")
    for turn in range(1, 11):
        memory.answered(
            turn, f"Question {turn}: what is on the first floor?", said("The sea hall. It opened in 2019. " * 3)
        )
        await until_over("memory")
    summary = (await memory.recall("And then?", "en")).summary
    assert "The sea hall." in summary and "2019" not in summary and "Question" in summary
    await kept.aclose()


async def test_what_is_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    chance = random.Random(7)
    for trial in range(4):
        folder = tmp_path / str(trial)
        with subprocess.Popen(
            [sys.executable, "-m", "tests.agent.acknowledging", str(folder)], stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None
            id = child.stdout.readline().strip()
            lines = [child.stdout.readline() for _ in range(chance.randrange(1, 60))]
            await asyncio.sleep(chance.random() * 0.01)
            child.kill()
            safe = int([*lines, *child.stdout.read().split()][-1])
        kept = memories(folder)
        memory = await kept.open(id=id, user="visitor")
        found = {one.turn: one for one in memory.exchanges}
        dossier = await kept.dossier("visitor")
        first = min(found)
        assert all(turn in found for turn in range(max(first, 1), safe + 1)) and max(found) <= safe + 1
        assert all(found[turn].heard == ("" if turn % 3 == 0 else f"Answer {turn}.") for turn in range(first, safe + 1))
        assert {fact.turn for fact in dossier.facts} >= set(range(1, safe + 1))
        await kept.aclose()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def full(path: Path) -> Iterator[None]:
    """No file of this process may grow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("trouble", [locked, full])
async def test_while_it_cannot_be_written_the_conversation_goes_on_and_is_written_later(
    tmp_path: Path, trouble: object
) -> None:
    kept = memories(tmp_path)
    memory = await kept.open(user="u")
    await memory.consent(True)
    memory.answered(1, "我叫李雷。", said("您好。"))
    await memory.settled()
    with trouble(tmp_path / "memory.sqlite"):  # type: ignore[operator]
        memory.answered(2, "我住在杭州。", said("好的。"))
        memory.cut(2, 0.0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.6):
                await memory.settled()
        await until(lambda: kept.state().trouble is not None)
        state = kept.state()
        assert state.pending >= 3 and state.trouble is not None and "李雷" not in state.trouble and state.lost == 0
        async with asyncio.timeout(PATIENCE):
            assert "杭州" in (await memory.reply("我住在哪里？", "zh") or "")
            assert len((await memory.recall("我住在哪里？", "zh")).history) == 2
        assert await memory.reply("忘掉我的名字", "zh") == "抱歉，我现在删除不了，请稍后再说一次。"
        new = await kept.open(user="w")
        new.answered(1, "q", said("a"))
    await memory.settled()
    assert kept.state().pending == 0 and kept.state().trouble is None
    await kept.aclose()
    assert await _reopened(tmp_path, new.id, "w") == ["q", "a"]


async def test_a_full_disk_is_told_and_written_to_when_there_is_room(tmp_path: Path) -> None:
    records = SqliteRecords(tmp_path / "m.sqlite")
    kept = Memories(records, OPEN, 3)
    memory = await kept.open(user="u")
    await records._call(lambda db: db.execute("PRAGMA max_page_count = 20"))
    for turn in range(1, 60):
        memory.answered(turn, f"第{turn}个问题", said("很长的回答。" * 400))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await memory.settled()
    await until(lambda: kept.state().trouble is not None)
    assert (kept.state().trouble or "").startswith("full: ") and kept.state().lost == 0
    await records._call(lambda db: db.execute("PRAGMA max_page_count = 4000000"))
    await memory.settled()
    assert len((await kept.dossier("u")).conversations[0].exchanges) == 59
    await kept.aclose()


async def test_what_waits_is_bounded_and_what_is_given_up_is_told(tmp_path: Path) -> None:
    journal = Journal(SqliteRecords(tmp_path / "m.sqlite"))
    entries = [Exchange("c", turn, "q", "a", "en", 1.0) for turn in range(10_100)]
    journal.put("u", *entries)
    assert journal.state().pending == 10_000 and journal.state().lost == 100
    await journal.settled()
    journal.put("u", *entries)
    with pytest.raises(RecordsError):
        await asyncio.gather(journal.settled(), _put_too_many(journal, entries))
    await journal.aclose(1.0)


async def _put_too_many(journal: Journal, entries: Sequence[Exchange]) -> None:
    journal.put("u", *entries)


async def test_a_file_that_cannot_be_opened_is_told_and_nothing_else_fails(tmp_path: Path) -> None:
    (tmp_path / "memory.sqlite").write_bytes(b"not a database at all" * 100)
    kept = memories(tmp_path)
    memory = await kept.open(user="u")
    memory.answered(1, "我叫李雷。", said("您好。"))
    await until(lambda: kept.state().trouble is not None)
    assert memory.messages()[1].text == "您好。"
    with pytest.raises(RecordsError):
        await kept.dossier("u")
    await asyncio.wait_for(kept.aclose(), PATIENCE)


@pytest.mark.skipif(programs() is None, reason=MISSING)
async def test_postgresql_may_crash_and_come_back(tmp_path: Path) -> None:
    with cluster() as postgres:
        kept = Memories(PostgresRecords(postgres.database("zhubo")), OPEN, 3)
        memory = await kept.open(user="u")
        memory.answered(1, "我叫李雷。", said("您好。"))
        await memory.settled()
        await asyncio.to_thread(postgres.stop)
        memory.answered(2, "My name is Emily.", said("Hello."))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await memory.settled()
        assert kept.state().pending and len(memory.messages()) == 4
        await asyncio.to_thread(postgres.start)
        async with asyncio.timeout(PATIENCE):
            await memory.settled()
        assert kept.state().trouble is None
        again = await kept.open(id=memory.id, user="u")
        assert [one.asked for one in again.exchanges] == ["我叫李雷。", "My name is Emily."]
        await kept.aclose()


async def test_vectors_find_what_words_do_not_and_may_fail(tmp_path: Path) -> None:
    class Meaning(Hashing):
        """Knows that a sport is asked for, by one word of each language."""

        def embed(self, texts: Sequence[str], role: Role) -> Vectors:
            if any("fail" in text for text in texts):
                raise EmbedderError("out of memory")
            return super().embed([text.replace("exercise", "chess").replace("锻炼", "chess") for text in texts], role)

    embedding = Embedding(Meaning(Hashing.Options(), HOME))
    kept = Memories(SqliteRecords(tmp_path / "m.sqlite"), OPEN, 3, embedding=embedding)
    memory = await kept.open(user="u")
    await memory.consent(True)
    for turn, name in enumerate(("chess", "tea", "Rome", "jazz", "snow", "plums", "fail"), 1):
        memory.answered(turn, f"I adore {name}.", said("…"))
    await until_over("memory")
    await memory.settled()
    facts = (await kept.dossier("u")).facts
    assert [bool(fact.vector) for fact in facts if "fail" in fact.text] == [False]
    assert all(fact.embedder == embedding.identity for fact in facts if "fail" not in fact.text)
    later = await kept.open(user="u")
    for question, lang in (("What exercise?", "en"), ("锻炼", "zh")):
        assert [fact.text for fact in (await later.recall(question, lang)).facts][:1] == ["I adore chess"]  # type: ignore[arg-type]
    assert (await later.recall("fail to find tea", "en")).facts[-1].text == "I adore tea"
    await kept.aclose()
    embedding.close()


USERS = ("alice", "museum:alice")
SECRETS = {
    user: {lang: f"{word}{n}" for lang, word in (("zh", "钥匙"), ("en", "token"))} for n, user in enumerate(USERS)
}
SAYS: dict[Lang, str] = {"zh": "我的暗号是{}。", "en": "My watchword is {}."}
ASKS: dict[Lang, str] = {"zh": "我的暗号是什么？", "en": "What is my watchword?"}


class Isolation(RuleBasedStateMachine):
    """Two users, whatever they do and in whatever order: neither ever sees a word of the other's."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.kept = memories(Path(self.folder.name))
        self.open = {user: [self.run(self.kept.open(user=user))] for user in USERS}
        for user in USERS:
            self.run(self.open[user][0].consent(True))
        self.turn = 0

    def run(self, coroutine):  # type: ignore[no-untyped-def]
        return self.runner.run(coroutine)

    @rule(user=st.sampled_from(USERS), given=st.booleans())
    def agree(self, user: str, given: bool) -> None:
        self.run(self.open[user][-1].consent(given))

    @rule(user=st.sampled_from(USERS), lang=st.sampled_from(("zh", "en")))
    def tell(self, user: str, lang: Lang) -> None:
        self.turn += 1

        async def tell() -> None:
            secret = SECRETS[user][lang]
            self.open[user][-1].answered(self.turn, SAYS[lang].format(secret), said(f"Noted: {secret}"))
            await self.open[user][-1].settled()

        self.run(tell())

    @rule(user=st.sampled_from(USERS))
    def come_again(self, user: str) -> None:
        self.open[user].append(self.run(self.kept.open(user=user)))

    @rule(user=st.sampled_from(USERS), other=st.sampled_from(USERS))
    def go_on(self, user: str, other: str) -> None:
        memory = self.run(self.kept.open(id=self.open[other][-1].id, user=user))
        assert user == other or not memory.resumed
        self.open[user].append(memory)

    @rule(user=st.sampled_from(USERS))
    def forget(self, user: str) -> None:
        self.run(self.kept.forget(user))
        assert self.run(self.kept.dossier(user)).facts == ()

    @rule(user=st.sampled_from(USERS), lang=st.sampled_from(("zh", "en")))
    def forget_one(self, user: str, lang: Lang) -> None:
        self.run(self.open[user][-1].reply("忘掉我的暗号" if lang == "zh" else "Forget my watchword", lang))

    @rule(user=st.sampled_from(USERS), lang=st.sampled_from(("zh", "en")))
    def ask(self, user: str, lang: Lang) -> None:
        memory = self.open[user][-1]
        recalled = self.run(memory.recall(ASKS[lang], lang))
        self.sees(user, (self.run(memory.reply(ASKS[lang], lang)), recalled, self.run(self.kept.dossier(user))))

    @invariant()
    def nobody_sees_the_other(self) -> None:
        for user, memories_ in self.open.items():
            self.sees(user, [memory.messages() for memory in memories_])

    def sees(self, user: str, what: object) -> None:
        for other in USERS:
            assert other == user or not any(secret in repr(what) for secret in SECRETS[other].values())

    def teardown(self) -> None:
        self.run(self.kept.aclose())
        self.runner.close()
        self.folder.cleanup()


Isolation.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestIsolation = Isolation.TestCase


@pytest.mark.parametrize("lang", TOLD)
async def test_what_was_told_in_one_conversation_is_answered_in_another(lang: Lang) -> None:
    score = await measure(lang)
    assert score.told == score.cases == 20 and score.recalled >= 19 and score.answered >= 19, score.missed


def test_the_id_of_a_conversation_cannot_be_read_from_the_records() -> None:
    assert key_of("a") != key_of("b") and "secret" not in key_of("secret")
