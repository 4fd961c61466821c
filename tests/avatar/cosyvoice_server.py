"""A loopback stand-in for CosyVoice's own server: the same paths, forms and framework; squares for speech."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

import uvicorn
from fastapi import FastAPI, File, Form, UploadFile
from fastapi.responses import PlainTextResponse, StreamingResponse

Text = Annotated[str, Form()]
Recording = Annotated[UploadFile, File()]
Mode = Literal["ok", "page", "breaks off"]
SPEAKERS = ("中文女", "英文女", "中文男")


class CosyVoiceServer:
    """`asked` collects path and form of each request. A speaker that the model does not have ends the answer before its
    first byte, as there. The rest of a sound comes once `more` is set; `gone`: a client left before."""

    def __init__(self, mode: Mode = "ok") -> None:
        self.mode, self.asked = mode, list[tuple[str, dict[str, Any]]]()
        self.more, self.gone = asyncio.Event(), asyncio.Event()
        self.more.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        config = uvicorn.Config(self._app(), host="127.0.0.1", port=0, log_level="critical", lifespan="off", ws="none")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        finally:
            self.more.set()
            server.should_exit = True
            await serving

    def _app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/inference_sft")
        async def sft(tts_text: Text, spk_id: Text) -> Any:
            return self._answer("sft", tts_text, spk_id=spk_id)

        @app.post("/inference_zero_shot")
        async def zero_shot(tts_text: Text, prompt_text: Text, prompt_wav: Recording) -> Any:
            return self._answer("zero_shot", tts_text, prompt_text=prompt_text, prompt_wav=await prompt_wav.read())

        @app.post("/inference_cross_lingual")
        async def cross_lingual(tts_text: Text, prompt_wav: Recording) -> Any:
            return self._answer("cross_lingual", tts_text, prompt_wav=await prompt_wav.read())

        @app.post("/inference_instruct")
        async def instruct(tts_text: Text, spk_id: Text, instruct_text: Text) -> Any:
            return self._answer("instruct", tts_text, spk_id=spk_id, instruct_text=instruct_text)

        @app.post("/inference_instruct2")
        async def instruct2(tts_text: Text, instruct_text: Text, prompt_wav: Recording) -> Any:
            wav = await prompt_wav.read()
            return self._answer("instruct2", tts_text, instruct_text=instruct_text, prompt_wav=wav)

        return app

    def _answer(self, path: str, tts_text: str, **form: Any) -> Any:
        self.asked.append((path, {"tts_text": tts_text, **form}))
        if self.mode == "page":
            return PlainTextResponse("CosyVoice")
        return StreamingResponse(self._sound(tts_text, form.get("spk_id", SPEAKERS[0])))

    async def _sound(self, text: str, speaker: str) -> AsyncIterator[bytes]:
        if speaker not in SPEAKERS:
            return
        sound = (b"\x00\x20" * 40 + b"\x00\xe0" * 40) * 15 * len(text)
        try:
            yield sound[:4801]
            await self.more.wait()
            if self.mode == "breaks off":
                raise ConnectionError
            yield sound[4801:]
        except asyncio.CancelledError:
            self.gone.set()
            raise
