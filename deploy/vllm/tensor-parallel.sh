#!/usr/bin/env bash
# One server whose model is cut over the GPUs of this machine: for a model that does not fit on one, or answers too late.
# GPUS: how many; it must divide the model's attention heads.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=flags.sh
source "$(dirname "$0")/flags.sh"
exec vllm serve "$MODEL" "${flags[@]}" --tensor-parallel-size "${GPUS:-2}" "$@"
