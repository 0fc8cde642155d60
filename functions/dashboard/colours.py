"""The colours: each token once, for both themes; the stylesheet's blocks are made from this list."""

# name, light, dark
TOKENS = (
    ("bg", "#f7f8fa", "#0f1216"),
    ("surface", "#ffffff", "#161a20"),
    ("sunken", "#eef0f4", "#0b0d11"),
    ("line", "#dde1e7", "#2a3039"),  # separators
    ("edge", "#868f9d", "#6b7685"),  # borders of controls, axes
    ("text", "#14181f", "#e8ebef"),
    ("text2", "#454e5c", "#b4bcc8"),
    ("text3", "#5d6673", "#929caa"),
    ("accent", "#1f5bd0", "#82aaff"),
    ("accent-ink", "#ffffff", "#0b1426"),
    ("accent-tint", "#e6eefc", "#17243c"),
    ("critical", "#a50f3d", "#ff7f9d"),
    ("critical-ink", "#ffffff", "#2a0410"),
    ("critical-tint", "#fbe7ec", "#3a1320"),
    ("error", "#b23c06", "#ffa066"),
    ("error-tint", "#fdebdf", "#38200f"),
    ("warn", "#7a5a00", "#e2b93f"),
    ("warn-tint", "#faf1d6", "#2c2508"),
    ("plot", "#677487", "#6f7b8c"),
    ("band", "#e1e5eb", "#2a313c"),
)


def stylesheet() -> str:
    """Light, dark where the system is, and either where the reader chose it."""
    light = "color-scheme:light;" + "".join(f"--{name}:{value};" for name, value, _ in TOKENS)
    dark = "color-scheme:dark;" + "".join(f"--{name}:{value};" for name, _, value in TOKENS)
    return (
        f":root{{{light}}}\n"
        f"@media (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}\n"
        f":root[data-theme=dark]{{{dark}}}\n"
    )
