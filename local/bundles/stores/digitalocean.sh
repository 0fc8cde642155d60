#!/usr/bin/env bash
# The managed stores on DigitalOcean: `digitalocean.sh create|remove [--dry-run]`; KAFKA=yes makes a Kafka too.
# shellcheck source-path=SCRIPTDIR source=common.bash
. "$(dirname "$0")/common.bash"

create() {
  local where=(--region "${REGION:-fra1}" --wait)
  run doctl databases create "$name" --engine pg --version 17 --size db-s-1vcpu-1gb --num-nodes 1 "${where[@]}"
  if [ "${KAFKA:-}" = yes ]; then
    run doctl databases create "$name-kafka" --engine kafka --version 3.8 --size db-s-2vcpu-2gb --num-nodes 3 "${where[@]}"
  fi
  echo "The address: doctl databases connection ID; the CA for PG_CA_CERT: doctl databases get-ca ID"
}

remove() {
  for one in "$name" "$name-kafka"; do
    run doctl databases delete "$one" --force
  done
}

asked "$@"
