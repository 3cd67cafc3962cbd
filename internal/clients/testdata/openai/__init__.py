"""A stub of the openai package: what its adapter uses, with the same names, and two retries."""

import json
import urllib.error
import urllib.request
from types import SimpleNamespace

__version__ = "0.stub"


class OpenAIError(Exception):
    pass


class RateLimitError(OpenAIError):
    def __init__(self, status, body):
        error = body.get("error", {})
        super().__init__(f"Error code: {status} - {error.get('message')}")
        self.status_code, self.body = status, error
        self.code, self.type, self.param = error.get("code"), error.get("type"), error.get("param")


class OpenAI:
    def __init__(self, base_url, api_key):
        self.base_url, self.api_key = base_url, api_key
        self.chat = SimpleNamespace(completions=SimpleNamespace(create=self.create))

    def create(self, model, messages, max_tokens, stream):
        body = json.dumps({"model": model, "messages": messages, "max_tokens": max_tokens, "stream": stream}).encode()
        headers = {"Authorization": "Bearer " + self.api_key, "Content-Type": "application/json"}
        for attempt in range(3):
            try:
                with urllib.request.urlopen(urllib.request.Request(self.base_url + "/chat/completions", body, headers)) as got:
                    content = json.load(got)["choices"][0]["message"]["content"]
                return SimpleNamespace(choices=[SimpleNamespace(message=SimpleNamespace(content=content))])
            except urllib.error.HTTPError as err:
                failed = RateLimitError(err.code, json.loads(err.read()))
        raise failed
