# shellcheck shell=bash disable=SC2034,SC2154 # read by the walks, which set and use these names
# Shared by the walks: saying what is done, calling the server, insisting on the answer. Read by `source`; needs bash,
# curl and jq. A walk ends with exit code 1 at the first answer that is not the expected one.

for tool in curl jq; do
  command -v "$tool" >/dev/null || { echo "this walk needs $tool; on Debian: apt-get install $tool" >&2; exit 1; }
done
url=${TEGATA_URL:?set TEGATA_URL to the address of a running server, such as http://127.0.0.1:7700}
url=${url%/}

as="" # the credential that the next call shows
status="" answer=""
steps=0 checks=0

fail() {
  printf '\nThis did not go as it should: %s\n' "$1" >&2
  printf 'The last answer was %s: %s\n' "${status:-none}" "$(brief <<<"$answer")" >&2
  exit 1
}

# A sentence before each step.
say() {
  steps=$((steps + 1))
  printf '\n%d. %s\n' "$steps" "$1"
}

# Secrets are for their holders, not for a terminal's history.
brief() {
  sed -E 's/([a-z]+_(pat|leg|ses|ver|set|org|acs|app|cls)_)[0-9A-Za-z]{38,54}/\1…/g' | cut -c1-600
}

# call METHOD PATH [BODY]: shows the credential `$as`, leaves `$status` and `$answer`. The secret goes to curl through
# a file descriptor, so that no list of processes shows it.
call() {
  local method=$1 path=$2 body=${3-} arguments=() raw
  if [ -n "$body" ]; then arguments=(--header 'Content-Type: application/json' --data-binary @-); fi
  raw=$(curl --silent --show-error --max-time 30 --request "$method" --write-out '\n%{http_code}' \
    --config <(if [ -n "$as" ]; then printf 'header = "Authorization: Bearer %s"\n' "$as"; fi) \
    "${arguments[@]}" "$url$path" <<<"$body") || { status="none"; answer=""; fail "$method $path could not be sent"; }
  status=${raw##*$'\n'}
  answer=${raw%$'\n'*}
}

# expect STATUS [FILTER]: insists on the status and prints the answer, or the part of it that a jq filter picks.
expect() {
  [ "$status" = "$1" ] || fail "status $1 was expected"
  printf '   → %s %s\n' "$status" "$(jq --compact-output "${2-.}" <<<"$answer" | brief)"
}

# Part of the last answer, as text.
pick() {
  jq --raw-output --exit-status "$1" <<<"$answer" || fail "the answer has no $1"
}

# A JSON object: json name value …, all texts.
json() {
  jq --null-input --compact-output '[$ARGS.positional | _nwise(2) | {(.[0]): .[1]}] | add' --args -- "$@"
}

# RFC 3339, so many days from now.
in_days() {
  jq --null-input --raw-output --argjson days "$1" 'now + $days * 86400 | floor | todate'
}

# Sign in as the administrator of the installation: with the one-time set-up token of a fresh server, or as somebody
# who has an account already. Leaves `$root`.
password="correct horse battery staple"
begin() {
  if [ -n "${TEGATA_SETUP_TOKEN:-}" ]; then
    say "The server is fresh: make its first administrator with the one-time set-up token."
    call POST /v1/setup "$(json token "$TEGATA_SETUP_TOKEN" email "${TEGATA_EMAIL:-root@example.com}" name "Root" \
      password "${TEGATA_PASSWORD:-$password}")"
    expect 201 '{user: .user.email, expires_at}'
  else
    : "${TEGATA_EMAIL:?set TEGATA_SETUP_TOKEN, or TEGATA_EMAIL and TEGATA_PASSWORD of an administrator}"
    : "${TEGATA_PASSWORD:?set TEGATA_PASSWORD too}"
    say "Sign in as the administrator of the installation."
    call POST /v1/sessions "$(json email "$TEGATA_EMAIL" password "$TEGATA_PASSWORD")"
    expect 201 '{user: .user.email, expires_at}'
  fi
  root=$(pick .token)
}

# account NAME: makes a user of that name and leaves their id in `$id`.
account() {
  as=$root
  call POST /v1/users "$(json email "$1@$org.example" name "$1" password "$password")"
  expect 201 '{id, email, state}'
  id=$(pick .id)
}

# sign_in NAME: leaves the session's secret in `$session`.
sign_in() {
  as=""
  call POST /v1/sessions "$(json email "$1@$org.example" password "$password")"
  expect 201 '{user: .user.name, expires_at}'
  session=$(pick .token)
}

# import API: brings a shipped catalogue in.
import() {
  local here
  here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
  as=$root
  call POST /v1/apis "$(jq --raw-input --slurp '{document: ., format: "yaml"}' "$here/catalogues/$1.yaml")"
  expect 201 '{api, version, permissions, endpoints}'
}

# ask REASON BODY: the verifier asks for a decision, which has to have this reason.
ask() {
  local reason=$1
  checks=$((checks + 1))
  as=$verifier
  call POST /v1/verify "$2"
  expect 200 '{allowed, reason} + (if .missing then {missing} else {} end)'
  [ "$(jq --raw-output .reason <<<"$answer")" = "$reason" ] || fail "the reason should be $reason"
  local allowed=false
  if [ "$reason" = granted ]; then allowed=true; fi
  [ "$(jq .allowed <<<"$answer")" = "$allowed" ] || fail "allowed should be $allowed"
  [ "$(jq --raw-output '.record // ""' <<<"$answer")" ] || fail "the check should have left a record"
}

# ask_endpoint REASON METHOD PATH [TOKEN]
ask_endpoint() {
  printf '   %s %s\n' "$2" "$3"
  ask "$1" "$(json token "${4-$token}" api "$api" method "$2" path "$3" ip 203.0.113.9)"
}

# ask_permission REASON PERMISSION CONTEXT [TOKEN]
ask_permission() {
  printf '   %s in %s\n' "$2" "$3"
  ask "$1" "$(json token "${4-$token}" api "$api" permission "$2" context "$3" organization "$org" ip 203.0.113.9)"
}

# records REASON…: the organization's records of this API, oldest first, have to be exactly these.
records() {
  local wanted found
  call GET "/v1/orgs/$org/records?api=$api&limit=200"
  [ "$status" = 200 ] || fail "status 200 was expected"
  jq --raw-output '.items | reverse[] | [.time[11:19], .decision, .reason, .method // "-", .path // .permission] | @tsv' \
    <<<"$answer" | while IFS=$'\t' read -r time decision reason method path; do
    printf '   %s  %-5s  %-22s  %-4s  %s\n' "$time" "$decision" "$reason" "$method" "$path"
  done
  wanted=$(printf '%s\n' "$@")
  found=$(jq --raw-output '.items | reverse[].reason' <<<"$answer")
  [ "$found" = "$wanted" ] || fail "the records should say: $*"
}

done_walking() {
  printf '\nAll went as it should: %d steps, %d checks, each with its record.\n' "$steps" "$checks"
}
