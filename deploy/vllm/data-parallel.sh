#!/usr/bin/env bash
# One address before several copies of the model, a copy on each GPU (or on TENSOR GPUs).
# One machine: COPIES. More machines: ADDRESS is the first one's, LOCAL the copies on this one; the others are also given
# FIRST, the number of their first copy, and serve no HTTP.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=flags.sh
source "$(dirname "$0")/flags.sh"

flags+=(--data-parallel-size "${COPIES:-2}" --tensor-parallel-size "${TENSOR:-1}")
if [ -n "${ADDRESS:-}" ]; then
  flags+=(--data-parallel-size-local "${LOCAL:?copies on this machine}")
  flags+=(--data-parallel-address "$ADDRESS" --data-parallel-rpc-port "${RPC_PORT:-13345}")
fi
if [ -n "${FIRST:-}" ]; then
  flags+=(--headless --data-parallel-start-rank "$FIRST")
else
  flags+=(--api-server-count "${API_SERVERS:-1}")
fi
exec vllm serve "$MODEL" "${flags[@]}" "$@"
