"""Small data of both languages in both formats."""

from pathlib import Path

import orjson

ARTICLES = {
    "海港科学馆": {
        "周二至周日上午九点半开馆，下午五点闭馆。": [("科学馆几点开馆？", "九点半"), ("下午几点闭馆？", "五点")],
        "成人票每张六十元，儿童票每张三十元。": [("成人票多少钱？", "六十元")],
    },
    "Observatory": {
        "The dome opens at nine on clear nights.": [
            ("When does the dome open?", "nine"),
            ("Is it open?", "clear nights"),
        ],
        "A guided tour costs forty yuan and lasts an hour.": [("How much is a guided tour?", "forty yuan")],
    },
}


def squad(path: Path, *titles: str, impossible: str | None = None) -> Path:
    """A SQuAD file of these articles; the question `impossible` cannot be answered from any."""
    data = []
    for title in titles or ARTICLES:
        paragraphs = [{"context": text, "qas": list(map(_asked, asked))} for text, asked in ARTICLES[title].items()]
        data.append({"title": title, "paragraphs": paragraphs})
    if impossible:
        data[0]["paragraphs"][0]["qas"].append({**_asked((impossible, "")), "answers": [], "is_impossible": True})
    path.write_bytes(orjson.dumps({"version": "1.1", "data": data}))
    return path


def lines(path: Path, *rows: dict[str, object]) -> Path:
    path.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    return path


def _asked(pair: tuple[str, str]) -> dict[str, object]:
    question, answer = pair
    return {"id": question, "question": question, "answers": [{"text": answer, "answer_start": 0}]}
