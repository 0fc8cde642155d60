"""What a sentence names: code-like tokens, which must be ours, and words in a row, which must not be an event's."""

import re
import unicodedata
from collections.abc import Collection, Iterable

# A time of day, a date, or both.
TIME = (
    r"(?<![\w:.])(?:\d{4}-\d{2}-\d{2}(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?Z?)?|\d{1,2}:\d{2}(?::\d{2})?)(?![\w:])"
)


def plain(text: str) -> str:
    """One spelling for what looks alike, and nothing invisible."""
    folded = unicodedata.normalize("NFKC", text)
    return "".join(one for one in folded if unicodedata.category(one) not in ("Cf", "Co", "Cn", "Cs"))


_FOREIGN = re.compile(
    r"""(?x)
      [a-z][a-z0-9+.-]*:// | \bwww\. | \b(?:mailto|data|javascript|file|ssh|git|tel):\S      # addresses
    | @
    | (?<!\w)\d{1,3}(?:\.\d{1,3}){3}(?!\w) | (?i:(?<!\w)(?:[0-9a-f]{0,4}:){3,}[0-9a-f]{0,4})
    | (?i:[\w-]+(?:\.[\w-]+)*\.[a-z][\w-]+) | \[\.\] | \(\s*dot\s*\) | (?i:\bdot\s+(?:com|net|org|io|sh|dev|ru|cn)\b)
    | (?<![\w/])(?:~|\.{1,2})?/[\w.~-] | \\ | (?<!\w)[A-Za-z]:/                             # paths
    | [`|<>$={}^] | && | \]\( | \#! | \*\* | ;\s*[a-z]+\s+-                                 # shell, markup
    | (?<![\w-])--?[A-Za-z]                                                                 # flags
    | \w+\(                                                                                 # calls
    | \w*[^\W_]_[^\W_]\w* | _{2,}                                                           # snake_case
    | \b[a-z]+[A-Z]\w* | \b[A-Z][a-z0-9]+[A-Z]\w*                                           # camelCase
    | (?<![\w.])\d+(?:\.\d+){2,} | \b\d+\.\d+-[A-Za-z]\w*                                    # releases
    | \b[^\W_]{24,}\b                                                                       # a key, base64
    | (?:\+\s?)?(?:\(?\d\)?[ .-]?){7,}                                                      # a telephone, an account
    """
)
_MIXED = re.compile(r"\b(?=\w*\d)(?=\w*[^\W\d_])\w+\b")
_HARMLESS = re.compile(r"\d+(?:st|nd|rd|th|s|m|h|d|x|k|ms|min|mins|sec)|[45]xx|p\d\d", re.IGNORECASE)
_COMMAND = re.compile(
    r"""(?ix)\b(?:curl|wget|sudo|su|chmod|chown|ssh|scp|sftp|rsync|netcat|nc|bash|zsh|ksh|powershell|pwsh|cmd|iex
    |eval|exec|rm|mv|dd|mkfs|kubectl|helm|docker|podman|terraform|ansible|systemctl|journalctl|crontab|psql|mysql|mongo
    |redis|pip|npm|npx|yarn|apt|yum|brew|git|python|perl|ruby|php|nmap|telnet|ftp|base64|openssl|iptables|ufw|awk|sed
    |grep|xargs|tee|nohup|pkill|killall|rmdir|del|certutil|bitsadmin|mshta|rundll32|regsvr32)\b
    | \b(?:drop|truncate|alter)\s+(?:table|database|schema|index|user)\b | \bdelete\s+from\b | \binsert\s+into\b
    | \bunion\s+select\b | \bselect\s+\S+\s+from\b | \bgrant\s+all\b | \bshutdown\s+now\b | \bkill\s+-?\d""",
)
_DATES = re.compile(TIME)


def foreign(text: str, names: Collection[str]) -> str:
    """The first address, command, host or code-like token in it that is none of these names; empty: there is none."""
    rest = _DATES.sub(" ", without(plain(text), names))
    if any(unicodedata.category(one) in ("Cc", "Cf", "Co", "Cn", "Cs") for one in text):
        return "an invisible character"
    if found := _FOREIGN.search(rest) or _COMMAND.search(rest):
        return found[0]
    for word in re.findall(r"\w+", rest):
        if _MIXED.fullmatch(word) and not _HARMLESS.fullmatch(word):
            return str(word)
        if len({_script(letter) for letter in word if letter.isalpha()}) > 1:
            return str(word)
    return ""


def without(text: str, names: Collection[str]) -> str:
    """The text with our own names taken out, with the quotes around them; the longest first."""
    for name in sorted(filter(None, names), key=len, reverse=True):
        text = re.sub(rf"(?<![\w/.@-])[`'\"“]?{re.escape(name)}[`'\"”]?(?![\w/@-]|\.\w)", " ", text)
    return text


def named(text: str, names: Collection[str]) -> set[str]:
    """Which of the names stand in it."""
    return {name for name in names if name and without(text, [name]) != text}


def _script(letter: str) -> str:
    return unicodedata.name(letter, "?").split()[0]


def words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", plain(text).casefold())


# So many words in a row nobody writes by chance; a cause may name what events say, in fewer than six.
RUN, LONG_RUN = 4, 6
Runs = frozenset[tuple[str, ...]]


def runs(texts: Iterable[str]) -> Runs:
    """Every run of two to six words in them."""
    found: set[tuple[str, ...]] = set()
    for said in map(words, texts):
        for length in range(2, LONG_RUN + 1):
            found.update(_of_length(said, length))
    return frozenset(found)


def copied(text: str, theirs: Runs, ours: Runs, length: int = RUN) -> bool:
    """Whether it repeats somebody's words: so many in a row, or all of a shorter sentence of at least two."""
    said = words(text)
    return len(said) >= 2 and not (_of_length(said, min(length, len(said))) & theirs).issubset(ours)


def _of_length(said: list[str], length: int) -> set[tuple[str, ...]]:
    return {tuple(said[at : at + length]) for at in range(len(said) - length + 1)}
