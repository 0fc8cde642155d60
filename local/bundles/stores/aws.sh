#!/usr/bin/env bash
# The managed stores on AWS: `aws.sh create|remove [--dry-run]`. Removing keeps the archive's bucket if it is not empty.
# The password is ours to change: one that RDS manages, it changes every week, and the functions would not know.
# shellcheck source-path=SCRIPTDIR source=common.bash
. "$(dirname "$0")/common.bash"

create() {
  : "${SUBNET_GROUP:?the DB subnet group} ${SECURITY_GROUP:?the security group of the database}"
  local password=${PASSWORD:?the password of the database}
  [ "$dry" != --dry-run ] || password=PASSWORD
  run aws rds create-db-instance --db-instance-identifier "$name" --db-name signals --engine postgres \
    --engine-version 17 --db-instance-class "${CLASS:-db.t4g.micro}" --allocated-storage 20 --storage-type gp3 \
    --storage-encrypted --backup-retention-period 7 --deletion-protection --no-publicly-accessible \
    --master-username signals --master-user-password "$password" --db-subnet-group-name "$SUBNET_GROUP" \
    --vpc-security-group-ids "$SECURITY_GROUP"
  run aws rds wait db-instance-available --db-instance-identifier "$name"
  run aws s3api create-bucket --bucket "$name-archive" --create-bucket-configuration \
    "LocationConstraint=${AWS_REGION:-eu-central-1}"
  run aws s3api put-public-access-block --bucket "$name-archive" --public-access-block-configuration \
    BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true
  echo "Now a secret with DATABASE_URL and INTERNAL_KEY: aws secretsmanager create-secret --name $name --secret-string file://…"
}

remove() {
  run aws rds modify-db-instance --db-instance-identifier "$name" --no-deletion-protection --apply-immediately
  run aws rds delete-db-instance --db-instance-identifier "$name" --final-db-snapshot-identifier "$name-last"
  run aws s3api delete-bucket --bucket "$name-archive"
}

asked "$@"
