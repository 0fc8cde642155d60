#!/usr/bin/env bash
# One release onto AWS as aws.yml says, migrations first: `deploy.sh [--param=…]…`.
# Migrations only add, so what serves meanwhile goes on; the new code would refuse the old schema.
set -euo pipefail
cd "$(dirname "$0")/../../.."
[ -f aws.yml ] || { echo "aws.yml is missing: local/bundles/stores/aws.sh create writes it." >&2 && exit 2; }
migrate=signals-prod-migrate
PATH=$PATH:$PWD/.local/osls/node_modules/.bin

# Only "there is none" means a first deployment: whoever may not look must not deploy before he has migrated.
deployed() {
  local said
  said=$(aws lambda get-function-configuration --function-name "$migrate" 2>&1 >/dev/null) && return
  [[ $said == *ResourceNotFoundException* ]] && return 1
  echo "$said" >&2
  exit 1
}

if deployed; then
  aws lambda update-function-code --function-name "$migrate" --zip-file fileb://dist/aws/migrate.zip >/dev/null
  aws lambda wait function-updated --function-name "$migrate"
  local/bundles/on_aws/migrate.sh
  osls deploy --stage prod "$@"
else
  osls deploy --stage prod "$@"
  local/bundles/on_aws/migrate.sh
fi
