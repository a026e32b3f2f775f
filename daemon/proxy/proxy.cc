#include "proxy/proxy.h"

#include <malloc.h>

#include "base/log.h"
#include "proxy/control_channel.h"
#include "proxy/inheritance.h"
#include "proxy/shared.h"
#include "proxy/target_table.h"
#include "proxy/worker.h"
#include "warden/configuration.h"
#include "warden/sandbox.h"

namespace waylay::proxy {
namespace {

// The keys are taken out of what the API may look at.
Result<std::shared_ptr<const tls::UpstreamPolicy>> make_policy(warden::StartInfo& info) {
  auto policy = std::make_shared<tls::UpstreamPolicy>();
  policy->records = info.own_records ? tls::Records::Own : tls::Records::OpenSsl;
  policy->strict_x509 = info.strict_x509;
  for (const warden::StartInfo::ClientCertificate& each : std::exchange(info.client_certificates, {})) {
    Result<tls::ClientIdentity> identity = tls::ClientIdentity::load(each.hosts, each.certificate, each.key);
    if (!identity) return fail(identity, "a client certificate");
    policy->identities.push_back(std::move(*identity));
  }
  return policy;
}

tls::ClientPolicy client_policy_of(const warden::StartInfo& info) {
  tls::ClientPolicy policy;
  policy.ech = tls::ech_policy_from(info.ech).value_or(policy.ech);
  policy.leaf_key = tls::leaf_key_policy_from(info.leaf_key).value_or(policy.leaf_key);
  return policy;
}

Result<std::unique_ptr<Shared>> make_shared_part(Inheritance& from, Services services) {
  Result<tls::UpstreamRoots> roots = tls::UpstreamRoots::load({.extra_roots_pem = from.info.upstream_roots});
  if (!roots) return fail(roots, "loading the roots for upstreams");
  Result<std::shared_ptr<const tls::UpstreamPolicy>> policy = make_policy(from.info);
  if (!policy) return fail(policy);
  Result<std::unique_ptr<tls::LeafMinter>> minter = tls::LeafMinter::create(from.info.ca_certificate);
  if (!minter) return fail(minter, "preparing leaves");
  return std::unique_ptr<Shared>(new Shared{.services = services,
                                            .roots = std::move(*roots),
                                            .policy = std::move(*policy),
                                            .minter = std::move(*minter),
                                            .leaves = tls::LeafCache(),
                                            .protocols = {},
                                            .flow_map = kernel::FlowMap(std::move(from.flow_map)),
                                            .error_page = from.info.error_page,
                                            .client_policy = client_policy_of(from.info)});
}

}  // namespace

struct Proxy::Impl {
  const int64_t started_ns = now().wall_ns;
  rules::RuleBook rules;
  record::Store store;
  flow::Rejections rejections;
  flow::Identifiers identifiers;

  Fd control_fd;
  Inheritance inheritance;
  std::unique_ptr<Shared> shared;
  ControlChannel::Workers workers;
  std::unique_ptr<io::Ring> ring;  // of the main thread
  std::unique_ptr<io::Mailbox> answers;
  std::unique_ptr<TargetTable> targets;
  std::unique_ptr<ControlChannel> control;

  ~Impl() { stop_workers(); }

  Result<void> prepare(Fd channel);
  Result<void> load_rules();
  void reload_rules();
  Result<void> make_workers();
  Result<void> make_control();
  Result<void> start();
  void add_listen_target();
  Result<void> serve();
  void stop_workers();
};

// ---- before the sandbox: everything that opens files, makes rings or needs the warden's first message

Result<void> Proxy::Impl::prepare(Fd channel) {
  control_fd = std::move(channel);
  Result<Inheritance> received = receive_inheritance(control_fd.get());
  if (!received) return fail(received);
  inheritance = std::move(*received);
  log::start("proxy", warden::level_from(inheritance.info.log_level).value_or(log::Level::Info));
  if (Result<void> loaded = load_rules(); !loaded) return loaded;
  Result<std::unique_ptr<Shared>> made = make_shared_part(inheritance, {rules, rejections, store, identifiers});
  if (!made) return fail(made);
  shared = std::move(*made);
  if (Result<void> workers_made = make_workers(); !workers_made) return workers_made;
  return make_control();
}

Result<void> Proxy::Impl::load_rules() {
  Result<size_t> loaded = rules.load_directory(inheritance.info.rules_directory, {now(), "start"});
  if (!loaded) return fail(loaded, "rules");
  if (*loaded > 0) log::info("event=rules-loaded count=" + std::to_string(*loaded));
  return {};
}

void Proxy::Impl::reload_rules() {
  Result<size_t> loaded = rules.load_directory(inheritance.info.rules_directory, {now(), "SIGHUP"});
  if (loaded) return log::info("event=rules-loaded count=" + std::to_string(*loaded));
  log::error("event=rules-not-loaded, those in force stay: " + loaded.error().message);
}

Result<void> Proxy::Impl::make_workers() {
  Result<tls::TicketKeys> keys = tls::TicketKeys::make(now());
  if (!keys) return fail(keys);
  for (Fd& channel : inheritance.channels) {
    auto index = static_cast<unsigned>(workers.size());
    Result<std::unique_ptr<Worker>> worker = Worker::make(index, *shared, *keys, std::move(channel));
    if (!worker) return fail(worker, "worker " + std::to_string(index));
    workers.push_back(std::move(*worker));
  }
  return {};
}

Result<void> Proxy::Impl::make_control() {
  // No stream lives in this ring: the control channel's messages have a buffer of their own.
  Result<std::unique_ptr<io::Ring>> made =
      io::Ring::make({.submissions = 64, .completions = 256, .buffer_count = 1, .buffer_size = 4096});
  if (!made) return fail(made);
  ring = std::move(*made);
  Result<std::unique_ptr<io::Mailbox>> mailbox = io::Mailbox::make(*ring);
  if (!mailbox) return fail(mailbox);
  answers = std::move(*mailbox);
  targets = std::make_unique<TargetTable>(inheritance.counters.get());
  control = std::make_unique<ControlChannel>(*ring, *answers, workers, *targets, [this] { reload_rules(); });
  return {};
}

// ---- from here on in the sandbox

Result<void> Proxy::Impl::start() {
  if (Result<void> enabled = ring->enable(); !enabled) return enabled;
  if (shared->client_policy.leaf_key != tls::LeafKeyPolicy::P256) shared->minter->make_rsa_key_in_background();
  for (auto& worker : workers)
    if (Result<void> started = worker->start(); !started) return started;
  return {};
}

void Proxy::Impl::add_listen_target() {
  if (inheritance.listen_sockets.empty()) return;
  auto target = std::make_shared<Target>();
  target->info.name = "listen:" + inheritance.info.listen_address;
  target->info.attached_ns = started_ns;
  control->add(std::move(target), std::move(inheritance.listen_sockets));
}

Result<void> Proxy::Impl::serve() {
  answers->start();
  add_listen_target();
  control->open(std::move(control_fd));
  while (!control->closed())
    if (Result<void> turned = ring->run_once(); !turned) return turned;
  stop_workers();
  answers->close();
  while (!answers->closed())
    if (Result<void> turned = ring->run_once(); !turned) return turned;
  return {};
}

void Proxy::Impl::stop_workers() {
  for (auto& worker : workers) worker->stop();
  for (auto& worker : workers) worker->join();
}

// ---- the interface

Proxy::Proxy(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Proxy::~Proxy() = default;

Result<std::unique_ptr<Proxy>> Proxy::start(Fd control) {
  auto impl = std::make_unique<Impl>();
  if (Result<void> prepared = impl->prepare(std::move(control)); !prepared) return fail(prepared);
  ::malloc_trim(0);  // certificates and rules were read: what that needed would stay resident
  if (Result<void> entered = warden::install_seccomp(impl->inheritance.info.has_listen); !entered) return fail(entered);
  if (Result<void> started = impl->start(); !started) return fail(started);
  return std::unique_ptr<Proxy>(new Proxy(std::move(impl)));
}

Fd Proxy::take_api_listener() {
  return std::move(impl_->inheritance.api_listener);
}

int Proxy::run() {
  Result<void> served = impl_->serve();
  if (served) return 0;
  log::error("event=proxy-failed " + served.error().message);
  return 1;
}

const warden::StartInfo& Proxy::start_info() const {
  return impl_->inheritance.info;
}
rules::RuleBook& Proxy::rules() {
  return impl_->rules;
}
record::Store& Proxy::store() {
  return impl_->store;
}
std::vector<TargetStatus> Proxy::targets() const {
  return impl_->targets->list();
}
size_t Proxy::learned_refusals() const {
  return impl_->rejections.size();
}
int64_t Proxy::started_ns() const {
  return impl_->started_ns;
}

}  // namespace waylay::proxy
