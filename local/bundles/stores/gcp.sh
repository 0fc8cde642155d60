#!/usr/bin/env bash
# The stores on Google: `gcp.sh create|remove [--dry-run]`. A Postgres with a private address in the network `default`, the
# secrets of Cloud Run's manifests, and the account that may read them. A Kafka one makes oneself.
# shellcheck source-path=SCRIPTDIR source=common.bash
. "$(dirname "$0")/common.bash"
region=${REGION:-europe-west3}

create() {
  local password=${PASSWORD:?the password of the database, of letters and digits} address ca account
  [ "$dry" != --dry-run ] || password=PASSWORD
  run gcloud services enable run.googleapis.com sqladmin.googleapis.com secretmanager.googleapis.com \
    cloudscheduler.googleapis.com servicenetworking.googleapis.com
  run gcloud compute addresses create "$name-sql" --global --purpose=VPC_PEERING --prefix-length=16 --network=default
  run gcloud services vpc-peerings connect --service=servicenetworking.googleapis.com --ranges="$name-sql" \
    --network=default
  run gcloud sql instances create "$name" --database-version=POSTGRES_17 --edition=enterprise \
    --tier="${TIER:-db-f1-micro}" --region="$region" --network=default --no-assign-ip --deletion-protection
  run gcloud sql databases create signals --instance="$name"
  run gcloud sql users create signals --instance="$name" --password="$password"
  address=$(said_of_instance 'ipAddresses[0].ipAddress')
  ca=$(said_of_instance 'serverCaCert.cert')
  keep database-url "postgresql://signals:$password@$address/signals"
  keep pg-ca "$ca"
  keep internal-key "$(openssl rand -hex 24)"
  run gcloud iam service-accounts create "$name"
  account=$name@${PROJECT:-PROJECT}.iam.gserviceaccount.com
  for secret in database-url pg-ca internal-key; do
    run gcloud secrets add-iam-policy-binding "$secret" --member="serviceAccount:$account" \
      --role=roles/secretmanager.secretAccessor
  done
  # So that the poller's calls to the stations stay in the network, from where alone they are taken.
  run gcloud compute networks subnets update default --region="$region" --enable-private-ip-google-access
}

remove() {
  run gcloud sql instances patch "$name" --no-deletion-protection --quiet
  run gcloud sql instances delete "$name" --quiet
  for secret in database-url pg-ca internal-key; do
    run gcloud secrets delete "$secret" --quiet
  done
  run gcloud iam service-accounts delete "$name@${PROJECT:-PROJECT}.iam.gserviceaccount.com" --quiet
  run gcloud services vpc-peerings delete --service=servicenetworking.googleapis.com --network=default --quiet
  run gcloud compute addresses delete "$name-sql" --global --quiet
}

said_of_instance() {
  if [ "$dry" = --dry-run ]; then
    echo "THE-INSTANCES-$1"
  else
    gcloud sql instances describe "$name" --format="value($1)"
  fi
}

# A new secret.
keep() {
  run gcloud secrets create "$1" --data-file=- <<< "$2"
}

asked "$@"
