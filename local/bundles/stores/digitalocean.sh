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
  local id
  id=$(id_of "$name")
  echo "The address: doctl databases connection $id --format URI --no-header"
  echo "The CA:      doctl databases get-ca $id --format Certificate --no-header > ca.crt"
}

# Each that there is; a database is deleted by its ID alone.
remove() {
  local one id
  for one in "$name" "$name-kafka"; do
    id=$(id_of "$one")
    if [ -n "$id" ]; then
      run doctl databases delete "$id" --force
    else
      echo "There is no $one."
    fi
  done
}

id_of() {
  if [ "$dry" = --dry-run ]; then
    echo "ID-OF-$1"
  else
    doctl databases list --format ID,Name --no-header | awk -v name="$1" '$2 == name { print $1 }'
  fi
}

asked "$@"
