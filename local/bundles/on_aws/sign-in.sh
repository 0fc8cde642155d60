#!/usr/bin/env bash
# For a workflow of GitHub's: its identity, where AWS's tools look for it ($AWS_WEB_IDENTITY_TOKEN_FILE, $AWS_ROLE_ARN).
set -euo pipefail
umask 077
curl -fsS -H "Authorization: bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" \
  "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=sts.amazonaws.com" |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["value"], end="")' >"$AWS_WEB_IDENTITY_TOKEN_FILE"
