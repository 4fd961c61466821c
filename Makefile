# `make run`: a talking presenter at http://127.0.0.1:8000. `make test`: everything checked and tested.
# `make test-extras`: engines that need torch or OpenCV, in an environment of their own (1.3 GB).
# `make test-vllm`: the agent on a real vLLM server, in an environment of its own (3 GB, ten minutes the first time).
# ARGS adds arguments: `make run ARGS="--port 9000"`, `make bench ARGS="--harness PATH"`.
BIN := .venv/bin
READY := .venv/.ready
EXTRAS := .venv-extras/.ready
VLLM := .venv-vllm/.ready
LOCKED := --extra offline --extra chroma --extra langchain --extra mcp --extra postgres --extra edge --extra opus --group dev

.PHONY: run test test-extras test-vllm check bench models lock clean

run: models
	@$(BIN)/zhubo serve $(ARGS)

test: check models
	@scripts/system test
	@$(BIN)/pytest $(ARGS)

test-extras: $(EXTRAS)
	@HF_HUB_OFFLINE=1 .venv-extras/bin/python -m pytest tests/extras $(ARGS)

test-vllm: $(VLLM) models
	@$(BIN)/python -m pytest -s tests/vllm $(ARGS)

check: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/pytest -q tests/test_architecture.py

bench: models
	@$(BIN)/python -m tests.bench.run $(ARGS)

models: $(READY)
	@scripts/system run
	@$(BIN)/zhubo models pull

lock:
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 $(LOCKED) --generate-hashes --upgrade \
		--no-emit-index-url --no-annotate --custom-compile-command "make lock" --quiet --output-file requirements.lock

clean:
	rm -rf .venv .venv-clients .venv-extras .venv-vllm .mypy_cache .pytest_cache .ruff_cache .hypothesis dist

$(READY): pyproject.toml requirements.lock scripts/environment
	@scripts/environment

$(EXTRAS): $(READY) requirements-extras.lock scripts/extras
	@scripts/extras

$(VLLM): $(READY) requirements-vllm.lock scripts/vllm
	@scripts/vllm
