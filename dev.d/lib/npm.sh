# What the tests take from the npm registry, installed outside the source tree.

# npm_install FOLDER NAME: what FOLDER's lock file says, into build/npm/NAME; nothing to do when it is there already.
npm_install() {
  local from=$1 to=build/npm/$2 log=build/npm-$2.log
  if cmp -s "$from/package-lock.json" "$to/.installed"; then return; fi
  say "installing $2 from the npm registry into $to"
  own_build
  as_builder rm -rf "$to"
  as_builder mkdir -p "$to"
  as_builder cp "$from/package.json" "$from/package-lock.json" "$from/.npmrc" "$to/"
  as_builder npm --prefix "$to" ci --ignore-scripts --no-audit --no-fund >"$log" 2>&1 || {
    show_log "$log"
    die "npm could not install $2; the whole log is $log"
  }
  as_builder cp "$from/package-lock.json" "$to/.installed"
}
