#include "unit/proxy/support.h"

#include <openssl/err.h>
#include <poll.h>
#include <sys/time.h>

#include <cerrno>
#include <cstring>

#include "base/check.h"

namespace waylay::proxy::testing {
namespace {

tls::CertificateAuthority make_ca(const std::string& host) {
  return std::move(*tls::CertificateAuthority::make({.host = host}, now()));
}

tls::SslCtx server_context(const std::string& name, std::string& root_pem) {
  tls::CertificateAuthority ca = make_ca("origin");
  root_pem = *ca.certificate_pem();
  auto minter = std::move(*tls::LeafMinter::create(root_pem));
  tls::UnsignedLeaf prepared = std::move(*minter->prepare({name}, now()));
  std::vector<std::byte> signature = *ca.sign(prepared.tbs());
  std::shared_ptr<const tls::Leaf> leaf = *minter->finish(std::move(prepared), signature);
  tls::SslCtx context(SSL_CTX_new(TLS_server_method()));
  CHECK(SSL_CTX_use_certificate(context.get(), leaf->certificate.get()) == 1);
  CHECK(SSL_CTX_use_PrivateKey(context.get(), leaf->key.get()) == 1);
  return context;
}

std::string last_tls_error() {
  char text[256];
  ERR_error_string_n(ERR_get_error(), text, sizeof text);
  return text;
}

}  // namespace

std::pair<Fd, Fd> channel_pair() {
  int fds[2] = {-1, -1};
  CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == 0);
  return {Fd(fds[0]), Fd(fds[1])};
}

Fd listen_on_loopback() {
  Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_storage storage{};
  socklen_t length = Address::ipv4(htonl(INADDR_LOOPBACK), 0).to_sockaddr(storage);
  CHECK(bind(fd.get(), reinterpret_cast<sockaddr*>(&storage), length) == 0);
  CHECK(listen(fd.get(), 512) == 0);
  return fd;
}

Address address_of(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  CHECK(getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &length) == 0);
  return *Address::from_sockaddr(storage);
}

Fd connect_to(const Address& address) {
  Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_storage storage{};
  socklen_t length = address.to_sockaddr(storage);
  CHECK(connect(fd.get(), reinterpret_cast<sockaddr*>(&storage), length) == 0);
  give_up_after_patience(fd.get());
  return fd;
}

void give_up_after_patience(int fd) {
  timeval limit{.tv_sec = kPatience_ns / kSecond_ns, .tv_usec = 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

std::string read_all(int fd) {
  std::string all;
  char part[65536];
  for (;;) {
    ssize_t n = TEMP_FAILURE_RETRY(::read(fd, part, sizeof part));
    if (n < 0) return all + "[" + std::strerror(errno) + "]";
    if (n == 0) return all;
    all.append(part, static_cast<size_t>(n));
  }
}

std::string read_some(int fd, size_t size) {
  std::string text;
  while (text.size() < size) {
    char part[4096];
    ssize_t n = TEMP_FAILURE_RETRY(::read(fd, part, std::min(sizeof part, size - text.size())));
    if (n <= 0) break;
    text.append(part, static_cast<size_t>(n));
  }
  return text;
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    ssize_t n = TEMP_FAILURE_RETRY(send(fd, text.data(), text.size(), MSG_NOSIGNAL));
    if (n <= 0) return false;
    text.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

// ---- the warden

FakeWarden::FakeWarden() : ca_(make_ca("proxy-test")) {
  std::tie(worker_end_, own_end_) = channel_pair();
  thread_ = std::thread([this] { serve(); });
}

FakeWarden::~FakeWarden() {
  leave();
  thread_.join();
}

void FakeWarden::leave() {
  ::shutdown(own_end_.get(), SHUT_RDWR);
}

void FakeWarden::serve() {
  while (Result<warden::Message> question = warden::receive(own_end_.get())) answer(*question);
}

void FakeWarden::answer(const warden::Message& question) {
  if (question.header.type == warden::MessageType::WantSockets) return give_sockets(question);
  if (question.header.type == warden::MessageType::WhoIs) {
    process_questions++;
    if (process_delay_ns == flow::kForEver_ns) return;
    std::this_thread::sleep_for(std::chrono::nanoseconds(process_delay_ns));
    warden::ProcessInfo info{.exe = "/usr/bin/job",
                             .comm = "job",
                             .cgroup = "/test",
                             .container_id = "c0ffee",
                             .container_name = "worker-1"};
    (void)warden::send(own_end_.get(), {.type = warden::MessageType::Process, .id = question.header.id},
                       warden::to_json(info));
    return;
  }
  signatures++;
  std::vector<std::byte> signature = *ca_.sign(as_bytes(question.payload));
  (void)warden::send(own_end_.get(), {.type = warden::MessageType::Signature, .id = question.header.id},
                     as_text(signature));
}

void FakeWarden::give_sockets(const warden::Message& question) {
  socket_questions++;
  largest_question = std::max<int>(largest_question, question.header.count);
  warden::Header header = question.header;
  header.type = warden::MessageType::Sockets;
  if (refuses_sockets) {
    header.status = EMFILE;
    (void)warden::send(own_end_.get(), header, "Too many open files");
    return;
  }
  std::vector<Fd> made;
  std::vector<int> numbers;
  for (int i = 0; i < header.count; i++) {
    made.emplace_back(socket(header.family == 4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    numbers.push_back(made.back().get());
  }
  sockets_given += header.count;
  (void)warden::send(own_end_.get(), header, {}, numbers);
}

// ---- origins

Origin::Origin(Talk talk)
    : talk_(std::move(talk)), listener_(listen_on_loopback()), address_(address_of(listener_.get())) {
  acceptor_ = std::thread([this] {
    for (;;) {
      int fd = accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      connections++;
      give_up_after_patience(fd);
      std::lock_guard lock(mutex_);
      open_.push_back(fd);
      threads_.emplace_back([this, fd] { talk_(fd); });
    }
  });
}

Origin::~Origin() {
  ::shutdown(listener_.get(), SHUT_RDWR);
  acceptor_.join();
  for (std::thread& thread : threads_) thread.join();
}

TlsOrigin::TlsOrigin(std::string name, std::string response)
    : response_(std::move(response)), context_(server_context(name, root_pem_)) {
  origin_ = std::make_unique<Origin>([this](int fd) { talk(fd); });
}

void TlsOrigin::talk(int number) {
  Fd fd(number);
  tls::Ssl ssl(SSL_new(context_.get()));
  SSL_set_fd(ssl.get(), fd.get());
  if (SSL_accept(ssl.get()) != 1) return;
  std::string request;
  char part[4096];
  for (int n = 0; (n = SSL_read(ssl.get(), part, sizeof part)) > 0;) {
    request.append(part, static_cast<size_t>(n));
    if (!request.ends_with("\r\n\r\n")) continue;
    requests++;
    SSL_write(ssl.get(), response_.data(), static_cast<int>(response_.size()));
    break;  // the responses say Connection: close
  }
  SSL_shutdown(ssl.get());
}

std::string https_get(const Address& to, const std::string& name, const std::string& root_pem,
                      const std::string& request) {
  Fd fd = connect_to(to);
  tls::SslCtx context(SSL_CTX_new(TLS_client_method()));
  tls::Certificate root = std::move(*tls::certificate_from_pem(root_pem));
  X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), root.get());
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  tls::Ssl ssl(SSL_new(context.get()));
  SSL_set_fd(ssl.get(), fd.get());
  SSL_set_tlsext_host_name(ssl.get(), name.c_str());
  SSL_set1_host(ssl.get(), name.c_str());
  ERR_clear_error();
  if (SSL_connect(ssl.get()) != 1) return "[" + last_tls_error() + "]";
  SSL_write(ssl.get(), request.data(), static_cast<int>(request.size()));
  std::string all;
  char part[16384];
  for (int n = 0; (n = SSL_read(ssl.get(), part, sizeof part)) > 0;) all.append(part, static_cast<size_t>(n));
  if (SSL_get_shutdown(ssl.get()) != SSL_RECEIVED_SHUTDOWN) all += "[cut]";
  return all;
}

// ---- records

void Records::flow_changed(const std::shared_ptr<const flow::FlowFacts>& facts) {
  std::lock_guard lock(mutex_);
  flow_ = facts;
}

void Records::exchange_ended(const flow::ExchangeFacts& facts) {
  std::lock_guard lock(mutex_);
  exchanges_.push_back(std::make_shared<const flow::ExchangeFacts>(facts));
}

std::shared_ptr<const flow::FlowFacts> Records::last_flow() const {
  std::lock_guard lock(mutex_);
  return flow_;
}

std::vector<std::shared_ptr<const flow::ExchangeFacts>> Records::exchanges() const {
  std::lock_guard lock(mutex_);
  return exchanges_;
}

// ---- the shell

Shell::Shell(FakeWarden& warden, const std::string& upstream_root_pem)
    : ring(std::move(*io::Ring::make())),
      listener_(listen_on_loopback()),
      client_tls_(std::move(*tls::ClientContext::create(*tls::TicketKeys::make(now())))),
      upstream_tls_(
          std::move(*tls::UpstreamContext::create({.extra_roots_pem = upstream_root_pem, .use_system_roots = false}))),
      minter_(std::move(*tls::LeafMinter::create(warden.ca_pem()))),
      scratch_(17 * 1024),
      link_(*ring, *this),
      leaves_(*minter_, cache_, link_),
      processes_(link_),
      handler_sockets_(ring->timers(), link_, warden::kOwnNetwork),
      environment_{client_tls_, upstream_tls_, rules, rejections, protocols, records, identifiers, scratch_, false},
      tools_{*ring, environment_, leaves_, processes_, handler_sockets_},
      sockets(ring->timers(), link_, 7) {
  CHECK(ring->enable());
  link_.open(warden.take_channel());
}

Shell::~Shell() {
  for (auto& [key, connection] : connections_) connection->abort();
  EXPECT_TRUE(run_until([&] { return connections_.empty(); })) << "connections do not end";
  link_.close();
  EXPECT_TRUE(run_until([&] { return link_.closed(); }));
  EXPECT_EQ(ring->in_flight(), 0U);
}

void Shell::accept(const Address& destination) {
  Fd client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  CHECK(client);
  flow::FlowFacts facts;
  facts.target = target;
  facts.owner.pid = 4711;
  facts.owner.cgroup_id = 1;
  facts.destination = destination;
  auto connection = std::make_unique<Connection>(tools_, sockets, std::move(facts), flow::Settings{}, owner());
  Connection& started = *connection;
  connections_.emplace(&started, std::move(connection));
  started.start(std::move(client));
}

bool Shell::run_until(const std::function<bool()>& holds) {
  int64_t end_ns = now().steady_ns + kPatience_ns;
  while (!holds()) {
    if (now().steady_ns > end_ns) return false;
    EXPECT_TRUE(ring->run_once(now().steady_ns + 20 * kMillisecond_ns));
  }
  return true;
}

void Shell::run_for(int64_t ns) {
  for (int64_t end_ns = now().steady_ns + ns; now().steady_ns < end_ns;) EXPECT_TRUE(ring->run_once(end_ns));
}

void Shell::serve(const Address& destination, std::vector<std::thread> clients) {
  std::atomic<bool> over{false};
  std::thread waiter([&] {
    for (std::thread& client : clients) client.join();
    over = true;
  });
  EXPECT_TRUE(run_until([&] {
    pollfd waiting{listener_.get(), POLLIN, 0};
    while (poll(&waiting, 1, 0) == 1) accept(destination);
    return over && connections_.empty();
  }));
  waiter.join();
}

void Shell::on_signature(uint64_t id, Result<std::string> signature) {
  leaves_.put(id, std::move(signature), ring->time());
}
void Shell::on_sockets(uint32_t, Family family, Result<std::vector<Fd>> given) {
  sockets.put(family, std::move(given));
}
void Shell::on_process(uint64_t id, std::optional<warden::ProcessInfo> process) {
  processes_.put(id, std::move(process), ring->time());
}
void Shell::on_warden_lost(Error error) {
  leaves_.fail_everyone(error);
  processes_.fail_everyone(error);
  sockets.drop(error);
}
void Shell::on_outcome(flow::Outcome, flow::Outcome now) {
  outcomes.push_back(now);
}
void Shell::on_ended(Connection& connection) {
  connections_.erase(&connection);
}

}  // namespace waylay::proxy::testing
