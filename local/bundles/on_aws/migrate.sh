#!/usr/bin/env bash
# Have the deployed `migrate` bring the stores up, and fail if it fails: `invoke` alone succeeds when a function does not.
# With nothing to do it changes nothing, and says whether the platform reaches the stores.
set -euo pipefail
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

# The client waits as long as the function may take, and asks once.
failure=$(AWS_MAX_ATTEMPTS=1 aws lambda invoke --function-name signals-prod-migrate --cli-read-timeout 310 \
  --query FunctionError --output text "$answer")
cat "$answer" && echo
[ "$failure" = None ] || { echo "The migrations failed: $failure." >&2 && exit 1; }
