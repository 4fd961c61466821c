"""How much one file may hold."""

from dataclasses import dataclass

from knowledge.documents import DocumentError


@dataclass(frozen=True, slots=True)
class FileLimits:
    """Bytes: the largest file, all its content and its markup once unpacked, and the largest Markdown or HTML file.

    `rows`: of all tables or records of a sheet. `pages`: of a PDF. `pixels`: of a picture.
    """

    size: int = 20_000_000
    unpacked: int = 200_000_000
    xml: int = 20_000_000
    markup: int = 5_000_000
    rows: int = 100_000
    pages: int = 5_000
    pixels: int = 50_000_000


def check_size(name: str, size: int, limits: FileLimits) -> None:
    if size > limits.size:
        raise DocumentError(
            "too_large", f"{name} has {size / 1e6:.0f} MB; the limit is {limits.size / 1e6:.0f} MB; split the file"
        )


def check_rows(count: int, limits: FileLimits) -> None:
    if count > limits.rows:
        raise DocumentError("too_large", f"the file has more than {limits.rows} rows; split it")
