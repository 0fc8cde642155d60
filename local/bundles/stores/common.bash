# Sourced by the scripts beside it, which define `create` and `remove` and then say `asked "$@"`.
set -euo pipefail

export name=${NAME:-signals}
dry=${2:-}

# Each command goes through here, so that --dry-run can show them instead: also those whose answer somebody takes.
exec 3>&1
run() {
  if [ "$dry" = --dry-run ]; then
    printf '%q ' "$@" >&3
    echo >&3
  else
    "$@"
  fi
}

asked() {
  case "${1:-}" in
    create | remove) "$1" ;;
    *)
      echo "$(basename "$0") create|remove [--dry-run]" >&2
      exit 2
      ;;
  esac
}
