verb_help() {
  cat <<'TEXT'
usage: ./dev build [--install DIRECTORY]

Builds the release into build/release/: waylayd (the daemon) and waylay (the tool).

  --install DIRECTORY   also lays everything out below DIRECTORY as a Debian package would (a staging folder, or / as root)
TEXT
}

verb_main() {
  local staging=''
  case ${1:-} in
    "") ;;
    --install) staging=${2:?./dev build --install needs a directory} ;;
    *) verb_help >&2; exit 2 ;;
  esac
  require compile kernel
  build_preset release -DWAYLAY_TESTS=OFF
  for program in waylayd waylay; do
    [ -x "build/release/$program" ] || die "the build ended without build/release/$program"
    note "build/release/$program"
  done
  if [ -n "$staging" ]; then
    say "installing below $staging"
    DESTDIR=$(realpath -m "$staging") cmake --install build/release
  fi
}
