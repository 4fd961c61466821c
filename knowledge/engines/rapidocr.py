"""RapidOCR: printed Chinese and English on onnxruntime; its models are in its package."""

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from configs.engines import Options
from configs.home import Home
from knowledge.ocr import OcrError, Picture, Written


class RapidOcrOptions(Options):
    threads: int = Field(default=1, ge=1)
    confidence: float = Field(default=0.5, ge=0, le=1)
    """Lines that the model is less sure of are left out."""


class RapidOcr:
    Options = RapidOcrOptions

    def __init__(self, options: RapidOcrOptions, home: Home) -> None:
        from rapidocr import RapidOCR

        self._engine: Any = RapidOCR(
            params={
                "Global.log_level": "critical",
                "Global.text_score": options.confidence,
                "EngineConfig.onnxruntime.intra_op_num_threads": options.threads,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            }
        )

    def lines(self, picture: Picture) -> Sequence[Written]:
        try:
            found = self._engine(picture[:, :, ::-1])
        except Exception as error:  # noqa: BLE001 - the library raises whatever its layers do
            raise OcrError(f"{type(error).__name__}: {error}") from error
        if found.txts is None:
            return []
        return [_written(corners, text) for corners, text in zip(found.boxes.tolist(), found.txts, strict=True)]


def _written(corners: Sequence[Sequence[float]], text: str) -> Written:
    across, down = [point[0] for point in corners], [point[1] for point in corners]
    return Written(text, min(across), min(down), max(across), max(down))
