#!/usr/bin/env bash
# One server on one GPU. Several GPUs and a model that fits on one: start one of these for each, with another PORT and
# CUDA_VISIBLE_DEVICES, and list them all under `endpoints`.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=flags.sh
source "$(dirname "$0")/flags.sh"
exec vllm serve "$MODEL" "${flags[@]}" "$@"
