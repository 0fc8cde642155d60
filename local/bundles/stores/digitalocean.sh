#!/usr/bin/env bash
# The managed stores on DigitalOcean: `digitalocean.sh create|remove [--dry-run]`; KAFKA=yes makes a Kafka too.
set -euo pipefail

name=${NAME:-signals}
region=${REGION:-fra1}
dry=${2:-}

run() {
  if [ "$dry" = --dry-run ]; then
    printf '%q ' "$@"
    echo
  else
    "$@"
  fi
}

case "${1:-}" in
  create)
    run doctl databases create "$name" --engine pg --version 17 --region "$region" --size db-s-1vcpu-1gb --num-nodes 1 --wait
    if [ "${KAFKA:-}" = yes ]; then
      run doctl databases create "$name-kafka" --engine kafka --version 3.8 --region "$region" --size db-s-2vcpu-2gb \
        --num-nodes 3 --wait
    fi
    echo "The address: doctl databases connection ID; the CA for PG_CA_CERT: doctl databases get-ca ID"
    ;;
  remove)
    for one in "$name" "$name-kafka"; do
      run doctl databases delete "$one" --force
    done
    ;;
  *)
    echo "digitalocean.sh create|remove [--dry-run]" >&2
    exit 2
    ;;
esac
