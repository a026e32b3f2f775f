verb_help() {
  cat <<'TEXT'
usage: ./dev lint [FILE...]

Searches the C++ sources (or the FILEs) for bugs with clang-tidy-19 and the repository's .clang-tidy, and the shell
scripts with shellcheck. Warnings are errors.
TEXT
}

verb_main() {
  require compile kernel unit lint
  build_preset dev
  local -a files=("$@")
  if [ ${#files[@]} = 0 ]; then mapfile -t files < <(compiled_sources); fi
  local failed=0
  say "clang-tidy: ${#files[@]} files, $(cores) at a time"
  printf '%s\0' "${files[@]}" |
    xargs -0 -n 1 -P "$(cores)" clang-tidy-19 -p build/dev --quiet 2> >(grep -v 'warnings generated' >&2) || failed=1
  say "shellcheck"
  # The excluded warnings are about files and variables that shellcheck cannot follow through ./dev's sourcing.
  shellcheck -x --exclude=SC1090,SC2034,SC2154,SC2153 -s bash dev dev.d/*.sh dev.d/lib/*.sh .ci/run || failed=1
  return "$failed"
}

# What the build compiles from our own folders; clang-tidy needs the command that compiles a file.
compiled_sources() {
  sed -n 's/^ *"file": "\(.*\)".*/\1/p' build/dev/compile_commands.json |
    sed "s#^$WAYLAY_TOP/##" | grep -E '^(daemon|cli)/' | sort -u
}
