verb_help() {
  cat <<'TEXT'
usage: ./dev format [--check]

Lays out all C and C++ sources with clang-format-19 and the repository's .clang-format.

  --check   changes nothing; fails when a file is not laid out
TEXT
}

verb_main() {
  local -a mode=(-i) files
  case ${1:-} in
    "") ;;
    --check) mode=(--dry-run --Werror) ;;
    *) verb_help >&2; exit 2 ;;
  esac
  require format
  mapfile -t files < <(cpp_sources)
  say "clang-format: ${#files[@]} files"
  clang-format-19 "${mode[@]}" "${files[@]}"
}

cpp_sources() { find bpf cli daemon tests -name '*.cc' -o -name '*.c' -o -name '*.h' | sort; }
