"""What is remembered of conversations, for how long, and where."""

from typing import Literal

from pydantic import Field, SecretStr, field_validator

from configs.section import Section


class MemorySettings(Section):
    """Conversations are kept for `days`. What users say of themselves is kept from one conversation to the next only
    where `long_term` is on, and of those who agree, for `facts_days`."""

    url: SecretStr | None = None
    """`postgresql://user:password@host/database`; without one, an SQLite file in the data folder."""
    long_term: bool = False
    days: float = Field(default=30, gt=0)
    facts_days: float = Field(default=365, gt=0)
    summarise_after: int = Field(default=1500, ge=200)
    """Tokens of a conversation, about, from which on its older half is summarised."""
    summaries: Literal["model", "rules"] = "model"
    """Who summarises. The rules do where the model fails; a model that serves one request at a time is kept from
    questions meanwhile."""
    facts: Literal["rules", "model"] = "rules"
    """Who finds what users say of themselves: `model` is for one that keeps to a JSON schema, beside the rules."""
    recalled: int = Field(default=6, ge=1, le=50)
    """Facts that a prompt is given at most."""

    @field_validator("url")
    @classmethod
    def _names_a_database(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not url.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("only postgresql://user:password@host/database; leave it out for an SQLite file")
        return url
