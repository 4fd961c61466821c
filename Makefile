# `make run`: a talking presenter at http://127.0.0.1:8000. `make test`: everything checked and tested.
# `make test-extras`: engines that need torch or OpenCV, in an environment of their own (1.3 GB).
# ARGS adds arguments: `make run ARGS="--port 9000"`, `make bench ARGS="--harness PATH"`.
BIN := .venv/bin
READY := .venv/.ready
EXTRAS := .venv-extras/.ready
LOCKED := --extra offline --extra chroma --extra langchain --extra edge --group dev

.PHONY: run test test-extras check bench models lock clean

run: models
	@$(BIN)/zhubo serve $(ARGS)

test: check models
	@scripts/system test
	@$(BIN)/pytest $(ARGS)

test-extras: $(EXTRAS)
	@HF_HUB_OFFLINE=1 .venv-extras/bin/python -m pytest tests/extras $(ARGS)

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
	rm -rf .venv .venv-extras .mypy_cache .pytest_cache .ruff_cache .hypothesis dist

$(READY): pyproject.toml requirements.lock scripts/environment
	@scripts/environment

$(EXTRAS): $(READY) requirements-extras.lock scripts/extras
	@scripts/extras
