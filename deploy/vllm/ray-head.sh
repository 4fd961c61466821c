#!/usr/bin/env bash
# One model over several machines: the first one. Start ray-worker.sh on the others meanwhile; the server starts once
# NODES machines are there. GPUS: on each machine. The model's layers are cut over machines, its heads over GPUs.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=flags.sh
source "$(dirname "$0")/flags.sh"

NODES="${NODES:-2}"
GPUS="${GPUS:-8}"
export VLLM_HOST_IP="${ADDRESS:?the address by which the other machines reach this one}"

ray start --head --node-ip-address "$ADDRESS" --port "${RAY_PORT:-6379}"
trap 'ray stop' EXIT
python3 - "$NODES" <<'PYTHON'
import sys
import time

import ray

ray.init(address="auto", logging_level="ERROR")
while (there := sum(node["Alive"] for node in ray.nodes())) < int(sys.argv[1]):
    print(f"{there} of {sys.argv[1]} machines are there", file=sys.stderr)
    time.sleep(5)
PYTHON
vllm serve "$MODEL" "${flags[@]}" \
  --distributed-executor-backend ray --tensor-parallel-size "$GPUS" --pipeline-parallel-size "$NODES" "$@"
