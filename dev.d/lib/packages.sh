# Debian packages: which, why, and how they get onto the machine without questions, surprises or a second try.

# package<TAB>what makes it unnecessary (a command or a file; - for only the package itself)<TAB>why.
# The groups are what the verbs name.
packages_of() {
  case $1 in
    compile) cat <<'TABLE'
clang-19	/usr/bin/clang-19	the compiler, for C++23 and for BPF
cmake	cmake	configures the build
ninja-build	ninja	runs the build
ccache	ccache	makes every build after the first one short
pkg-config	pkg-config	finds the libraries
libssl-dev	-	TLS on both sides (OpenSSL 3)
node-llhttp	/usr/share/llhttp/llhttp.c	the HTTP/1.1 parser's C sources
nlohmann-json3-dev	-	JSON: rules, control API
libspdlog-dev	-	the log
libfmt-dev	-	the log's formatting
libnghttp2-dev	-	HTTP/2 on both sides
libsodium-dev	-	key pairs of X25519
libre2-dev	-	regular expressions in linear time
zlib1g-dev	-	gzip bodies and CRC-32
libbrotli-dev	-	br bodies
libzstd-dev	-	zstd bodies
TABLE
      ;;
    kernel) cat <<'TABLE'
bpftool	/usr/sbin/bpftool	makes the loader of the BPF program
libbpf-dev	-	loads and attaches the BPF program
liburing-dev	-	io_uring, the data path
libseccomp-dev	-	the proxy's system call filter
libcap-ng-dev	-	dropping capabilities
libcli11-dev	-	command lines
TABLE
      ;;
    unit) cat <<'TABLE'
libgtest-dev	-	the unit tests' framework
libgmock-dev	-	the unit tests' matchers
libclang-rt-19-dev	-	address and undefined-behaviour sanitizers
TABLE
      ;;
    fuzz) cat <<'TABLE'
libclang-rt-19-dev	-	libFuzzer and the sanitizers
TABLE
      ;;
    world) cat <<'TABLE'
python3	/usr/bin/python3	runs the test world
python3-boto3	-	the AWS client under observation
python3-grpcio	-	a gRPC server and its client
python3-websockets	-	a WebSocket server and its client
python3-jsonschema	-	holds the schema of rule files to the examples
curl	curl	the other client under observation
openssl	openssl	makes the test certificates
ca-certificates	/etc/ssl/certs/ca-certificates.crt	the system's trust bundle, which attach merges into
iproute2	ip	network namespaces and links
nftables	nft	the foreign redirect of waylayd --listen
TABLE
      ;;
    demo) cat <<'TABLE'
python3	/usr/bin/python3	runs the demo
python3-boto3	-	the AWS client that is throttled
ca-certificates	/etc/ssl/certs/ca-certificates.crt	the system's trust bundle, which attach merges into
TABLE
      ;;
    engine) cat <<'TABLE'
docker.io	dockerd	a private Docker engine; the system's own is neither started nor enabled
TABLE
      ;;
    servers) cat <<'TABLE'
nodejs	node	runs the S3 server and a Node client
npm	npm	installs the S3 server (s3rver), the AWS SDK for JavaScript and undici
systemd	/lib/systemd/systemd	boots in a container to start the service for real
dbus	dbus-daemon	systemctl inside that container
TABLE
      ;;
    clients) cat <<'TABLE'
golang-go	go	a Go client
openjdk-17-jdk-headless	/usr/lib/jvm/java-17-openjdk-amd64/bin/java	a Java client
python3-httpx	-	a Python client of HTTP/2
python3-h2	-	HTTP/2 for that one
chromium	/usr/lib/chromium/chromium	a browser
libnss3-tools	certutil	gives the browser its roots
TABLE
      ;;
    bench) cat <<'TABLE'
python3	/usr/bin/python3	runs the benchmark
nginx-light	nginx	the origin, and a peer
wrk	wrk	HTTP/1.1 load
nghttp2-client	h2load	handshake load
openssl	openssl	certificates
curl	curl	bulk transfers
iproute2	ip	network namespaces
nftables	nft	the other peers' redirect
TABLE
      ;;
    micro) cat <<'TABLE'
libbenchmark-dev	-	the micro-benchmarks' framework
libgtest-dev	-	the playbook that the benchmarks share with the flow's tests
valgrind	valgrind	counts instructions
TABLE
      ;;
    peers) cat <<'TABLE'
haproxy	haproxy	a peer, and what the sockets alone cost
sslsplit	sslsplit	a peer
squid-openssl	squid	a peer
mitmproxy	mitmdump	a peer
TABLE
      ;;
    format) printf 'clang-format-19\tclang-format-19\tlays the sources out\n' ;;
    lint) cat <<'TABLE'
clang-tidy-19	clang-tidy-19	finds bugs in C++
shellcheck	shellcheck	finds bugs in shell scripts
TABLE
      ;;
    *) die "no package group $1" ;;
  esac
}

# require GROUP...: everything in these groups is there afterwards, or the script ends with the reason.
require() {
  local group missing
  missing=$(for group; do missing_of "$group"; done | sort -u -t $'\t' -k1,1)
  if [ -z "$missing" ]; then return; fi
  say "installing Debian packages:"
  local name why
  while IFS=$'\t' read -r name why; do note "$(printf '%-20s %s' "$name" "$why")"; done <<<"$missing"
  command -v apt-get >/dev/null || die "this machine has no apt-get: install what matches the list above by other means"
  say_what_is_untried
  # shellcheck disable=SC2046  # package names have no spaces
  as_root bash "$WAYLAY_TOP/dev.d/lib/install.sh" $(cut -f1 <<<"$missing")
}

missing_of() {
  local name instead why
  while IFS=$'\t' read -r name instead why; do
    if ! is_present "$name" "$instead"; then printf '%s\t%s\n' "$name" "$why"; fi
  done < <(packages_of "$1")
}

# Programs of the administrator's (/usr/sbin) are not on every user's PATH.
is_present() {
  local name=$1 instead=$2
  case $instead in
    -) ;;
    /*) if [ -e "$instead" ]; then return 0; fi ;;
    *) if PATH=$PATH:/usr/sbin:/sbin command -v "$instead" >/dev/null; then return 0; fi ;;
  esac
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ]
}

say_what_is_untried() {
  local ID='' VERSION_ID='' PRETTY_NAME='this system'
  if [ -r /etc/os-release ]; then source /etc/os-release; fi
  if [ "$ID" = debian ] && [ "$VERSION_ID" = 12 ]; then return; fi
  warn "$PRETTY_NAME: untried. Only Debian 12 has been tried: these package names, and what"
  warn "their versions do when built and run here, are not known to work. Going on all the same."
}
