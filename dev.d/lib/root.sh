# Who runs what. Installing packages and touching namespaces needs root; the build belongs to the person who asked.

# The variables that a verb understands; sudo and su would drop them.
kept_variables=(WAYLAY_DEMO FUZZ_SECONDS CI NO_COLOR TERM CCACHE_DIR CCACHE_BASEDIR CCACHE_NOHASHDIR WAYLAY_BENCH
  http_proxy https_proxy no_proxy)

# builder_id: the user:group that the build belongs to. Set by become_root, else sudo's invoker, else whoever runs this.
builder_id() {
  if [ -n "${WAYLAY_BUILDER:-}" ]; then
    echo "$WAYLAY_BUILDER"
  elif [ "$(id -u)" = 0 ] && [ -n "${SUDO_UID:-}" ]; then
    echo "$SUDO_UID:$SUDO_GID"
  else
    echo "$(id -u):$(id -g)"
  fi
}

# carry: "NAME=value" for each variable that is to survive the change of user.
carry() {
  local name
  printf '%s\n' "WAYLAY_BUILDER=$(builder_id)"
  for name in "${kept_variables[@]}"; do
    if [ -n "${!name:-}" ]; then printf '%s\n' "$name=${!name}"; fi
  done
}

# as_root COMMAND...: at once when already root, else through sudo, else through su.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; return; fi
  local -a environment
  mapfile -t environment < <(carry)
  if command -v sudo >/dev/null && may_sudo; then
    sudo env "${environment[@]}" "$@"
  elif command -v su >/dev/null && [ -t 0 ]; then
    note "root's password is asked for by su"
    su root -c "$(printf '%q ' env "${environment[@]}" "$@")"
  else
    die "the next step needs root: run ./dev as root, or install sudo and allow $(id -un) to use it"
  fi
}

# Without a terminal sudo must not ask; with one it asks here, once, and not in the middle of a long step.
may_sudo() {
  if [ -t 0 ]; then sudo -v; else sudo -n true 2>/dev/null; fi
}

# become_root VERB ARGUMENTS...: the whole verb again as root, for verbs that need it to their end.
become_root() {
  if [ "$(id -u)" = 0 ]; then return; fi
  say "becoming root: this verb makes network namespaces, containers and BPF programs"
  as_root bash "$WAYLAY_TOP/dev" "$@"
  exit
}

# as_builder COMMAND...: as the person that the build belongs to.
as_builder() {
  local id uid gid name home
  id=$(builder_id) uid=${id%:*} gid=${id#*:}
  if [ "$(id -u)" != 0 ] || [ "$uid" = 0 ]; then "$@"; return; fi
  name=$(getent passwd "$uid" | cut -d: -f1)
  home=$(getent passwd "$uid" | cut -d: -f6)
  if [ -n "$name" ]; then
    setpriv --reuid "$uid" --regid "$gid" --init-groups env HOME="$home" USER="$name" LOGNAME="$name" "$@"
  else
    setpriv --reuid "$uid" --regid "$gid" --clear-groups env HOME="$WAYLAY_TOP/build" "$@"
  fi
}

# own_build: build/ exists and is the builder's; what a root step left in it is given back.
own_build() {
  mkdir -p "$WAYLAY_TOP/build"
  if [ "$(id -u)" = 0 ] && [ "$(builder_id)" != 0:0 ]; then
    chown -R --no-dereference "$(builder_id)" "$WAYLAY_TOP/build"
  fi
}
