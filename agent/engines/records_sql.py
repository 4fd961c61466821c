"""The layout of the records and every statement on it, which SQLite and PostgreSQL have in common.

`$1` is the first argument; SQLite calls it `?1`. `{real}`, `{blob}` and `{strict}` are named by each engine.
"""

from collections.abc import Sequence
from typing import Any

from agent.memory.records import (
    Consent,
    Conversation,
    Entry,
    Erasure,
    Exchange,
    Fact,
    Heard,
    Summary,
    Tally,
    Vector,
)

VERSION = 1
TABLES = ("conversation", "exchange", "summary", "fact", "consent")
SCHEMA = (
    "CREATE TABLE conversation (key TEXT PRIMARY KEY, owner TEXT NOT NULL, persona TEXT NOT NULL, base TEXT NOT NULL,"
    " lang TEXT NOT NULL, started {real} NOT NULL, last {real} NOT NULL) {strict}",
    "CREATE INDEX conversation_of ON conversation(owner)",
    "CREATE TABLE exchange (conversation TEXT NOT NULL, turn INTEGER NOT NULL, asked TEXT NOT NULL,"
    " heard TEXT NOT NULL, lang TEXT NOT NULL, at {real} NOT NULL, PRIMARY KEY (conversation, turn)) {strict}",
    "CREATE TABLE summary (conversation TEXT PRIMARY KEY, upto INTEGER NOT NULL, text TEXT NOT NULL,"
    " lang TEXT NOT NULL, at {real} NOT NULL) {strict}",
    "CREATE TABLE fact (id TEXT PRIMARY KEY, owner TEXT NOT NULL, key TEXT NOT NULL, text TEXT NOT NULL,"
    " lang TEXT NOT NULL, said {real} NOT NULL, conversation TEXT NOT NULL, turn INTEGER NOT NULL,"
    " vector {blob} NOT NULL, embedder TEXT NOT NULL, UNIQUE (owner, key)) {strict}",
    "CREATE TABLE consent (owner TEXT PRIMARY KEY, given INTEGER NOT NULL, at {real} NOT NULL) {strict}",
)

Statement = tuple[str, tuple[Any, ...]]
Row = Sequence[Any]


def written(entry: Entry) -> Statement:
    match entry:
        case Conversation(key, user, persona, base, lang, started, last):
            return (
                "INSERT INTO conversation VALUES ($1, $2, $3, $4, $5, $6, $7)"
                " ON CONFLICT (key) DO UPDATE SET lang = excluded.lang, last = excluded.last",
                (key, user, persona, base, lang, started, last),
            )
        case Exchange(conversation, turn, asked, heard, lang, at):
            return (
                "INSERT INTO exchange VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (conversation, turn) DO UPDATE SET"
                " asked = excluded.asked, heard = excluded.heard, lang = excluded.lang, at = excluded.at",
                (conversation, turn, asked, heard, lang, at),
            )
        case Heard(conversation, turn, heard):
            return (
                "UPDATE exchange SET heard = $3 WHERE conversation = $1 AND turn = $2",
                (conversation, turn, heard),
            )
        case Summary(conversation, upto, text, lang, at):
            return (  # of exchanges that were forgotten meanwhile there is none
                "INSERT INTO summary SELECT $1, $2, $3, $4, CAST($5 AS DOUBLE PRECISION)"
                " FROM exchange WHERE conversation = $1 AND turn = $2"
                " ON CONFLICT (conversation) DO UPDATE SET upto = excluded.upto, text = excluded.text,"
                " lang = excluded.lang, at = excluded.at",
                (conversation, upto, text, lang, at),
            )
        case Fact(id, user, key, text, lang, said, conversation, turn, vector, embedder):
            return (
                "INSERT INTO fact VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (owner, key)"
                " DO UPDATE SET text = excluded.text, lang = excluded.lang, said = excluded.said,"
                " conversation = excluded.conversation, turn = excluded.turn, vector = excluded.vector,"
                " embedder = excluded.embedder",
                (id, user, key, text, lang, said, conversation, turn, vector, embedder),
            )
        case Vector(fact, vector, embedder):
            return "UPDATE fact SET vector = $2, embedder = $3 WHERE id = $1", (fact, vector, embedder)
        case Consent(user, given, at):
            return (
                "INSERT INTO consent VALUES ($1, $2, $3)"
                " ON CONFLICT (owner) DO UPDATE SET given = excluded.given, at = excluded.at",
                (user, int(given), at),
            )


def erased(erasure: Erasure) -> list[Statement]:
    statements: list[Statement] = []
    for user in erasure.users:
        statements += [
            *_parts("IN (SELECT key FROM conversation WHERE owner = $1)", user),
            *((f"DELETE FROM {table} WHERE owner = $1", (user,)) for table in ("conversation", "fact", "consent")),
        ]
    for key in erasure.conversations:
        statements += [*_parts("= $1", key), ("DELETE FROM conversation WHERE key = $1", (key,))]
    statements += [("DELETE FROM fact WHERE id = $1", (id,)) for id in erasure.facts]
    statements += [("DELETE FROM exchange WHERE conversation = $1 AND turn = $2", one) for one in erasure.exchanges]
    statements += [("DELETE FROM summary WHERE conversation = $1", (key,)) for key in erasure.summaries]
    return statements


def expired(conversations: float, facts: float) -> list[Statement]:
    return [
        *_parts("IN (SELECT key FROM conversation WHERE last < $1)", conversations),
        ("DELETE FROM conversation WHERE last < $1", (conversations,)),
        ("DELETE FROM fact WHERE said < $1", (facts,)),
    ]


def stale(conversations: float, facts: float) -> Statement:
    """How many conversations and facts `expired` would delete."""
    return (
        "SELECT (SELECT COUNT(*) FROM conversation WHERE last < $1) + (SELECT COUNT(*) FROM fact WHERE said < $2)",
        (conversations, facts),
    )


def _parts(which: str, argument: Any) -> list[Statement]:
    return [(f"DELETE FROM {table} WHERE conversation {which}", (argument,)) for table in ("exchange", "summary")]


ONE_CONVERSATION = "SELECT key, owner, persona, base, lang, started, last FROM conversation WHERE key = $1"
CONVERSATIONS = (
    "SELECT key, owner, persona, base, lang, started, last FROM conversation WHERE owner = $1 ORDER BY last DESC, key"
)
EXCHANGES = (
    "SELECT conversation, turn, asked, heard, lang, at FROM exchange"
    " WHERE conversation = $1 AND turn > $2 ORDER BY turn"
)
SUMMARY = "SELECT conversation, upto, text, lang, at FROM summary WHERE conversation = $1"
FACTS = (
    "SELECT id, owner, key, text, lang, said, conversation, turn, vector, embedder FROM fact WHERE owner = $1"
    " ORDER BY said DESC, id"
)
CONSENT = "SELECT owner, given, at FROM consent WHERE owner = $1"
USERS = """
SELECT owner, SUM(conversations), SUM(facts), MAX(given), MAX(last) FROM (
    SELECT owner, COUNT(*) AS conversations, 0 AS facts, 0 AS given, MAX(last) AS last FROM conversation GROUP BY owner
    UNION ALL SELECT owner, 0, COUNT(*), 0, MAX(said) FROM fact GROUP BY owner
    UNION ALL SELECT owner, 0, 0, given, at FROM consent
) AS counted GROUP BY owner ORDER BY owner
"""


def conversation(row: Row) -> Conversation:
    return Conversation(*row)


def exchange(row: Row) -> Exchange:
    return Exchange(*row)


def summary(row: Row) -> Summary:
    return Summary(*row)


def fact(row: Row) -> Fact:
    id, user, key, text, lang, said, conversation, turn, vector, embedder = row
    return Fact(id, user, key, text, lang, said, conversation, turn, bytes(vector), embedder)


def consent(row: Row) -> Consent:
    return Consent(row[0], bool(row[1]), row[2])


def tally(row: Row) -> Tally:
    return Tally(row[0], int(row[1]), int(row[2]), bool(row[3]), row[4])
