#include "warden/warden.h"

#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <optional>

#include "base/check.h"
#include "base/log.h"
#include "kernel/bpf_engine.h"
#include "tls/client_identity.h"
#include "warden/admin.h"
#include "warden/attachments.h"
#include "warden/authority.h"
#include "warden/bundles.h"
#include "warden/files.h"
#include "warden/job_thread.h"
#include "warden/listen_sockets.h"
#include "warden/lock.h"
#include "warden/preflight.h"
#include "warden/process_directory.h"
#include "warden/protocol.h"
#include "warden/socket_source.h"
#include "warden/trust.h"
#include "warden/worker_service.h"

namespace waylay::warden {
namespace {

constexpr int kReadyTimeout_ms = 30'000;  // the proxy loads rules and certificates; a loaded machine takes a while
constexpr int kStopTimeout_ms = 20'000;   // the proxy's own limit for open exchanges is shorter
constexpr int kTick_ms = 5'000;           // slow requests are dropped, empty run cgroups removed
constexpr size_t kMaximumRoots = size_t{3} * 1024 * 1024;
constexpr size_t kMaximumIdentity = size_t{64} * 1024;  // a certificate with its chain, or a key

// Keys of the loop's own descriptors; targets' keys begin at 1 << 32 (attachments.cc), administrators' at 1 << 60.
enum Key : uint64_t { kSignals = 1, kProxyEnd, kControl };
constexpr uint64_t kFirstAdministrator = 1ULL << 60;

class Epoll : public EventSource {
 public:
  Epoll() : fd_(::epoll_create1(EPOLL_CLOEXEC)) { CHECK(fd_); }
  Result<void> watch(int fd, uint32_t epoll_events, uint64_t key) override {
    epoll_event event{};
    event.events = epoll_events;
    event.data.u64 = key;
    if (::epoll_ctl(fd_.get(), EPOLL_CTL_ADD, fd, &event) == 0) return {};
    return fail(posix_error(errno, "watching a descriptor"));
  }
  void forget(int fd) override { ::epoll_ctl(fd_.get(), EPOLL_CTL_DEL, fd, nullptr); }
  int get() const { return fd_.get(); }

 private:
  Fd fd_;
};

Result<void> make_directories(const Configuration& configuration) {
  if (Result<void> made = make_directory(configuration.state_directory, 0700, 0, 0); !made) return made;
  // Everybody may pass: trust/bundle.pem is for every program that `waylay run` starts; the sockets protect themselves.
  if (Result<void> made = make_directory(configuration.runtime_directory, 0755, 0, 0); !made) return made;
  struct stat status{};
  if (::stat(configuration.rules_directory.c_str(), &status) == 0) return {};  // an administrator's: left as it is
  // A read-only /etc is no reason not to start: then there are no rules in files.
  Result<void> rules = make_directory(configuration.rules_directory, 0755, 0, 0);
  if (!rules) log::warning("the rules' directory cannot be made: " + rules.error().message);
  return {};
}

void raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) < 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

Result<Fd> block_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (int number : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&set, number);
  (void)::signal(SIGPIPE, SIG_IGN);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  Fd signals(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals) return fail(posix_error(errno, "making a signalfd"));
  return signals;
}

// What attaching needs of the machine. Without it, --listen still works.
struct Capability {
  std::optional<kernel::CgroupTree> cgroups;
  std::optional<kernel::BpfEngine> engine;
  std::string unavailable;
};

Result<Capability> find_capability(bool is_needed) {
  Capability found;
  std::optional<Error> error;
  Result<kernel::CgroupTree> cgroups = kernel::CgroupTree::find();
  if (!cgroups)
    error = with_advice_on_cgroups(std::move(cgroups).error());
  else
    found.cgroups = std::move(*cgroups);
  if (!error) {
    Result<kernel::BpfEngine> engine = kernel::BpfEngine::create({});
    if (!engine)
      error = with_advice_on_bpf(std::move(engine).error());
    else
      found.engine = std::move(*engine);
  }
  if (!error) return found;
  if (is_needed) return fail(std::move(*error));
  log::warning("nothing can be attached: " + error->message);
  found.unavailable = error->message;
  return found;
}

// --- Starting ---

class Warden {
 public:
  Warden(const Configuration& configuration, const WardenOptions& options)
      : configuration_(configuration), options_(options) {}
  ~Warden();

  Result<void> start();
  Result<void> serve();

 private:
  Result<void> check_machine();
  Result<void> take_places();
  Result<void> open_sockets();
  Result<void> start_proxy_process();
  Result<std::vector<Fd>> make_worker_channels();
  Result<void> send_start(const std::vector<Fd>& proxy_channels);
  Result<void> wait_for_ready();
  Result<void> start_services();
  AttachmentParts attachment_parts();
  Result<void> read_client_certificates();
  StartInfo start_info() const;

  std::optional<Result<void>> on_event(uint64_t key);
  std::optional<Result<void>> on_signal();
  std::optional<Result<void>> on_control();
  Result<void> on_proxy_end();
  Result<void> stop();
  void on_tick();
  void end_proxy();
  bool proxy_ends_within(int timeout_ms) const;
  void kill_proxy(const Error& why);

  const Configuration& configuration_;
  const WardenOptions& options_;
  ProxyAccount account_;
  gid_t group_ = static_cast<gid_t>(-1);
  Fd runtime_lock_, state_lock_, signals_;
  std::string upstream_roots_;
  std::vector<StartInfo::ClientCertificate> client_certificates_;
  std::optional<Authority> authority_;
  std::optional<Trust> trust_;
  Capability capability_;
  Fd api_listener_, admin_listener_;
  ListenSockets listen_;
  ProxyProcess proxy_;
  std::vector<Fd> channels_;

  Epoll epoll_;
  SocketSource sockets_;
  std::unique_ptr<ProcessDirectory> processes_;
  std::unique_ptr<Attachments> attachments_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::unique_ptr<AdminConnections> administrators_;
  std::unique_ptr<WorkerService> service_;
  // Destroyed first: their jobs use all of the above.
  std::unique_ptr<JobThread> working_, inquiries_;
};

Result<void> Warden::start() {
  raise_file_limit();
  if (Result<void> checked = check_machine(); !checked) return checked;
  if (Result<void> taken = take_places(); !taken) return taken;
  if (Result<void> opened = open_sockets(); !opened) return opened;
  if (Result<void> started = start_proxy_process(); !started) return started;
  if (Result<void> started = start_services(); !started) return started;
  ::malloc_trim(0);  // bundles and BPF objects were read meanwhile: 0.5 MiB that would stay resident for good
  return {};
}

Result<void> Warden::check_machine() {
  if (Result<void> root = check_root(); !root) return root;
  if (Result<void> kernel = check_kernel(); !kernel) return kernel;
  Result<ProxyAccount> account = find_proxy_account(configuration_.user);
  if (!account) return fail(account);
  account_ = *account;
  if (account_.substituted)
    log::warning("there is no user \"" + configuration_.user + "\": the proxy runs as \"nobody\"");
  group_ = find_group(configuration_.group);
  if (group_ == static_cast<gid_t>(-1))
    log::info("there is no group \"" + configuration_.group + "\": the sockets are root's alone");
  return check_io_uring(account_.account);
}

Result<void> Warden::take_places() {
  if (Result<void> made = make_directories(configuration_); !made) return made;
  Result<Fd> runtime_lock = lock_directory(configuration_.runtime_directory, "--runtime-dir");
  if (!runtime_lock) return fail(runtime_lock);
  runtime_lock_ = std::move(*runtime_lock);
  Result<Fd> state_lock = lock_directory(configuration_.state_directory, "--state-dir");
  if (!state_lock) return fail(state_lock);
  state_lock_ = std::move(*state_lock);
  if (!configuration_.upstream_roots.empty()) {
    Result<std::string> roots = read_file(configuration_.upstream_roots, kMaximumRoots);
    if (!roots) return fail(roots, "the upstream roots");
    if (!holds_certificates(*roots)) {
      return fail(Error::local(ErrorKind::Invalid,
                               "the upstream roots: " + configuration_.upstream_roots + " holds no PEM certificate"));
    }
    upstream_roots_ = std::move(*roots);
  }
  if (Result<void> read = read_client_certificates(); !read) return read;
  Result<Authority> authority = Authority::open(configuration_, now());
  if (!authority) return fail(authority);
  authority_.emplace(std::move(*authority));
  Result<tls::TrustAnchor> anchor = tls::make_trust_anchor(authority_->certificate_pem());
  if (!anchor) return fail(anchor);
  Result<Trust> trust =
      Trust::open({configuration_.state_directory, configuration_.runtime_directory}, std::move(*anchor));
  if (!trust) return fail(trust);
  trust_.emplace(std::move(*trust));
  Result<Capability> capability = find_capability(!configuration_.listen);
  if (!capability) return fail(capability);
  capability_ = std::move(*capability);
  return {};
}

// Checked here, where a mistake stops the start with its file's name.
Result<void> Warden::read_client_certificates() {
  for (const ClientCertificateFiles& files : configuration_.client_certificates) {
    Result<std::string> certificate = read_file(files.certificate, kMaximumIdentity);
    if (!certificate) return fail(certificate, "a client certificate");
    Result<std::string> key = read_file(files.key, kMaximumIdentity);
    if (!key) return fail(key, "the key of a client certificate");
    Result<tls::ClientIdentity> identity = tls::ClientIdentity::load(files.hosts, *certificate, *key);
    if (!identity) return fail(identity, "the client certificate " + files.certificate + " with " + files.key);
    client_certificates_.push_back({files.hosts, std::move(*certificate), std::move(*key)});
  }
  return {};
}

Result<void> Warden::open_sockets() {
  Result<Fd> signals = block_signals();
  if (!signals) return fail(signals);
  signals_ = std::move(*signals);
  Result<Fd> api = AdminConnections::listen(configuration_.runtime_directory + "/waylay.sock", group_);
  if (!api) return fail(api);
  api_listener_ = std::move(*api);
  Result<Fd> admin = AdminConnections::listen(configuration_.runtime_directory + "/warden.sock", group_);
  if (!admin) return fail(admin);
  admin_listener_ = std::move(*admin);
  if (!configuration_.listen) return {};
  Result<ListenSockets> listen = open_listen_sockets(*configuration_.listen, configuration_.workers);
  if (!listen) return fail(listen);
  listen_ = std::move(*listen);
  return {};
}

Result<void> Warden::start_proxy_process() {
  Result<ProxyProcess> proxy = start_proxy(options_.proxy, account_.account);
  if (!proxy) return fail(proxy);
  proxy_ = std::move(*proxy);
  Result<std::vector<Fd>> proxy_channels = make_worker_channels();
  if (!proxy_channels) return fail(proxy_channels);
  if (Result<void> sent = send_start(*proxy_channels); !sent) return fail(sent, "starting the proxy");
  // From here on the proxy alone holds these: when it ends, they refuse.
  proxy_channels->clear();
  api_listener_.reset();
  listen_.sockets.clear();
  return wait_for_ready();
}

Result<std::vector<Fd>> Warden::make_worker_channels() {
  std::vector<Fd> ends;
  for (unsigned i = 0; i < configuration_.workers; ++i) {
    Result<ChannelPair> channel = make_channel();
    if (!channel) return fail(channel);
    channels_.push_back(std::move(channel->warden));
    ends.push_back(std::move(channel->proxy));
  }
  return ends;
}

StartInfo Warden::start_info() const {
  StartInfo info;
  info.workers = configuration_.workers;
  info.has_listen = configuration_.listen.has_value();
  if (info.has_listen) info.listen_address = listen_.bound.to_string();
  info.ca_certificate = authority_->certificate_pem();
  info.upstream_roots = upstream_roots_;
  info.rules_directory = configuration_.rules_directory;
  info.strict_x509 = configuration_.strict_x509;
  info.client_certificates = client_certificates_;
  info.log_level = to_string(configuration_.log_level);
  info.own_records = configuration_.own_records;
  info.error_page = configuration_.error_page;
  info.ech = tls::to_string(configuration_.client.ech);
  info.leaf_key = tls::to_string(configuration_.client.leaf_key);
  return info;
}

Result<void> Warden::send_start(const std::vector<Fd>& proxy_channels) {
  Fd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));  // stands for the maps where there is no BPF
  if (!nothing) return fail(posix_error(errno, "opening /dev/null"));
  const auto& engine = capability_.engine;
  std::vector<int> descriptors = {api_listener_.get(), engine ? engine->flows_fd() : nothing.get(),
                                  engine ? engine->counters_fd() : nothing.get()};
  for (const Fd& channel : proxy_channels) descriptors.push_back(channel.get());
  for (const Fd& socket : listen_.sockets) descriptors.push_back(socket.get());
  return send(proxy_.control.get(), {.type = MessageType::Start}, to_json(start_info()), descriptors);
}

Result<void> Warden::wait_for_ready() {
  std::array<pollfd, 3> waiting = {
      {{proxy_.control.get(), POLLIN, 0}, {proxy_.pidfd.get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}}};
  int ready = 0;
  do ready = ::poll(waiting.data(), waiting.size(), kReadyTimeout_ms);
  while (ready < 0 && errno == EINTR);
  if (ready == 0) return fail(Error::local(ErrorKind::Timeout, "the proxy was not ready within 30 s"));
  if (waiting[2].revents) return fail(Error::local(ErrorKind::Unavailable, "told to stop while starting"));
  Result<Message> message =
      waiting[0].revents ? receive(proxy_.control.get()) : fail(Error::local(ErrorKind::Unavailable, ""));
  if (message && message->header.type == MessageType::Ready) return {};
  if (message) return fail(Error::local(ErrorKind::Protocol, "the proxy's first word was not Ready"));
  (void)proxy_ends_within(2000);
  return fail(Error::local(ErrorKind::Unavailable,
                           "the proxy ended while starting (" + how_it_ended(proxy_) + "); its own log says why"));
}

AttachmentParts Warden::attachment_parts() {
  return {.engine = capability_.engine ? &*capability_.engine : nullptr,
          .cgroups = capability_.cgroups,
          .unavailable = capability_.unavailable,
          .docker_sockets = configuration_.docker_sockets,
          .state_directory = configuration_.state_directory,
          .trust = *trust_,
          .sockets = sockets_,
          .processes = *processes_,
          .events = epoll_,
          .control = proxy_.control.get(),
          .workers = configuration_.workers,
          .excluded = {::getpid(), proxy_.pid},
          .post = [this](std::function<void()> job) { (void)working_->post(std::move(job)); }};
}

Result<void> Warden::start_services() {
  processes_ = std::make_unique<ProcessDirectory>(capability_.cgroups, configuration_.docker_sockets);
  attachments_ = std::make_unique<Attachments>(attachment_parts());
  inquiries_ = std::make_unique<JobThread>("waylay-inquire");
  working_ = std::make_unique<JobThread>("waylay-attach");
  if (configuration_.handlers)
    if (Result<void> added = sockets_.add_own_network(); !added) return added;
  auto broken = [this](const Error& why) { kill_proxy(why); };
  service_ =
      std::make_unique<WorkerService>(std::move(channels_), *authority_, sockets_, *processes_, *inquiries_, broken);
  dispatcher_ = std::make_unique<Dispatcher>(Dispatcher::Parts{.attachments = *attachments_,
                                                               .trust = *trust_,
                                                               .working = *working_,
                                                               .inquiries = *inquiries_,
                                                               .docker_sockets = configuration_.docker_sockets,
                                                               .cgroups = capability_.cgroups,
                                                               .ca_pem = authority_->certificate_pem(),
                                                               .unavailable = capability_.unavailable});
  auto handle = [this](Fd connection, const Peer& peer, const std::string& line) {
    dispatcher_->dispatch(std::move(connection), peer, line);
  };
  administrators_ =
      std::make_unique<AdminConnections>(std::move(admin_listener_), group_, epoll_, kFirstAdministrator, handle);
  if (Result<void> watched = epoll_.watch(signals_.get(), EPOLLIN, kSignals); !watched) return watched;
  if (Result<void> watched = epoll_.watch(proxy_.pidfd.get(), EPOLLIN, kProxyEnd); !watched) return watched;
  return epoll_.watch(proxy_.control.get(), EPOLLIN, kControl);
}

// --- Serving ---

Result<void> Warden::serve() {
  std::string listening = configuration_.listen ? " listen=" + listen_.bound.to_string() : "";
  log::info("ready version=" WAYLAY_VERSION " pid=" + std::to_string(::getpid()) +
            " proxy=" + std::to_string(proxy_.pid) + " workers=" + std::to_string(configuration_.workers) +
            " socket=" + configuration_.runtime_directory + "/waylay.sock" + listening);
  options_.notify("READY=1\nSTATUS=Intercepting on request");
  int64_t interval_ns = options_.watchdog_ns > 0 ? std::min<int64_t>(options_.watchdog_ns, kTick_ms * kMillisecond_ns)
                                                 : kTick_ms * kMillisecond_ns;
  while (true) {
    std::array<epoll_event, 32> events;
    int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                             static_cast<int>(interval_ns / kMillisecond_ns));
    CHECK(count >= 0 || errno == EINTR);
    for (int i = 0; i < count; ++i) {
      if (std::optional<Result<void>> end = on_event(events[static_cast<size_t>(i)].data.u64)) return std::move(*end);
    }
    if (options_.watchdog_ns > 0) options_.notify("WATCHDOG=1");
    on_tick();
  }
}

std::optional<Result<void>> Warden::on_event(uint64_t key) {
  if (key == kSignals) return on_signal();
  if (key == kProxyEnd) return on_proxy_end();
  if (key == kControl) return on_control();
  if (administrators_->owns(key))
    administrators_->on_event(key);
  else
    attachments_->on_event(key);
  return std::nullopt;
}

std::optional<Result<void>> Warden::on_signal() {
  signalfd_siginfo signal{};
  if (::read(signals_.get(), &signal, sizeof signal) != sizeof signal) return std::nullopt;
  if (signal.ssi_signo == SIGHUP) {
    log::info("SIGHUP: rules are read again; the configuration, by a restart");
    Result<void> told = send(proxy_.control.get(), {.type = MessageType::ReloadRules}, {});
    if (!told) log::warning("the proxy is not told to read rules again: " + told.error().message);
    return std::nullopt;
  }
  return stop();
}

std::optional<Result<void>> Warden::on_control() {
  Result<Message> message = receive(proxy_.control.get());
  if (message) {
    attachments_->on_proxy_message(*message);
    return std::nullopt;
  }
  // Its end is reported by the pidfd too; whichever comes first. Anything else is a proxy that is no longer ours.
  if (message.error().kind != ErrorKind::Unavailable) kill_proxy(message.error());
  epoll_.forget(proxy_.control.get());
  if (!proxy_ends_within(1000)) kill_proxy(Error::local(ErrorKind::Protocol, "it closed its control channel"));
  return on_proxy_end();
}

void Warden::on_tick() {
  administrators_->expire();
  if (attachments_->has_run_cgroups()) (void)working_->post([this] { attachments_->sweep(); });
}

void Warden::kill_proxy(const Error& why) {
  log::error("ending the proxy: " + why.message);
  ::syscall(SYS_pidfd_send_signal, proxy_.pidfd.get(), SIGKILL, nullptr, 0);
}

// --- Ending ---

// Without the proxy, redirected connections would be refused: every link ends first, then the rest. systemd starts
// anew.
Result<void> Warden::on_proxy_end() {
  attachments_->on_proxy_end();
  (void)proxy_ends_within(1000);
  std::string how = how_it_ended(proxy_);
  log::error("the proxy ended (" + how + "); every redirect was removed");
  proxy_.pid = 0;
  end_proxy();
  return fail(Error::local(ErrorKind::Unavailable, "the proxy ended: " + how));
}

Result<void> Warden::stop() {
  log::info("stopping");
  options_.notify("STOPPING=1");
  attachments_->close();
  Result<void> told = send(proxy_.control.get(), {.type = MessageType::Stop}, "");
  if (!told) log::warning("telling the proxy to stop: " + told.error().message);
  if (!proxy_ends_within(kStopTimeout_ms)) kill_proxy(Error::local(ErrorKind::Timeout, "it did not stop in time"));
  (void)proxy_ends_within(2000);
  log::info("stopped proxy=" + log::quoted(how_it_ended(proxy_)));
  proxy_.pid = 0;
  end_proxy();
  return {};
}

// With the proxy gone nothing waits for it any more: the threads come to their ends, then what they made is undone.
void Warden::end_proxy() {
  attachments_->on_proxy_end();
  administrators_->close();
  working_->stop();
  inquiries_->stop();
  service_->stop();
  attachments_->abandon();
  ::unlink((configuration_.runtime_directory + "/warden.sock").c_str());
  ::unlink((configuration_.runtime_directory + "/waylay.sock").c_str());
}

bool Warden::proxy_ends_within(int timeout_ms) const {
  pollfd waiting{proxy_.pidfd.get(), POLLIN, 0};
  return ::poll(&waiting, 1, timeout_ms) > 0;
}

// A start that failed half way: the proxy must not stay behind.
Warden::~Warden() {
  if (proxy_.pid == 0) return;
  ::syscall(SYS_pidfd_send_signal, proxy_.pidfd.get(), SIGKILL, nullptr, 0);
  (void)proxy_ends_within(2000);
  (void)how_it_ended(proxy_);
}

}  // namespace

Result<void> run(const Configuration& configuration, const WardenOptions& options) {
  Warden warden(configuration, options);
  if (Result<void> started = warden.start(); !started) return started;
  return warden.serve();
}

}  // namespace waylay::warden
