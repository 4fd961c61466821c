# shellcheck shell=bash
# What every server of these scripts has in common; each variable may be set before. Sourced, not run.

MODEL="${MODEL:-Qwen/Qwen2.5-7B-Instruct}"
HOST="${HOST:-0.0.0.0}"
PORT="${PORT:-8001}"
MAX_MODEL_LEN="${MAX_MODEL_LEN:-8192}"
MAX_NUM_SEQS="${MAX_NUM_SEQS:-64}"
MEMORY="${MEMORY:-0.90}"
TOOL_PARSER="${TOOL_PARSER:-hermes}"

export VLLM_NO_USAGE_STATS=1

if [ -z "${VLLM_API_KEY:-}" ] && [ "$HOST" != 127.0.0.1 ]; then
  echo "set VLLM_API_KEY, or HOST=127.0.0.1: whoever reaches the port can use the model" >&2
  exit 1
fi

# shellcheck disable=SC2034  # used by the scripts that source this one
flags=(
  --host "$HOST" --port "$PORT"
  --max-model-len "$MAX_MODEL_LEN"
  --max-num-seqs "$MAX_NUM_SEQS"
  --gpu-memory-utilization "$MEMORY"
  --enable-prefix-caching
  --generation-config vllm
  --enable-auto-tool-choice --tool-call-parser "$TOOL_PARSER"
  --structured-outputs-config '{"backend": "xgrammar", "disable_any_whitespace": true}'
  --shutdown-timeout 20
)
