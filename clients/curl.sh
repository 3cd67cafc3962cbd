#!/bin/sh
# The smallest adapter for gatecert clients: curl, one call at a time, with the options that it is given. docs/clients.md describes the lines.
echo '{"protocol":1,"package":"curl","version":"'"$(curl --version | sed -n '1s/^curl \([^ ]*\).*/\1/p')"'","surfaces":["chat"]}'

# member NAME: a text of the call, still escaped as in JSON.
member() { printf '%s' "$call" | sed -n 's/.*"'"$1"'":"\(\([^"\\]\|\\.\)*\)".*/\1/p'; }
# word: what is left of a text that is safe inside a JSON string.
word() { tr -cd 'A-Za-z0-9 .,:_-' | cut -c1-200; }

while IFS= read -r call; do
  # The key goes through a file descriptor: arguments are for everybody to see.
  answer=$(curl "$@" --silent --show-error --fail-with-body --write-out '\n%{http_code}' \
    --header @/dev/fd/3 --data-binary @/dev/fd/4 "$(member base_url)/v1/chat/completions" 2>&1 3<<HEADER 4<<BODY
Authorization: Bearer $(member key)
Content-Type: application/json
HEADER
{"model":"$(member model)","max_tokens":16,"messages":[{"role":"user","content":"$(member prompt)"}]}
BODY
  ) && ok=true || ok=false
  status=$(printf '%s' "$answer" | sed -n '$p' | tr -cd 0-9)
  body=$(printf '%s' "$answer" | sed '$d')
  code=$(printf '%s' "$body" | sed -n 's/.*"code": *"\([a-z_:]*\)".*/\1/p' | head -n 1)
  printf '{"id":"%s","ok":%s,"class":"exit status","status":%d,"message":"%s","raw":{"body":"%s"},"text":"%s"}\n' \
    "$(member id)" "$ok" "${status:-0}" "$(printf '%s' "$body" | word)" "$code" "$([ $ok = true ] && printf '%s' "$body" | sed -n 's/.*"content": *"\([^"\\]*\)".*/\1/p' | word)"
done
