"""The one version, shown by `--version` and by every health answer."""

VERSION = "0.1.0"
