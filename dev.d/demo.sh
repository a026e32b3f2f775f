verb_help() {
  cat <<'TEXT'
usage: ./dev demo                  WAYLAY_DEMO=talk ./dev demo

Shows Waylay at work, in about a minute once everything is built: a private Docker engine starts a container whose job
calls S3 with unmodified boto3; Waylay attaches to it while it runs, injects SlowDown into the first two attempts of each
call, and explains the retries. No AWS account, no network: the container has none, and the answers are mocks.

  WAYLAY_DEMO=talk   the other trick: a good response whose status alone becomes 429, which boto3's legacy mode retries
                     and its standard mode does not

Needs root for BPF, containers and the private engine. Removes everything it made, and what a crashed run left.
TEXT
}

verb_main() {
  if [ $# -gt 0 ]; then verb_help >&2; exit 2; fi
  case ${WAYLAY_DEMO:-} in "" | talk) ;; *) die "WAYLAY_DEMO is \"$WAYLAY_DEMO\": leave it unset, or set it to talk" ;; esac
  become_root demo
  require compile kernel demo engine
  build_preset release -DWAYLAY_TESTS=OFF
  # The caller's AWS settings, bundles, proxies and Docker host are none of the demo's business.
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/nonexistent LANG=C.UTF-8 TERM="${TERM:-dumb}" NO_COLOR="${NO_COLOR:-}" \
    WAYLAY_DEMO="${WAYLAY_DEMO:-}" /usr/bin/python3 -B demo/demo.py build/release
}
