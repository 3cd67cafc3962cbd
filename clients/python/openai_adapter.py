"""Adapter of the openai package of Python for gatecert clients. docs/clients.md describes the lines.

    python3 -m venv clients/python/venv && clients/python/venv/bin/pip install openai
"""

import json
import platform
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import openai

FIELDS = ("code", "type", "param")
PARALLEL = 8
MAX_TEXT = 2000
writing = Lock()


def say(line):
    with writing:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


def texts(value, path):
    """All texts inside a body that the library left as it came."""
    if isinstance(value, dict):
        return {p: t for k, v in value.items() for p, t in texts(v, f"{path}[{k!r}]").items()}
    return {path: value[:MAX_TEXT]} if isinstance(value, str) else {}


def call(ask, deliver):
    client = openai.OpenAI(base_url=ask["base_url"] + "/v1", api_key=ask["key"])
    messages = [{"role": "user", "content": ask["prompt"]}]
    got = client.chat.completions.create(model=ask["model"], messages=messages, max_tokens=16, stream=ask["stream"])
    if not ask["stream"]:
        deliver(got.choices[0].message.content if got.choices else "")
        return
    for chunk in got:
        if chunk.choices:
            deliver(chunk.choices[0].delta.content)


def answer(line):
    ask = json.loads(line)
    parts = []
    said = {"id": ask["id"], "ok": True}
    try:
        call(ask, lambda text: parts.append(text or ""))
    except Exception as err:  # every error is an observation
        said.update(ok=False, typed=isinstance(err, openai.OpenAIError), status=getattr(err, "status_code", 0) or 0)
        said["class"], said["message"] = type(err).__name__, str(err)[:MAX_TEXT]
        said["fields"] = {f"err.{f}": v for f in FIELDS if isinstance(v := getattr(err, f, None), str)}
        said["raw"] = texts(getattr(err, "body", None), "err.body")
    said["text"] = "".join(parts)[:MAX_TEXT]
    say(said)


def main():
    say({"protocol": 1, "package": "openai", "version": openai.__version__, "runtime": "python " + platform.python_version(),
         "surfaces": ["chat", "chat-stream"], "parallel": PARALLEL})
    with ThreadPoolExecutor(PARALLEL) as pool:
        for line in sys.stdin:
            pool.submit(answer, line)


if __name__ == "__main__":
    main()
