"""OpenWhisk's launcher as a loop: one JSON line in on stdin, one out, `main` called with one argument.

Run as a file, since a packaged function is alone in its folder: python openwhisk_loop.py <source> <descriptor>
"""

import importlib.util
import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any


def load(source: str) -> Callable[[Any], Any]:
    """The module's `main`, with the working folder importable, as in the unpacked zip."""
    sys.path[0] = os.getcwd()
    spec = importlib.util.spec_from_file_location("main__", source)
    assert spec
    assert spec.loader
    packages = os.path.abspath("virtualenv/bin/activate_this.py")
    if os.path.exists(packages):
        with open(packages) as file:
            exec(compile(file.read(), packages, "exec"), {"__file__": packages})  # noqa: S102  as the launcher does
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    main: Callable[[Any], Any] = module.main
    return main


def called(main: Callable[[Any], Any], message: dict[str, Any]) -> Any:
    """One invocation, as the launcher makes it: an exception becomes `error`, with its traceback in the log."""
    for name in message:
        if name != "value":
            os.environ[f"__OW_{name.upper()}"] = str(message[name])
    try:
        return main(message["value"])
    except SystemExit:
        raise  # which is the process's end there too
    except BaseException as error:
        traceback.print_exc()
        return {"error": str(error)}


if __name__ == "__main__":
    function = load(sys.argv[1])
    with os.fdopen(int(sys.argv[2]), "wb") as out:
        for line in sys.stdin:
            out.write(json.dumps(called(function, json.loads(line)), ensure_ascii=False).encode() + b"\n")
            out.flush()
