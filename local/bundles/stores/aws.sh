#!/usr/bin/env bash
# The managed stores on AWS: `aws.sh create|remove [--dry-run]`. Removing keeps the archive's bucket if it is not empty.
# The password is ours to change: one that RDS manages, it changes every week, and the functions would not know.
# `create` ends with writing aws.yml here: what serverless.yml wants to know, and no secret.
# shellcheck source-path=SCRIPTDIR source=common.bash
. "$(dirname "$0")/common.bash"

export AWS_REGION=${AWS_REGION:-eu-central-1}
folder=$(mktemp -d) # for this user's eyes only: no secret is a command's argument
trap 'rm -rf "$folder"' EXIT

names() {
  account=$(run aws sts get-caller-identity --query Account --output text)
  account=${account:-ACCOUNT}
  bucket=$name-archive-$account # everybody's buckets share their names
  topic=arn:aws:sns:$AWS_REGION:$account:$name-alarms
}

create() {
  : "${SUBNET_GROUP:?the DB subnet group} ${SUBNETS:?those of the functions: subnet-1,subnet-2}"
  : "${SECURITY_GROUP:?of the database and the functions, which lets itself in at 5432}"
  names
  database
  archive
  run aws sns create-topic --name "$name-alarms" >/dev/null
  secret
  run curl -fsS -o "$folder/roots" "https://truststore.pki.rds.amazonaws.com/$AWS_REGION/$AWS_REGION-bundle.pem"
  ca=$(root | sed 's/^/  /')
  if [ "$dry" = --dry-run ]; then parameters; else parameters >aws.yml && echo "Written: aws.yml"; fi
}

database() {
  openssl rand -hex 24 | tr -d '\n' >"$folder/password"
  run aws rds create-db-instance --db-instance-identifier "$name" --db-name signals --engine postgres \
    --engine-version 17 --db-instance-class "${CLASS:-db.t4g.micro}" --allocated-storage 20 --storage-type gp3 \
    --storage-encrypted --backup-retention-period 7 --deletion-protection --no-publicly-accessible \
    --master-username signals --master-user-password "file://$folder/password" --db-subnet-group-name "$SUBNET_GROUP" \
    --vpc-security-group-ids "$SECURITY_GROUP" --ca-certificate-identifier rds-ca-rsa2048-g1 >/dev/null
  run aws rds wait db-instance-available --db-instance-identifier "$name"
}

archive() {
  local there=(--create-bucket-configuration "LocationConstraint=$AWS_REGION")
  [ "$AWS_REGION" != us-east-1 ] || there=() # which is where they are unless one says otherwise, and may not be said
  run aws s3api create-bucket --bucket "$bucket" "${there[@]}" >/dev/null
  run aws s3api put-public-access-block --bucket "$bucket" --public-access-block-configuration \
    BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true
}

# Every function's environment refers to all five, so all are there, used or not.
secret() {
  local host
  host=$(run aws rds describe-db-instances --db-instance-identifier "$name" --query 'DBInstances[0].Endpoint.Address' --output text)
  cat >"$folder/secret" <<JSON
{"DATABASE_URL": "postgresql://signals:$(cat "$folder/password")@$host:5432/signals",
 "INTERNAL_KEY": "$(openssl rand -hex 24)", "METRICS_TOKEN": "$(openssl rand -hex 24)",
 "GRADIENT_API_KEY": "${GRADIENT_API_KEY:-unused}", "OPENSEARCH_PASS": "${OPENSEARCH_PASS:-unused}"}
JSON
  arn=$(run aws secretsmanager create-secret --name "$name" --secret-string "file://$folder/secret" --query ARN --output text)
}

parameters() {
  cat <<YAML
stream: postgres
secretArn: $arn
bucket: $bucket
subnets: [$SUBNETS]
securityGroups: [$SECURITY_GROUP]
alarmTopicArn: $topic
publicUrl: ""
postgresCa: |
$ca
YAML
}

# Of the region's roots, the one which the database was told to use: a function's environment holds 4 KB, not all of them.
root() {
  [ -e "$folder/roots" ] || return 0 # a dry run
  local one
  awk -v folder="$folder" '/BEGIN/ {n++} {print > (folder "/root-" n ".pem")}' "$folder/roots"
  for one in "$folder"/root-*.pem; do
    if openssl x509 -in "$one" -noout -subject | grep -q 'RSA2048 G1'; then
      openssl x509 -in "$one"
      return
    fi
  done
  echo "AWS names no root of RSA2048 G1 for $AWS_REGION; nothing is written, and the stores are there." >&2
  return 1
}

remove() {
  names
  run aws rds modify-db-instance --db-instance-identifier "$name" --no-deletion-protection --apply-immediately >/dev/null
  run aws rds delete-db-instance --db-instance-identifier "$name" --final-db-snapshot-identifier "$name-last" >/dev/null
  run aws secretsmanager delete-secret --secret-id "$name" --recovery-window-in-days 7 >/dev/null
  run aws sns delete-topic --topic-arn "$topic"
  run aws s3api delete-bucket --bucket "$bucket"
}

asked "$@"
