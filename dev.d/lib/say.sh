# How ./dev talks: one line for each step, colour only on a terminal, everything else in a log that is shown on failure.

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
  say_bold=$'\e[1m' say_red=$'\e[31m' say_plain=$'\e[0m'
else
  say_bold='' say_red='' say_plain=''
fi

say() { printf '%s==>%s %s\n' "$say_bold" "$say_plain" "$*"; }
note() { printf '    %s\n' "$*"; }
warn() { printf '%s    %s%s\n' "$say_red" "$*" "$say_plain" >&2; }
die() { printf '%s./dev: %s%s\n' "$say_red" "$*" "$say_plain" >&2; exit 1; }

# stopwatch START: the time since $SECONDS was START, as "2 min 5 s".
stopwatch() {
  local seconds=$((SECONDS - ${1:-0}))
  if ((seconds < 60)); then printf '%d s' "$seconds"; else printf '%d min %d s' $((seconds / 60)) $((seconds % 60)); fi
}

# show_log FILE: the end of a log, indented, for the reader of a failure.
show_log() {
  sed 's/^/    | /' <(tail -n "${2:-40}" "$1") >&2
}
