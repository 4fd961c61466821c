#!/usr/bin/env bash
# One model over several machines: each machine but the first. HEAD: the first one's address; ADDRESS: this one's.
set -euo pipefail
export VLLM_HOST_IP="${ADDRESS:?the address by which the other machines reach this one}"
exec ray start --address "${HEAD:?the address of the machine that runs ray-head.sh}:${RAY_PORT:-6379}" \
  --node-ip-address "$ADDRESS" --block
