"""Who is named as the producer in the AIGC labels of what is generated (GB 45438-2025)."""

from pydantic import Field, SecretStr

from configs.section import Section


class LabelSettings(Section):
    """`producer`: the provider's name, or its code as the TC260 guide on provider coding gives it.

    `key`: with it the label's integrity code is an HMAC that only its holder can make; without it, a plain SHA-256.
    """

    producer: str = Field(default="Zhubo", min_length=1, max_length=200)
    key: SecretStr | None = None
