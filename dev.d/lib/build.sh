# Building with a CMake preset, as the builder, with a line to look at and a log to read when it fails.

cores() { nproc; }

# build_preset PRESET [CMAKE OPTIONS...]
build_preset() {
  local preset=$1 started=$SECONDS log
  shift
  own_build
  forget_another_place "$preset"
  log=$WAYLAY_TOP/build/$preset.log
  say "building $preset (log: build/$preset.log)"
  # The tree's place in file names and debug information would make two checkouts' objects differ for the cache.
  as_builder env CCACHE_BASEDIR="${CCACHE_BASEDIR:-$WAYLAY_TOP}" CCACHE_NOHASHDIR="${CCACHE_NOHASHDIR:-1}" \
    bash "$WAYLAY_TOP/dev.d/lib/build_one.sh" "$log" "$preset" "$(cores)" "$@" | show_build || {
    show_log "$log"
    die "building $preset failed; the whole log is build/$preset.log"
  }
  note "built in $(stopwatch "$started")"
}

# Ninja writes "[12/345] Building ..."; a terminal gets one moving line, a log every twentieth.
show_build() {
  local line step
  while IFS= read -r line; do
    step=${line#[} step=${step%%/*}
    if [[ $line != \[*/*\]* ]]; then continue; fi
    if [ -t 1 ]; then
      printf '\r\e[K    %.110s' "$line"
    elif ((step % 20 == 0)); then
      note "${line%%]*}]"
    fi
  done
  if [ -t 1 ]; then printf '\r\e[K'; fi
}

# CMake refuses a build folder that was configured under another path (a moved or copied checkout).
forget_another_place() {
  local cache=$WAYLAY_TOP/build/$1/CMakeCache.txt
  if [ -f "$cache" ] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$WAYLAY_TOP" "$cache"; then
    note "build/$1 was made elsewhere: starting it anew"
    rm -rf "${WAYLAY_TOP:?}/build/$1"
  fi
}
